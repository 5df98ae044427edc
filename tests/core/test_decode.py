"""From rows to a snapshot: what is resolved, what is left out, and what is refused."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from monitor.core.decode import VersionTablePlace, decode, find_version_tables
from monitor.core.errors import Interrupted
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.snapshot import Snapshot
from tests.core.builders import a_key

type Cells = tuple[str | None, ...]

SERVER: Cells = (
    "server", None, None, None, None, None, None, None,
    '{"version_num": 180001, "database": "app", "owner": "app", "in_recovery": false}',
)  # fmt: skip  # one cell a line would be a page
T, U = "16400", "16500"
"""Object numbers of the tables t and u."""


def a_row(  # noqa: PLR0913  # the nine texts of a row
    record: str,
    body: Any,
    *,
    oid: str,
    name: str | None = None,
    sub: str = "0",
    relation: str | None = None,
    parent: str | None = None,
    catalog: str = "pg_class",
) -> Cells:
    return (record, catalog, oid, sub, relation, "public", parent, name, json.dumps(body))


def a_table(oid: str, name: str, owner: str = "app") -> Cells:
    body = {"relkind": "r", "row_type": f"9{oid}", "owner": owner, "more": None}
    return a_row("relation", body, oid=oid, name=name, relation=oid)


def the_columns(
    oid: str,
    table: str,
    names: Mapping[int, str],
    *,
    relkind: str = "r",
    more: Mapping[int, Any] | None = None,
) -> Cells:
    body = {
        "relkind": relkind,
        "is_partition": False,
        "numbers": list(names),
        "names": list(names.values()),
        "not_null": [False for _ in names],
        "types": ["integer" for _ in names],
        "more": [(more or {}).get(number) for number in names],
    }
    return a_row("columns", body, oid=oid, relation=oid, parent=table)


INDEX_FIELDS = {
    "oid": "16401", "name": "i", "method": "btree", "keys": "1", "key_count": 1,
    "opclasses": "1978", "collations": "0", "order": "0", "unique": False, "valid": True,
    "clustered": False, "replica_identity": False, "nulls_not_distinct": False,
    "partial": False, "version": "700", "options": None, "tablespace": None,
}  # fmt: skip  # one a line would be a page


def the_index(**fields: Any) -> Cells:
    """The indexes of t: one."""
    body = [list((INDEX_FIELDS | fields).values())]
    return a_row("indexes", body, oid=T, relation=T, parent="t")


CONSTRAINT_FIELDS = {
    "oid": "16402", "name": "c", "type": "c", "columns": None, "valid": True,
    "deferrable": False, "initially_deferred": False, "no_inherit": False, "index": "0",
    "references": "0", "referenced_columns": None, "match": " ", "on_update": " ",
    "on_delete": " ", "on_delete_columns": None, "enforced": True, "period": False,
    "version": "700",
}  # fmt: skip  # as above


def the_constraints(*constraints: Mapping[str, Any]) -> Cells:
    """The constraints of t."""
    body = [list({**CONSTRAINT_FIELDS, **fields}.values()) for fields in constraints]
    return a_row("constraints", body, oid=T, relation=T, parent="t")


def a_sequence(oid: str, name: str, *, bond: str | None, table: str | None) -> Cells:
    body = ["app", "p", "bigint", 1, 1, 1, 9, 1, False, bond, table, "1"]
    return a_row("sequence", body, oid=oid, name=name)


def an_edge(oid: str, needed: str) -> Cells:
    return ("dependency", "pg_class", oid, "0", None, None, None, None, needed)


TABLE = (a_table(T, "t"), the_columns(T, "t", {1: "id", 3: "name"}))


def the_texts(catalog: str, *texts: Sequence[Value]) -> Cells:
    return (catalog, json.dumps(texts))


def read(*rows: Cells, texts: Iterable[Cells] = (), builder: str | None = None) -> Snapshot:
    return decode([SERVER, *rows], texts, builder=builder)


def get(snapshot: Snapshot, key: ObjectKey, attribute: str) -> Value:
    return snapshot.by_key[key].get(attribute)


INDEX = a_key(Kind.INDEX, "i", parent="t")


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("rows", [[], [SERVER, SERVER]])
def test_an_answer_without_its_server_was_cut_off(rows: list[Cells]) -> None:
    with pytest.raises(Interrupted, match="Look again"):
        decode(rows)


@pytest.mark.parametrize(
    "row",
    [
        the_index(keys="2"),
        the_index(keys="0 2", key_count=2),
        the_constraints({"type": "p", "columns": "{1,2}", "index": "16401"}),
        a_row(
            "statistics",
            {"columns": "1 2", "kinds": ["d"]},
            oid="16403",
            name="st",
            relation=T,
            parent="t",
            catalog="pg_statistic_ext",
        ),
    ],
)
def test_a_column_that_went_away_meanwhile_is_an_interruption(row: Cells) -> None:
    with pytest.raises(Interrupted, match="changed while it was read"):
        read(*TABLE, row)


# ---------------------------------------------------------------- what is resolved


def test_columns_stand_in_their_physical_order() -> None:
    columns = the_columns(T, "t", {10: "last", 3: "name", 1: "id"})
    snapshot = read(a_table(T, "t"), columns)
    assert get(snapshot, a_key(Kind.TABLE, "t"), "column_order") == ["id", "name", "last"]


def test_an_expression_leaves_a_gap_between_the_columns_of_an_index() -> None:
    index = the_index(keys="0 3 1", key_count=2)
    snapshot = read(*TABLE, index, texts=[the_texts("pg_index", ["16401", "1", "lower(name)"])])
    assert get(snapshot, INDEX, "columns") == [None, "name"]
    assert get(snapshot, INDEX, "expressions") == ["lower(name)"]
    assert get(snapshot, INDEX, "include") == ["id"]


@pytest.mark.parametrize(
    ("option", "word"),
    [("0", None), ("3", ["DESC"]), ("2", ["NULLS FIRST"]), ("1", ["DESC NULLS LAST"])],
)
def test_an_index_tells_its_order_where_it_is_not_the_default(option: str, word: Value) -> None:
    assert get(read(*TABLE, the_index(order=option)), INDEX, "order") == word


@pytest.mark.parametrize(
    ("of_column", "of_index", "told"),
    [
        (None, "100", None),
        (None, "950", ['pg_catalog."C"']),
        ('pg_catalog."C"', "950", None),
        ('pg_catalog."C"', "100", ['pg_catalog."default"']),
        ('pg_catalog."default"', "100", None),
        ('pg_catalog."C"', "0", None),
    ],
)
def test_an_index_tells_a_collation_that_is_not_its_columns(
    of_column: str | None, of_index: str, told: Value
) -> None:
    more = {1: {"collation": of_column}} if of_column else None
    snapshot = read(
        a_table(T, "t"),
        the_columns(T, "t", {1: "name"}, more=more),
        the_index(collations=of_index),
        a_row("collation", 'pg_catalog."default"', oid="100", catalog="pg_collation"),
        a_row("collation", 'pg_catalog."C"', oid="950", catalog="pg_collation"),
    )
    assert get(snapshot, INDEX, "collations") == told


def test_columns_of_an_index_are_told_by_their_numbers_whatever_their_order() -> None:
    columns = [
        a_row(
            "index_column", {"statistics": n * 9, "options": [f"o={n}"]}, oid="16401", sub=str(n)
        )
        for n in (2, 10, 1)
    ]
    snapshot = read(*TABLE, the_index(), *columns)
    assert get(snapshot, INDEX, "statistics") == [[1, 9], [2, 18], [10, 90]]
    assert get(snapshot, INDEX, "opclass_options") == [[1, ["o=1"]], [2, ["o=2"]], [10, ["o=10"]]]


def test_a_key_and_its_index_are_one_object_with_two_comments() -> None:
    key = a_key(Kind.PRIMARY_KEY, "t_pkey", parent="t")
    comments = (
        a_row("comment", "of the key", oid="16402", catalog="pg_constraint"),
        a_row("comment", "of the index", oid="16401"),
    )
    rows = (
        *TABLE,
        the_index(options=["fillfactor=50"], valid=False),
        the_constraints({"name": "t_pkey", "type": "p", "columns": "{1}", "index": "16401"}),
    )
    for ordered in (comments, comments[::-1]):
        snapshot = read(*rows, *ordered)
        assert snapshot.count(Kind.INDEX) == 0
        assert snapshot.by_key[key].attributes == {
            "columns": ["id"],
            "options": ["fillfactor=50"],
            "valid": False,
            "comment": "of the key",
            "index_comment": "of the index",
        }


def test_privileges_are_sorted() -> None:
    grants = {"grants": [["b", "SELECT", False], ["a", "SELECT", True], ["a", "INSERT", False]]}
    snapshot = read(*TABLE, a_row("grant", grants, oid=T))
    assert get(snapshot, a_key(Kind.TABLE, "t"), "grants") == sorted(grants["grants"])


def test_an_identity_is_told_with_its_column() -> None:
    not_null = {"column": 1, "valid": False, "no_inherit": True}
    snapshot = read(
        *TABLE,
        a_sequence("16600", "t_id_seq", bond="i", table=T),
        a_row("not_null", not_null, oid="16601", relation=T, catalog="pg_constraint"),
    )
    assert snapshot.count(Kind.SEQUENCE) == 0
    column = a_key(Kind.COLUMN, "id", parent="t")
    assert get(snapshot, column, "identity_options") == ["bigint", 1, 1, 1, 9, 1, False]
    assert get(snapshot, column, "not_null_valid") is False
    assert get(snapshot, column, "not_null_no_inherit") is True


def test_a_dependency_is_on_the_column_or_else_on_the_whole() -> None:
    view = a_row("view", {"row_type": "916700", "definition": "..."}, oid="16700", name="v")
    needed = [f"pg_class {T} 1", f"pg_class {T} 9", f"pg_type 9{T} 0", "pg_proc 1 0"]
    edges = [an_edge("16700", body) for body in needed]
    itself = an_edge(T, f"pg_class {T} 0")
    found = {str(edge.needed) for edge in read(*TABLE, view, *edges, itself).dependencies}
    assert found == {"column public.t.id", "table public.t"}


def test_version_tables_are_found_with_their_place() -> None:
    rows = [
        a_version_table({"width": 32, "readable": True}, oid=T, name="t"),
        a_version_table({"width": None, "readable": False}, oid=U, name="a"),
    ]
    assert find_version_tables(rows) == [
        VersionTablePlace("public", "a", None, False),
        VersionTablePlace("public", "t", 32, True),
    ]


def a_version_table(body: Mapping[str, object], *, oid: str, name: str) -> Cells:
    return a_row("version_table", {"alembics": True, **body}, oid=oid, name=name)


def test_what_only_looks_like_a_version_table_counts_where_there_is_no_other() -> None:
    own = a_version_table({"width": 32, "readable": True}, oid=T, name="t")
    other = a_version_table({"alembics": False, "width": 9, "readable": True}, oid=U, name="u")
    assert [place.name for place in find_version_tables([own, other])] == ["t"]
    assert [place.name for place in find_version_tables([other])] == ["u"]


# ---------------------------------------------------------------- what is left out


def test_what_a_builder_owns_has_no_owner() -> None:
    rows = (*TABLE, a_table(U, "u", owner="other"))
    assert get(read(*rows, builder="app"), a_key(Kind.TABLE, "t"), "owner") is None
    assert get(read(*rows, builder="app"), a_key(Kind.TABLE, "u"), "owner") == "other"
    assert get(read(*rows), a_key(Kind.TABLE, "t"), "owner") == "app"


@pytest.mark.parametrize("record", ["member", "version_table"])
def test_what_hangs_on_something_left_out_is_left_out(record: str) -> None:
    snapshot = read(
        *TABLE,
        the_index(),
        the_constraints(
            {"name": "t_pkey", "type": "p", "columns": "{1}", "index": "16401"},
            {"oid": "16404"},
        ),
        a_sequence("16600", "t_id_seq", bond="a", table=T),
        a_row("defaults", [[1, "16605", "700"]], oid=T, relation=T),
        a_row("comment", "words", oid=T),
        a_row("comment", "words", oid=T, sub="1"),
        a_row("grant", {"grants": [["a", "SELECT", False]]}, oid=T),
        a_row(record, {"alembics": True}, oid=T, name="t"),
    )
    assert snapshot.objects == ()


def test_the_fields_of_a_type_of_an_extension_are_left_out() -> None:
    composite = a_row(
        "composite", {"fields": []}, oid="16800", name="pair", relation="16801", catalog="pg_type"
    )
    field = the_columns("16801", "pair", {1: "a"}, relkind="c")
    comment = a_row("comment", "first", oid="16801", sub="1")
    member = a_row("member", None, oid="16800", catalog="pg_type")
    assert read(composite, field, comment).count(Kind.COLUMN) == 1
    assert read(composite, field, comment, member).objects == ()


def test_a_column_of_a_view_is_told_only_when_something_was_added() -> None:
    view = a_row("view", {"row_type": "916700", "definition": "..."}, oid="16700", name="v")
    columns = the_columns("16700", "v", {1: "a", 2: "b"}, relkind="v")
    comment = a_row("comment", "second", oid="16700", sub="2")
    assert [item.key for item in read(view, columns, comment).objects] == [
        a_key(Kind.COLUMN, "b", parent="v"),
        a_key(Kind.VIEW, "v"),
    ]


def test_a_comment_on_the_type_of_a_row_is_nobodys() -> None:
    comment = a_row("comment", "words", oid=f"9{T}", catalog="pg_type")
    grant = a_row("grant", {"grants": [["a", "USAGE", False]]}, oid=f"9{T}", catalog="pg_type")
    table = read(*TABLE, comment, grant).by_key[a_key(Kind.TABLE, "t")]
    assert table.attributes.keys() == {"owner", "column_order"}
