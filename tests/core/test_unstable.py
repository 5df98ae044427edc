"""What two builds do not agree in is no drift, and nothing else is excused."""

from datetime import date

import msgspec
import pytest

from monitor.core.diff import diff
from monitor.core.difference import Change, Difference
from monitor.core.keys import Kind
from monitor.core.kinds import Value
from monitor.core.likeness import is_like
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from monitor.core.unstable import Unstable, excuse_unstable, find_unstable
from tests.cases.reader import describe
from tests.core.builders import a_column, a_table, an_object

TODAY = date(2026, 11, 26)


def built(month: str, *, default: str = "'2026-11-26 08:00:00.123'::timestamp") -> Snapshot:
    """A table with a frozen default, and a partition named after a month."""
    return make_snapshot(
        [
            a_table("t", columns=["a", "at"]),
            a_column("t", "a"),
            a_column("t", "at", default=default),
            a_table(f"events_v2_{month}", columns=["id"], inherits=[["public", "events"]]),
            a_column(f"events_v2_{month}", "id"),
            an_object(Kind.INDEX, f"ix_{month}", parent="t", columns=["a"]),
        ]
    )


FIRST = built("2026_11")
SECOND = built("2028_04", default="'2028-04-09 13:07:11.456'::timestamp")
UNSTABLE = find_unstable(FIRST, SECOND, today=TODAY)


def a_partition(month: str, *columns: str) -> list[SchemaObject]:
    table = f"events_v2_{month}"
    return [
        a_table(table, columns=[*columns], inherits=[["public", "events"]]),
        *(a_column(table, column) for column in columns),
    ]


def compare(expected: Snapshot, actual: Snapshot, unstable: Unstable) -> tuple[str, ...]:
    return describe(
        excuse_unstable(diff(expected, actual), unstable, side="expected", other=actual)
    )


def test_two_builds_that_agree_have_nothing_unstable() -> None:
    assert not find_unstable(FIRST, FIRST, today=date(2020, 1, 1))


def test_a_value_that_differs_between_builds_is_not_compared() -> None:
    actual = built("2026_11", default="'2025-01-02 03:04:05'::timestamp")
    difference = excuse_unstable(diff(FIRST, actual), UNSTABLE, side="expected", other=actual)
    assert describe(difference) == ("note unstable column public.t.at",)
    assert "func.now()" in difference.notes[0].message


@pytest.mark.parametrize(
    ("one", "other", "live", "is_excused"),
    [
        (
            "'2026-11-26 08:00:00.1+00'",
            "'2028-04-09 09:01:02+00'",
            "'2025-01-02 00:00:00+00'",
            True,
        ),
        ("'2026-11-26 08:00:00.1+00'", "'2028-04-09 09:01:02+00'", None, False),
        ("'2026-11-26 08:00:00.1+00'", "'2028-04-09 09:01:02+00'", "now()", False),
        ("'3f2a-11'::uuid", "'9bc0-42'::uuid", "'77aa-b0'::uuid", True),
        ("select '3f2a'::text", "select '9bc0'::text", "select 'pwned'::text", False),
        ("select '3f2a'::text", "select '9bc0'::text", "select pg_read_file('/etc')", False),
        ("(at > '2026-11-26'::date)", "(at > '2028-04-09'::date)", "true", False),
        (
            "(at > '2026-11-26'::date)",
            "(at > '2028-04-09'::date)",
            "(at > '2020-01-01'::date)",
            True,
        ),
        ("built on 2026-11-26", "built on 2028-04-09", None, False),
        (["a", "x_2026"], ["a", "x_2028"], ["a", "x_2020"], True),
        (["a", "x_2026"], ["a", "x_2028"], ["b", "x_2020"], False),
        (None, "'2028-04-09'", None, True),
        (
            "/* 2026-11-26 */ a * 0.05",
            "/* 2028-04-09 */ a * 0.05",
            "/* 2024-05-06 */ a * 0.05",
            True,
        ),
        (
            "/* 2026-11-26 */ a * 0.05",
            "/* 2028-04-09 */ a * 0.05",
            "/* 2024-05-06 */ a * 0.5",
            False,
        ),
        ("'2026-04-26 08:00:00'", "'2028-04-26 08:00:11'", "'2024-05-06 09:01:02'", True),
        (
            "at >= '2026-11-01' and at < '2026-12-01'",
            "at >= '2029-05-01' and at < '2026-12-01'",
            "at >= '2024-05-01' and at < '2024-06-01'",
            True,
        ),
        (
            "at >= '2026-11-01' and n < 100",
            "at >= '2029-05-01' and n < 100",
            "at >= '2024-05-01' and n < 1000",
            False,
        ),
        ("(a = 1) or (b = 4711)", "(a = 1) or (b = 815)", "(a = 2) or (b = 777)", False),
        ("y = any (array[1, 2])", "y = any (array[1, 2, 3])", "y = any (array[1, 2, 3, 4])", True),
        ("y = any (array[1, 2])", "y = any (array[1, 2, 3])", "true", False),
        (["a", "b"], ["a", "b", "c"], ["a", "x", "y", "b"], False),
        (["a", "b"], ["a", "c", "d", "b"], ["a", "x", "b"], True),
        (["a", "b"], ["a", "c", "d", "b"], ["nonsense"], False),
    ],
)
def test_only_what_a_third_build_could_have_been_is_excused(
    one: Value, other: Value, live: Value, *, is_excused: bool
) -> None:
    assert is_like(one, other, live) is is_excused


def test_a_frozen_default_that_is_gone_is_drift() -> None:
    actual = make_snapshot(
        a_column("t", "at") if item.key.name == "at" else item for item in FIRST.objects
    )
    assert compare(FIRST, actual, UNSTABLE) == ("altered column public.t.at: default",)


def test_another_attribute_of_the_same_object_is_compared() -> None:
    actual = make_snapshot(
        a_column("t", "at", default="'2025-01-02 03:04:05'::timestamp", nullable=False)
        if item.key.name == "at"
        else item
        for item in FIRST.objects
    )
    assert compare(FIRST, actual, UNSTABLE) == (
        "altered column public.t.at: nullable",
        "note unstable column public.t.at",
    )


def test_what_is_missing_is_the_same_whenever_what_is_expected_is_built() -> None:
    """Else it would be told again, and what was accepted with it, at each start of the agent."""
    column = make_snapshot(item for item in FIRST.objects if item.key.name != "at")
    for actual in (column, make_snapshot(a_partition("2026_10", "id"))):
        one, other = (
            excuse_unstable(diff(built, actual), unstable, side="expected", other=actual).changes
            for built, unstable in (
                (FIRST, UNSTABLE),
                (SECOND, find_unstable(SECOND, FIRST, today=TODAY)),
            )
        )
        assert one
        assert [(c.key, c.attributes, c.inside) for c in one] == [
            (c.key, c.attributes, c.inside) for c in other
        ]
    (change,) = excuse_unstable(
        diff(FIRST, column), UNSTABLE, side="expected", other=actual
    ).changes
    assert [evidence.name for evidence in change.attributes] == ["type"]


def test_what_is_missing_says_which_of_its_values_is_unstable() -> None:
    actual = make_snapshot(item for item in FIRST.objects if item.key.name != "at")
    difference = excuse_unstable(diff(FIRST, actual), UNSTABLE, side="expected", other=actual)
    assert describe(difference) == (
        "missing column public.t.at",
        "note unstable column public.t.at",
    )
    assert "The default of column public.t.at" in difference.notes[0].message


def test_what_changes_inside_of_what_is_missing_still_shows() -> None:
    more = make_snapshot([*FIRST.objects, a_column("t", "more")])
    insides = {
        change.inside
        for first in (FIRST, more)
        for change in excuse_unstable(
            diff(first, make_snapshot([])), UNSTABLE, side="expected", other=make_snapshot([])
        ).changes
        if change.key.name == "t"
    }
    assert len(insides) == 2


def test_a_name_that_differs_between_builds_may_be_another_one() -> None:
    assert compare(FIRST, built("2025_03"), UNSTABLE) == (
        "note unstable index public.t.ix_2026_11",
        "note unstable table public.events_v2_2025_03",
        "note unstable table public.events_v2_2026_11",
    )


def test_there_may_be_several_tables_of_that_name() -> None:
    several = make_snapshot([*FIRST.objects, *a_partition("2026_10", "id")])
    assert compare(FIRST, several, UNSTABLE) == ("note unstable table public.events_v2_2026_10",)


def test_none_at_all_of_that_name_is_drift_whatever_the_kind() -> None:
    none = make_snapshot(item for item in FIRST.objects if "2026_11" not in str(item.key))
    assert compare(FIRST, none, UNSTABLE) == (
        "missing index public.t.ix_2026_11",
        "missing table public.events_v2_2026_11",
    )


@pytest.mark.parametrize("columns", [(), ("secret",), ("id", "more")])
def test_a_table_with_other_columns_is_none_that_another_build_made(
    columns: tuple[str, ...],
) -> None:
    kept = [item for item in FIRST.objects if "events_v2_2026_11" not in str(item.key)]
    actual = make_snapshot([*kept, *a_partition("2026_10", *columns)])
    assert compare(FIRST, actual, UNSTABLE) == (
        "missing table public.events_v2_2026_11",
        "unexpected table public.events_v2_2026_10",
    )


def a_unique(day: str, column: str) -> SchemaObject:
    return an_object(Kind.UNIQUE, f"uq_{day}", parent="t", columns=[column])


def test_another_definition_under_an_unstable_name_is_drift() -> None:
    first, second = (
        make_snapshot([a_unique(day, "email")]) for day in ("2026_11_26", "2028_04_09")
    )
    unstable = find_unstable(first, second, today=TODAY)
    like = make_snapshot([a_unique("2026_10_01", "email")])
    unlike = make_snapshot([a_unique("2026_10_01", "other")])
    assert compare(first, like, unstable) == ("note unstable unique public.t.uq_2026_11_26",)
    assert compare(first, unlike, unstable) == (
        "missing unique public.t.uq_2026_11_26",
        "unexpected unique public.t.uq_2026_10_01",
    )


def dated(name: str, columns: dict[str, dict[str, Value]]) -> list[SchemaObject]:
    """A table with such columns, under each of the names that the month makes."""
    return [
        a_table(name, columns=list(columns)),
        *(a_column(name, column, **attributes) for column, attributes in columns.items()),
    ]


def compare_months(*tables: dict[str, dict[str, Value]]) -> tuple[str, ...]:
    """What is told of the third one, live, where the others came out of two builds."""
    names = ("log_2026_11", "log_2028_04", "log_2024_05")
    one, other, live = (
        make_snapshot(dated(name, columns)) for name, columns in zip(names, tables, strict=True)
    )
    return compare(one, live, find_unstable(one, other, today=date(2020, 1, 1)))


@pytest.mark.parametrize(
    ("built", "live"),
    [
        (
            {"line1": {"type": "integer"}, "line2": {"type": "text"}},
            {"line1": {"type": "date"}, "line2": {"type": "text"}},
        ),
        (
            {"line1": {"type": "integer", "default": "5"}, "line2": {"type": "integer"}},
            {"line1": {"type": "integer", "default": "9"}, "line2": {"type": "integer"}},
        ),
        (
            {"line1": {"type": "text"}, "line2": {"type": "text"}},
            {"line1": {"type": "text"}, "line3": {"type": "text"}},
        ),
    ],
)
def test_columns_that_are_numbered_are_told_apart(
    built: dict[str, dict[str, Value]], live: dict[str, dict[str, Value]]
) -> None:
    assert compare_months(built, built, built) == (
        "note unstable table public.log_2024_05",
        "note unstable table public.log_2026_11",
    )
    assert compare_months(built, built, live) == (
        "missing table public.log_2026_11",
        "unexpected table public.log_2024_05",
    )


@pytest.mark.parametrize("names", ["log_v{}_{}", "{}_{}", "shard{}_of_{}"])
def test_one_of_a_month_stands_for_its_own_kind_alone(names: str) -> None:
    def make(month: str, *numbers: int) -> Snapshot:
        return make_snapshot(a_table(names.format(n, month), columns=[]) for n in numbers)

    unstable = find_unstable(make("2026_11", 1, 2), make("2028_04", 1, 2), today=date(2020, 1, 1))
    told = compare(make("2026_11", 1, 2), make("2024_05", 1), unstable)
    assert [line for line in told if not line.startswith("note")] == [
        f"missing table public.{names.format(2, '2026_11')}"
    ]


def test_a_check_of_a_month_stands_for_one_on_its_own_table_alone() -> None:
    def make(month: str, *tables: str) -> Snapshot:
        return make_snapshot(
            an_object(Kind.CHECK, f"c_{month}", parent=table, expression="(id > 0)")
            for table in tables
        )

    both = ("shard1", "shard2")
    unstable = find_unstable(
        make("2026_11", *both), make("2028_04", *both), today=date(2020, 1, 1)
    )
    told = compare(make("2026_11", *both), make("2024_05", "shard2"), unstable)
    assert [line for line in told if not line.startswith("note")] == [
        "missing check public.shard1.c_2026_11"
    ]


def an_index(name: str, column: str, table: str = "t") -> SchemaObject:
    return an_object(Kind.INDEX, name, parent=table, columns=[column])


@pytest.mark.parametrize(
    ("live", "changes"),
    [
        ([an_index("q", "a"), an_index("r", "b")], []),
        ([an_index("q", "a")], ["missing"]),
        ([an_index("q", "c")], ["missing", "missing", "unexpected"]),
        (
            [an_index("q", "a", "other"), an_index("r", "b", "other")],
            ["missing"] * 2 + ["unexpected"] * 2,
        ),
        ([an_index("q", "a"), an_index("r", "a")], ["missing", "unexpected"]),
    ],
)
def test_of_random_names_each_stands_for_one_with_its_definition(
    live: list[SchemaObject], changes: list[str]
) -> None:
    one = make_snapshot([an_index("x", "a"), an_index("y", "b")])
    other = make_snapshot([an_index("k", "b"), an_index("l", "a")])
    told = compare(one, make_snapshot(live), find_unstable(one, other, today=date(2020, 1, 1)))
    assert sorted(line.split()[0] for line in told if not line.startswith("note")) == changes


def test_a_random_name_on_one_table_stands_for_none_on_another() -> None:
    one = make_snapshot([an_index("x", "a"), an_index("y", "a", "other")])
    second = make_snapshot([an_index("l", "a"), an_index("k", "a", "other")])
    unstable = find_unstable(one, second, today=date(2020, 1, 1))
    told = compare(one, make_snapshot([an_index("q", "a", "other")]), unstable)
    assert [line for line in told if not line.startswith("note")] == ["missing index public.t.x"]


def test_a_respelt_definition_stands_for_one_of_another_month() -> None:
    def make(month: str, text: str) -> Snapshot:
        return make_snapshot([*dated(f"log_{month}", {"at": {"default": text}})])

    one, other = make("2026_11", "now()"), make("2028_04", "now()")
    unstable = find_unstable(one, other, today=date(2020, 1, 1))
    told = compare(one, make("2024_05", "CURRENT_TIMESTAMP"), unstable)
    assert all(line.startswith("note") for line in told)


def test_what_both_builds_have_stands_for_itself_alone() -> None:
    first, second = (
        make_snapshot([a_unique("1", "email"), a_unique(number, "email")])
        for number in ("42", "77")
    )
    unstable = find_unstable(first, second, today=TODAY)
    actual = make_snapshot([a_unique("1", "email")])
    assert compare(first, actual, unstable) == ("missing unique public.t.uq_42",)


def test_a_rename_to_a_name_of_another_shape_is_drift() -> None:
    actual = make_snapshot(
        an_object(Kind.INDEX, "by_hand", parent="t", columns=["a"])
        if item.key.kind is Kind.INDEX
        else item
        for item in FIRST.objects
    )
    assert compare(FIRST, actual, UNSTABLE) == ("altered index public.t.ix_2026_11: name",)


def test_what_only_some_builds_have_need_not_be_there() -> None:
    promo = make_snapshot([*FIRST.objects, a_table("promo", columns=[])])
    unstable = find_unstable(promo, FIRST, today=TODAY)
    assert compare(promo, FIRST, unstable) == ("note unstable table public.promo",)


@pytest.mark.parametrize(
    "name", ["events_v2_2026_x", "events_v3_2026_10", "old_events_v2_2026_10", "events_v2_2026"]
)
def test_a_name_of_another_shape_is_drift(name: str) -> None:
    actual = make_snapshot([*FIRST.objects, a_table(name, columns=[])])
    assert compare(FIRST, actual, UNSTABLE) == (f"unexpected table public.{name}",)


def test_what_has_the_unstable_name_is_compared_all_the_same() -> None:
    actual = make_snapshot(
        a_column("events_v2_2026_11", "id", type="bigint")
        if item.key.parent == "events_v2_2026_11"
        else item
        for item in FIRST.objects
    )
    assert compare(FIRST, actual, UNSTABLE) == (
        "altered column public.events_v2_2026_11.id: type",
    )


def test_an_object_that_both_builds_have_is_missed() -> None:
    both = [a_table("events_v2_2020_01", columns=[])]
    first = make_snapshot([*FIRST.objects, *both])
    second = make_snapshot([*SECOND.objects, *both])
    unstable = find_unstable(first, second, today=TODAY)
    assert compare(first, FIRST, unstable) == ("missing table public.events_v2_2020_01",)


def test_on_the_other_side_missing_and_unexpected_change_places() -> None:
    difference = diff(built("2025_03"), FIRST)
    turned = excuse_unstable(difference, UNSTABLE, side="actual", other=built("2025_03"))
    assert not turned
    whole = make_snapshot([*FIRST.objects, a_table("more", columns=[])])
    told = excuse_unstable(diff(FIRST, whole), UNSTABLE, side="actual", other=FIRST)
    assert describe(told) == ("unexpected table public.more",)


@pytest.mark.parametrize(
    ("default", "is_unstable"),
    [
        ("'2026-11-26'::date", True),
        ("'2026-11-25'::date", True),
        ("'2026-11-26 00:00:00+00'::timestamp with time zone", True),
        ("'2026-11-20'::date", False),
        ("(a + '2026-11-26'::date)", False),
        ("'2026-11-26'::text", False),
    ],
)
def test_a_default_that_is_the_day_of_the_build_is_unstable(
    default: str, *, is_unstable: bool
) -> None:
    snapshot = make_snapshot([a_column("t", "at", type="date", default=default)])
    assert bool(find_unstable(snapshot, snapshot, today=TODAY)) is is_unstable


def test_the_role_of_each_build_is_nothing_that_differs() -> None:
    def with_role(role: str) -> Snapshot:
        privilege = an_object(
            Kind.DEFAULT_PRIVILEGE, f"{role} tables", grants=[[role, "SELECT", False]]
        )
        return make_snapshot([privilege], builder=role)

    first, second = with_role("anchorwatch_1a"), with_role("anchorwatch_2b")
    assert not find_unstable(first, second, today=TODAY)


def test_a_rename_of_an_unstable_name_is_no_drift_and_of_another_one_is() -> None:
    change = next(c for c in diff(FIRST, built("2025_03")).changes if c.key.kind is Kind.INDEX)
    other = msgspec.structs.replace(change, key=a_column("t", "a").key)
    difference = Difference((change, other), ())
    left = excuse_unstable(difference, UNSTABLE, side="expected", other=built("2025_03"))
    assert left.changes == (other,)
    assert isinstance(change, Change)


def test_what_is_in_a_schema_named_after_a_day_is_compared_with_another_days() -> None:
    def build(day: str, *columns: str) -> Snapshot:
        def move(item: SchemaObject) -> SchemaObject:
            key = msgspec.structs.replace(item.key, schema=f"s_{day}")
            return msgspec.structs.replace(item, key=key)

        return make_snapshot(
            [
                an_object(Kind.SCHEMA, f"s_{day}"),
                move(a_table("a", columns=[*columns])),
                *(move(a_column("a", column)) for column in columns),
            ]
        )

    first = build("2026_11_26", "id")
    unstable = find_unstable(first, build("2028_04_09", "id"), today=TODAY)
    assert {line.split()[0] for line in compare(first, build("2026_10_01", "id"), unstable)} == {
        "note"
    }
    told = compare(first, build("2026_10_01", "secret"), unstable)
    assert "missing table s_2026_11_26.a" in told
    assert "unexpected table s_2026_10_01.a" in told


@pytest.mark.parametrize(
    "form", ["2026_11", "202611", "2026-11", "2026m11", "2026_11_26", "20261126"]
)
def test_a_name_that_sql_made_of_the_day_of_the_build_may_be_another_days(form: str) -> None:
    """Both builds have it: nobody moves the clock of a server."""
    old = form.replace("11", "08")
    one, live = make_snapshot(a_partition(form, "id")), make_snapshot(a_partition(old, "id"))
    unstable = find_unstable(one, one, today=TODAY)
    assert compare(one, live, unstable) == (
        f"note unstable table public.events_v2_{old}",
        f"note unstable table public.events_v2_{form}",
    )
    assert compare(one, make_snapshot([]), unstable) != ()
    assert not find_unstable(one, one, today=date(2027, 3, 1))


def test_a_name_of_that_day_is_excused_by_nothing_that_both_builds_have() -> None:
    """The history made one by hand for each month, and the last one is gone."""
    made = [*a_partition("2026_10", "id"), *a_partition("2026_11", "id")]
    one, live = make_snapshot(made), make_snapshot(made[:2])
    unstable = find_unstable(one, one, today=TODAY)
    assert compare(one, live, unstable) == ("missing table public.events_v2_2026_11",)


@pytest.mark.parametrize("name", ["2026112", "x20261126001", "12026_11", "2026"])
def test_a_piece_of_another_number_is_no_day(name: str) -> None:
    one = make_snapshot(a_partition(name, "id"))
    assert not find_unstable(one, one, today=TODAY)
