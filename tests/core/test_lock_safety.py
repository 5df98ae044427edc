"""Whether older code can run on what newer revisions have made."""

from collections.abc import Mapping

import pytest

from monitor.core.history import Revision
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.lock import LockedRevision, Statement, VersionPlace
from monitor.core.lock_building import Built, make_lock
from monitor.core.lock_safety import Safety, judge_safety
from monitor.core.snapshot import SchemaObject, make_snapshot

type Attributes = Mapping[str, Value]


def item(kind: Kind, name: str, parent: str | None = "t", **attributes: Value) -> SchemaObject:
    return SchemaObject(key=ObjectKey(kind, "public", parent, name), attributes=attributes)


OLD = (
    item(Kind.TABLE, "t", None),
    item(Kind.COLUMN, "a", type="integer"),
    item(Kind.COLUMN, "b", type="integer", nullable=False),
    item(Kind.COLUMN, "d", type="text", default="'new'::text"),
    item(Kind.FOREIGN_KEY, "t_ref", references=["public", "w"], on_delete="cascade"),
    item(Kind.FOREIGN_KEY, "t_plain", references=["public", "w"]),
    item(Kind.INDEX, "t_a", columns=["a"]),
    item(Kind.INDEX, "t_one", columns=["b"], unique=True),
    item(Kind.FUNCTION, "f(bigint)", None, body="x"),
    item(Kind.CHECK, "t_check", expression="(a > 0)"),
    item(Kind.VIEW, "v", None, definition="SELECT 1"),
    item(Kind.ENUM, "e", None, labels=["x"]),
    item(Kind.TRIGGER, "tr", definition="BEFORE INSERT ON public.t EXECUTE FUNCTION f()"),
)


def judge(*after: SchemaObject, without: tuple[str, ...] = ()) -> tuple[Safety, str]:
    kept = {one.key: one for one in OLD if one.key.name not in without}
    new = make_snapshot({**kept, **{one.key: one for one in after}}.values())
    base = make_snapshot(OLD)
    built = [Built(Revision(id="r"), "", new)]
    lock = make_lock(base, built, place=VersionPlace(), server_version=180000)
    risk = judge_safety(lock, ["r"], base.by_key, new.by_key)
    return risk.safety, risk.reason


@pytest.mark.parametrize(
    "change",
    [
        item(Kind.TABLE, "u", None),
        item(Kind.UNIQUE, "u_key", "u", columns=["a"]),
        item(Kind.FOREIGN_KEY, "u_w", "u", references=["public", "w"]),
        item(Kind.FOREIGN_KEY, "u_t", "u", references=["public", "t"], on_delete="cascade"),
        item(Kind.COLUMN, "c", type="text"),
        item(Kind.COLUMN, "c", type="text", nullable=False, default="''::text"),
        item(Kind.COLUMN, "c", type="integer", nullable=False, identity="always"),
        item(Kind.INDEX, "t_b", columns=["b"]),
        item(Kind.COLUMN, "a", type="integer", default="0"),
        item(Kind.COLUMN, "a", type="integer", comment="the first"),
        item(Kind.TABLE, "t", None, options=["fillfactor=70"]),
    ],
)
def test_what_only_comes_along_is_harmless(change: SchemaObject) -> None:
    assert judge(change) == (Safety.YES, "")


@pytest.mark.parametrize("name", ["t_a", "t_check", "t_plain"])
def test_what_older_code_does_not_ask_for_may_go(name: str) -> None:
    assert judge(without=(name,)) == (Safety.YES, "")


@pytest.mark.parametrize(
    ("change", "without", "reason"),
    [
        (None, "a", "r removes column public.t.a"),
        (None, "v", "r removes view public.v"),
        (
            item(Kind.COLUMN, "c", type="text", nullable=False),
            "",
            "r adds column public.t.c, which must not be null",
        ),
        (
            item(Kind.COLUMN, "a", type="integer", nullable=False),
            "",
            "r makes column public.t.a NOT NULL",
        ),
    ],
)
def test_what_goes_or_is_needed_breaks_older_code(
    change: SchemaObject | None, without: str, reason: str
) -> None:
    after = [change] if change else []
    assert judge(*after, without=(without,)) == (Safety.NO, reason)


@pytest.mark.parametrize(
    ("change", "without"),
    [
        (item(Kind.CHECK, "t_a_check", expression="(a < 9)"), ""),
        (item(Kind.FOREIGN_KEY, "u_t", "u", references=["public", "t"]), ""),
        (item(Kind.UNIQUE, "t_a_key", columns=["a"]), ""),
        (item(Kind.INDEX, "t_u", columns=["a"], unique=True), ""),
        (item(Kind.TRIGGER, "new", definition="BEFORE INSERT"), ""),
        (item(Kind.COLUMN, "a", type="bigint"), ""),
        (item(Kind.COLUMN, "b", type="integer"), ""),
        (item(Kind.ENUM, "e", None, labels=["x", "y"]), ""),
        (item(Kind.VIEW, "v", None, definition="SELECT 2"), ""),
        (None, "tr"),
        (None, "t_one"),
        (item(Kind.INDEX, "t_one", columns=["b"], unique=True, nulls_not_distinct=True), ""),
        (item(Kind.INDEX, "t_one", columns=["b"], unique=True, predicate="(a > 0)"), ""),
        (item(Kind.FUNCTION, "f(numeric)", None, body="y"), ""),
        (item(Kind.INDEX, "t_e", columns=[None], expressions=["((a)::text)::integer"]), ""),
        (item(Kind.INDEX, "t_p", columns=["a"], predicate="(1 / a > 0)"), ""),
        (item(Kind.INDEX, "t_a", columns=["a"], predicate="(1 / a > 0)"), ""),
        (item(Kind.COLUMN, "d", type="text", default="'pending'::text"), ""),
        (None, "t_ref"),
    ],
)
def test_of_the_rest_nobody_knows(change: SchemaObject | None, without: str) -> None:
    safety, reason = judge(*([change] if change else []), without=(without,))
    assert safety is Safety.UNKNOWN
    assert reason.startswith("r ")


def test_the_worst_is_told() -> None:
    assert judge(item(Kind.COLUMN, "a", type="bigint"), without=("v",))[0] is Safety.NO


def test_what_did_not_run_in_the_lock_is_not_known() -> None:
    base = make_snapshot(OLD)
    waiting = LockedRevision(revision=Revision(id="r"), digest="", delta=None)
    lock = make_lock(base, [], place=VersionPlace(), server_version=180000, unbuilt=[waiting])
    assert judge_safety(lock, ["r"], base.by_key, base.by_key).safety is Safety.UNKNOWN


def test_what_one_revision_adds_and_another_tightens_is_judged_together() -> None:
    base = make_snapshot(OLD)
    added = make_snapshot([*OLD, item(Kind.COLUMN, "n", type="text")])
    tight = make_snapshot([*OLD, item(Kind.COLUMN, "n", type="text", nullable=False)])
    built = [
        Built(Revision(id="b2"), "", added),
        Built(Revision(id="b3", down=("b2",)), "", tight),
    ]
    lock = make_lock(base, built, place=VersionPlace(), server_version=180000)
    risk = judge_safety(lock, ["b2", "b3"], base.by_key, tight.by_key)
    assert (risk.safety, risk.reason) == (
        Safety.NO,
        "b3 adds column public.t.n, which must not be null",
    )


def test_a_column_of_a_domain_may_refuse_what_it_is_not_given() -> None:
    domain = item(Kind.DOMAIN, "dn", None, type="text")
    column = item(Kind.COLUMN, "x", type="public.dn")
    assert judge(domain, column)[0] is Safety.UNKNOWN


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("update t set a = a * 2 where b = 1", "r writes rows of t"),
        ('-- again\nUPDATE ONLY "public"."t" AS x SET "a" = 1', "r writes rows of t"),
        ("update t set (a, new) = (select 1, 2)", "r writes rows of t"),
        ("update t set new = (select 1 where a = 1)", ""),
        ("update t set new = a", ""),
        ("select 1; delete from t where a = 1", "r writes rows of t"),
        ("insert into t (a) values ('***')", "r writes rows of t"),
        ("with gone as (delete from t returning a) select 1", "r writes rows of t"),
        ("insert into fresh select * from t", ""),
        ("UPDATE T SET A = lower(A)", "r writes rows of t"),
        ("update t set new = substring(d from 1 for 3), a = 2", "r writes rows of t"),
        ("update t set new = (select 1 from t where a = b), a = 2", "r writes rows of t"),
        ("truncate fresh, public.t", "r writes rows of t"),
        ("select bf()", "r writes rows"),
        ("explain analyze update t set a = 1", "r writes rows"),
        ("update v set a = 1", "r writes rows of v"),
        ("update t set new = bf(a)", "r writes rows"),
        ("select 1 from t for update", ""),
        ("insert into fresh values (1) on conflict (a) do update set a = 2", ""),
        ("do '***'", "r writes rows"),
        ("create trigger x before update on t execute function f()", ""),
        ("select setval('t_id_seq', 1)", ""),
    ],
)
def test_rows_that_older_code_reads_may_mean_something_else_now(sql: str, reason: str) -> None:
    base = make_snapshot(OLD)
    new = make_snapshot([*OLD, item(Kind.TABLE, "fresh", None)])
    built = [Built(Revision(id="r"), "", new, statements=(Statement(sql),))]
    lock = make_lock(base, built, place=VersionPlace(), server_version=180000)
    risk = judge_safety(lock, ["r"], base.by_key, new.by_key)
    expected = (Safety.UNKNOWN, reason) if reason else (Safety.YES, "")
    assert (risk.safety, risk.reason) == expected
