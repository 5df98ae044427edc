"""Who tells spellings from differences: a server that is new enough, once, and safely."""

import msgspec
import pytest

from monitor.checks import spelling
from monitor.checks.comparison import compare
from monitor.checks.schema import judge
from monitor.checks.spelling import Spellings
from monitor.core.findings import Severity
from monitor.core.keys import Kind
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from monitor.sources import shadows
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from tests.checks.builders import list_changes, list_noted
from tests.conftest import MakeDatabase
from tests.sources.looking import copy, look, name_of, run
from tests.sources.test_catalog_texts import HOSTILE

HOSTILE_TEXTS = """
create schema {n};
create type {n}.{e} as enum ({l}, 'b');
create table {n}.{n} ({n} varchar default {l}, {c} {n}.{e},
  constraint {n} check ({n} in ({l}, 'b')), constraint {c} check ({c} in ({l}, 'b')));
create view {n}.{v} as select {n} from {n}.{n} where {n} in ({l}, 'b');
create index {i} on {n}.{n} ({n}) where {n} in ({l}, 'b');
create function {n}.{n}({n} varchar default {l}) returns boolean language sql
  begin atomic select {n} in ({l}, 'b'); end;
create policy {n} on {n}.{n} using ({n} in ({l}, 'b'));
"""


async def test_hostile_names_and_texts_are_read_as_they_are(
    server: Cluster, make_database: MakeDatabase, spellings: Spellings
) -> None:
    created, restored = await make_database(), await make_database()
    for name in HOSTILE:
        short = name.encode()[:60].decode(errors="ignore")
        names = {letter: quote_ident(letter + short) for letter in "vice"}
        literal = "'" + name.replace("'", "''") + "'"
        await run(created, HOSTILE_TEXTS.format(n=quote_ident(name), l=literal, **names))
    copy(server, name_of(created), name_of(restored))
    difference = await compare(await look(created), await look(restored), spellings=spellings)
    assert list_changes(difference) == []
    assert len(list_noted(difference)) >= 4 * len(HOSTILE)


async def test_a_text_that_is_more_than_one_statement_is_not_run(
    server: Cluster, make_database: MakeDatabase, spellings: Spellings
) -> None:
    expected = await look(await make_database(sql="create table t (a int, check ((a > 1)))"))
    forged = _replace(
        expected, Kind.CHECK, expression="((a > 1)); select pg_sleep(60); select ((1 > a))"
    )
    difference = await compare(expected, forged, spellings=spellings)
    assert list_changes(difference) == ["altered check public.t.t_a_check: expression"]


def _replace(
    snapshot: Snapshot, kind: Kind, *, version: int | None = None, **attributes: str
) -> Snapshot:
    """The snapshot with other attributes on objects of a kind, as of another version."""
    objects = [
        SchemaObject(key=item.key, attributes={**item.attributes, **attributes})
        if item.key.kind is kind
        else item
        for item in snapshot.objects
    ]
    server = snapshot.server
    if server and version:
        server = msgspec.structs.replace(server, version_num=version * 10_000)
    return make_snapshot(objects, dependencies=snapshot.dependencies, server=server)


VIEWED = "create table t (a int, b int); create view v as select a from t where b > 0"
QUALIFIED = " SELECT t.a\n   FROM public.t\n  WHERE (t.b > 0);"
BARE = " SELECT a\n   FROM public.t\n  WHERE (b > 0);"


async def test_a_view_that_another_major_wrote_is_read_again(
    make_database: MakeDatabase, spellings: Spellings
) -> None:
    actual = await look(await make_database(sql=VIEWED))
    old = _replace(actual, Kind.VIEW, version=14, definition=QUALIFIED)
    new = _replace(actual, Kind.VIEW, definition=BARE)
    for one, other in ((old, new), (new, old)):
        difference = await compare(one, other, spellings=spellings)
        assert list_changes(difference) == []
        assert list_noted(difference) == {"view public.v"}


async def test_the_bounds_of_partitions_are_read_again(
    make_database: MakeDatabase, spellings: Spellings
) -> None:
    url = await make_database(
        sql="create table p (a text, b int) partition by list (a);"
        "create table q partition of p for values in ('a', 'b') partition by range (b)"
    )
    actual = await look(url)

    def forge(bound: str) -> Snapshot:
        return make_snapshot(
            SchemaObject(key=item.key, attributes={**item.attributes, "partition_bound": bound})
            if item.key.name == "q"
            else item
            for item in actual.objects
        )

    other_words = forge("FOR VALUES IN ('a'::text, ('b'))")
    assert list_changes(await compare(other_words, actual, spellings=spellings)) == []
    other_order = forge("FOR VALUES IN ('b', 'a')")
    assert list_changes(await compare(other_order, actual, spellings=spellings)) == []
    other_values = forge("FOR VALUES IN ('a', 'c')")
    assert list_changes(await compare(other_values, actual, spellings=spellings)) == [
        "altered table public.q: partition_bound"
    ]


async def test_an_older_server_proves_that_texts_are_equal_and_never_that_they_differ(
    make_database: MakeDatabase, spellings: Spellings
) -> None:
    expected = await look(await make_database(sql=VIEWED))
    one = _replace(expected, Kind.VIEW, definition=QUALIFIED)
    equal = _replace(one, Kind.VIEW, version=99, definition=BARE)
    assert not await compare(one, equal, spellings=spellings)
    other = _replace(
        one, Kind.VIEW, version=99, definition=QUALIFIED.replace("t.b", "(t.b)::bigint")
    )
    difference = await compare(one, other, spellings=spellings)
    [change] = difference.changes
    assert (change.code, change.severity, change.undecided) == ("AW289", Severity.INFO, 99)


IN = "create table t (a varchar, constraint c check (a in ('a', 'b')))"
ANY = "create table t (a varchar, constraint c check (a = any (array['a', 'b'])))"


CAST = (
    "create table t (value text, constraint c check (value::integer > 1))",
    "create table t (value text, constraint c check (value::numeric > 1))",
)


async def test_without_a_server_a_doubt_is_information_that_says_what_to_do(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadows, "installed_majors", tuple)
    expected, actual = [await look(await make_database(sql=sql)) for sql in (IN, ANY)]
    major = expected.server.major if expected.server else 0
    difference = await compare(expected, actual, spellings=Spellings(BuildOptions()))
    [change] = difference.changes
    assert (change.code, change.severity) == ("AW289", Severity.INFO)
    findings, _ = judge(difference, environment="test", database="app")
    assert findings[0].severity is Severity.INFO
    assert f"PostgreSQL {major}" in findings[0].title
    assert f"`anchorwatch doctor --install-postgres {major}`" in findings[0].remedy


async def test_without_a_server_what_differs_for_certain_keeps_its_severity(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadows, "installed_majors", tuple)
    expected = await look(await make_database(sql=IN))
    actual = await look(await make_database(sql=ANY.replace("'b'", "'c'")))
    difference = await compare(expected, actual, spellings=Spellings(BuildOptions()))
    assert [change.severity for change in difference.changes] == [Severity.WARNING]


async def test_a_server_that_cannot_be_reached_hides_nothing(
    make_database: MakeDatabase,
) -> None:
    expected, actual = [await look(await make_database(sql=sql)) for sql in (IN, ANY)]
    options = BuildOptions(shadow_url="postgresql://nobody@127.0.0.1:9/none?sslmode=disable")
    difference = await compare(expected, actual, spellings=Spellings(options))
    assert [change.severity for change in difference.changes] == [Severity.WARNING]
    assert [note.note for note in difference.notes] == ["unproven"]
    assert "127.0.0.1" in difference.notes[0].message


async def test_what_is_proven_once_is_not_tried_again(
    make_database: MakeDatabase, spellings: Spellings, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, actual = [await look(await make_database(sql=sql)) for sql in (IN, ANY)]
    cast, other = [await look(await make_database(sql=sql)) for sql in CAST]
    first = await compare(expected, actual, spellings=spellings)
    differs = await compare(cast, other, spellings=spellings)
    monkeypatch.setattr(spelling, "open_shadows", None)
    assert await compare(expected, actual, spellings=spellings) == first
    assert await compare(cast, other, spellings=spellings) == differs


async def test_equal_schemas_and_certain_drift_ask_no_server(
    make_database: MakeDatabase, spellings: Spellings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spelling, "open_shadows", None)
    expected, other = [await look(await make_database(sql=sql)) for sql in (IN, VIEWED)]
    assert not await compare(expected, expected, spellings=spellings)
    assert await compare(expected, other, spellings=spellings)
