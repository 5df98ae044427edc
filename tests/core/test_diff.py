"""The laws of the comparison, and what it says in the corners."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.diff import Difference, diff, find_flaws
from monitor.core.findings import Severity
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from tests.cases.reader import describe, turn_around
from tests.core.builders import a_column, a_key, a_table, an_object, snapshots


def say(expected: list[SchemaObject], actual: list[SchemaObject]) -> tuple[str, ...]:
    """What differs, as case files write it; the other direction is checked with it."""
    one, other = make_snapshot(expected), make_snapshot(actual)
    difference = diff(one, other)
    assert describe(diff(other, one)) == turn_around(difference)
    return describe(difference)


# ---------------------------------------------------------------- laws


@given(snapshots)
def test_nothing_differs_from_itself(snapshot: Snapshot) -> None:
    assert diff(snapshot, snapshot) == Difference(changes=(), notes=())


@given(snapshots, snapshots)
def test_both_directions_name_the_same_objects(one: Snapshot, other: Snapshot) -> None:
    forth = diff(one, other)
    assert describe(diff(other, one)) == turn_around(forth)


@given(snapshots, snapshots, st.randoms())
def test_the_order_of_objects_means_nothing(
    one: Snapshot, other: Snapshot, chance: random.Random
) -> None:
    mixed = list(other.objects)
    chance.shuffle(mixed)
    again = make_snapshot(mixed, others=other.others)
    assert diff(one, again) == diff(one, other)


@given(snapshots, snapshots)
def test_nothing_differs_only_where_the_objects_are_the_same(
    one: Snapshot, other: Snapshot
) -> None:
    assert bool(diff(one, other)) == (_without_order(one) != _without_order(other))


def _without_order(snapshot: Snapshot) -> list[tuple[ObjectKey, dict[str, Any]]]:
    return [
        (item.key, {name: v for name, v in item.attributes.items() if name != "column_order"})
        for item in snapshot.objects
    ]


@given(snapshots, snapshots)
def test_every_difference_is_told_or_counted_once(one: Snapshot, other: Snapshot) -> None:
    changes = diff(one, other).changes
    told = [change for change in changes if change.change == "missing"]
    renamed = [c for c in changes if c.attributes and c.attributes[0].name == "name"]
    missing = one.by_key.keys() - other.by_key.keys()
    assert len(missing) == len(told) + sum(c.contains for c in told) + len(renamed)
    assert {change.key for change in told} <= missing


@given(snapshots, snapshots)
def test_changes_are_sorted_and_have_a_rule(one: Snapshot, other: Snapshot) -> None:
    changes = diff(one, other).changes
    assert list(changes) == sorted(changes, key=lambda c: (c.key.order, c.change))
    assert all(change.code.startswith("AW2") for change in changes)


# ---------------------------------------------------------------- wholes and parts


def test_a_missing_table_speaks_for_its_parts() -> None:
    parts = [
        a_column("t", "id"),
        an_object(Kind.PRIMARY_KEY, "t_pkey", parent="t", columns=["id"]),
        an_object(Kind.SEQUENCE, "t_id_seq", owned_by=["public", "t", "id"]),
        an_object(Kind.STATISTICS, "st", parent="t", columns=["id"]),
    ]
    [change] = diff(
        make_snapshot([a_table("t", columns=["id"]), *parts]), make_snapshot([])
    ).changes
    assert (change.change, change.key) == ("missing", a_key(Kind.TABLE, "t"))
    assert change.contains == len(parts)
    assert change.severity is Severity.CRITICAL


def test_whatever_changes_inside_of_an_object_without_a_word_changes_its_digest() -> None:
    """The evidence is the table's alone; what was accepted must speak again all the same."""
    table = a_table("t", columns=["id"])
    column = a_column("t", "id")
    index = an_object(Kind.INDEX, "i", parent="t", columns=["id"])
    unique = an_object(Kind.INDEX, "i", parent="t", columns=["id"], unique=True)
    insides = [
        diff(make_snapshot([]), make_snapshot([table, *parts])).changes[0].inside
        for parts in ([], [column], [column, index], [column, unique])
    ]
    assert len(set(insides)) == len(insides)
    again = diff(make_snapshot([]), make_snapshot([index, column, table])).changes[0].inside
    assert again == insides[2]


def test_a_missing_column_speaks_for_its_sequence() -> None:
    table = a_table("t", columns=["id"])
    sequence = an_object(Kind.SEQUENCE, "s", owned_by=["public", "t", "id"])
    assert say([table, a_column("t", "id"), sequence], [table]) == ("missing column public.t.id",)


def test_a_missing_part_of_a_table_that_is_there_speaks_for_itself() -> None:
    table = a_table("t", columns=["id"])
    assert say([table, a_column("t", "id")], [table]) == ("missing column public.t.id",)


def test_something_of_the_same_name_does_not_speak_for_parts() -> None:
    server, mapping = (
        an_object(Kind.FOREIGN_SERVER, "s"),
        an_object(Kind.USER_MAPPING, "PUBLIC", parent="s"),
    )
    extension = an_object(Kind.EXTENSION, "s", version="1")
    assert say([server, mapping, extension], [server]) == (
        "missing extension s",
        "missing user_mapping s.PUBLIC",
    )


def test_statistics_in_another_schema_belong_to_their_table() -> None:
    key = a_key(Kind.STATISTICS, "st", schema="other", parent="t")
    statistics = SchemaObject(key=key, attributes={"table_schema": "public", "columns": ["id"]})
    assert say([a_table("t", columns=["id"]), statistics], []) == ("missing table public.t",)


def test_a_sequence_of_nothing_speaks_for_itself() -> None:
    assert say([an_object(Kind.SEQUENCE, "s")], []) == ("missing sequence public.s",)


# ---------------------------------------------------------------- renames


@pytest.mark.parametrize(
    "kind",
    [
        Kind.INDEX,
        Kind.PRIMARY_KEY,
        Kind.UNIQUE,
        Kind.FOREIGN_KEY,
        Kind.CHECK,
        Kind.EXCLUSION,
        Kind.TRIGGER,
        Kind.POLICY,
        Kind.STATISTICS,
    ],
)
def test_a_rename_is_one_change(kind: Kind) -> None:
    table = a_table("t", columns=["id"])
    old, new = an_object(kind, "old", parent="t"), an_object(kind, "new", parent="t")
    difference = diff(make_snapshot([table, old]), make_snapshot([table, new]))
    assert describe(difference) == (f"altered {kind.value} public.t.old: name",)
    [evidence] = difference.changes[0].attributes
    assert (evidence.name, evidence.expected, evidence.actual) == ("name", "old", "new")


@pytest.mark.parametrize("kind", [Kind.TABLE, Kind.COLUMN, Kind.VIEW, Kind.RULE, Kind.FUNCTION])
def test_what_is_known_by_its_name_is_not_renamed(kind: Kind) -> None:
    parent = "t" if kind in (Kind.COLUMN, Kind.RULE) else None
    old, new = an_object(kind, "old", parent=parent), an_object(kind, "new", parent=parent)
    assert {line.split()[0] for line in say([old], [new])} == {"missing", "unexpected"}


def test_a_rename_is_one_to_one() -> None:
    one, two, three = (an_object(Kind.INDEX, name, parent="t") for name in ("a", "b", "c"))
    assert say([one], [two, three]) == (
        "missing index public.t.a",
        "unexpected index public.t.b",
        "unexpected index public.t.c",
    )


def test_a_rename_stays_on_its_table() -> None:
    old, new = (an_object(Kind.INDEX, "i", parent=table) for table in ("t", "u"))
    assert say([old], [new]) == ("missing index public.t.i", "unexpected index public.u.i")


def test_a_rename_is_not_told_again_by_what_mentions_it() -> None:
    def build(index: str, sequence: str) -> list[SchemaObject]:
        return [
            a_table("t", columns=["id"], cluster_index=index, replica_identity=["index", index]),
            an_object(Kind.INDEX, index, parent="t", columns=["id"]),
            an_object(Kind.SEQUENCE, sequence, owned_by=["public", "t", "id"]),
            a_column("t", "id", default=f"nextval('public.{sequence}'::regclass)"),
        ]

    assert say(build("i", "s"), build("j", "z")) == (
        "altered index public.t.i: name",
        "altered sequence public.s: name",
    )


def test_a_default_that_draws_from_another_sequence_is_told() -> None:
    sequences = [an_object(Kind.SEQUENCE, name, start=n) for n, name in enumerate("ab")]
    columns = [a_column("t", "id", default=f"nextval('public.{name}'::regclass)") for name in "ab"]
    assert say([*sequences, columns[0]], [*sequences, columns[1]]) == (
        "altered column public.t.id: default",
    )


# ---------------------------------------------------------------- notes and declarations


def test_another_order_of_columns_is_a_note() -> None:
    one, other = a_table("t", columns=["a", "b"]), a_table("t", columns=["b", "a"])
    assert say([one], [other]) == ("note column_order table public.t",)


def test_a_table_without_columns_has_no_order() -> None:
    bare = make_snapshot([an_object(Kind.TABLE, "t")])
    assert bare == make_snapshot([a_table("t", columns=[])])
    assert diff(bare, make_snapshot([a_table("t", columns=["a"])])) == Difference((), ())


def test_other_columns_are_no_matter_of_order() -> None:
    one, other = a_table("t", columns=["a", "b"]), a_table("t", columns=["b", "c"])
    assert say([one], [other]) == ()


def test_what_is_not_modelled_is_a_note() -> None:
    one, other = make_snapshot([], others={"collation": 1}), make_snapshot([])
    difference = diff(one, other)
    assert not difference
    [note] = difference.notes
    assert note.key is None
    assert "1 expected, 0 found" in note.message


@pytest.mark.parametrize(
    ("attribute", "value", "notes"),
    [("owner", "alice", 0), ("grants", [["alice", "SELECT", False]], 1)],
)
def test_what_a_shadow_does_not_declare_is_no_change(
    attribute: str, value: object, notes: int
) -> None:
    declared = a_table("t", columns=[], **{attribute: value})
    built = make_snapshot([a_table("t", columns=[])], builder="builder")
    live = make_snapshot([declared])
    assert [note.note for note in diff(built, live).notes] == ["undeclared"] * notes
    assert not diff(built, live)
    assert not diff(live, built)
    assert diff(make_snapshot([a_table("t", columns=[])]), live)


def test_what_a_shadow_declares_is_compared() -> None:
    built = make_snapshot([a_table("t", columns=[], owner="alice")], builder="builder")
    live = make_snapshot([a_table("t", columns=[], owner="bob")])
    assert describe(diff(built, live)) == ("altered table public.t: owner",)


def test_evidence_tells_defaults_that_are_not_stored() -> None:
    one, other = a_column("t", "a"), a_column("t", "a", nullable=False)
    [change] = diff(make_snapshot([one]), make_snapshot([other])).changes
    [evidence] = change.attributes
    assert (evidence.expected, evidence.actual) == (True, False)


# ---------------------------------------------------------------- flaws


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (an_object(Kind.CHECK, "c", parent="t", valid=False), "AW281"),
        (an_object(Kind.FOREIGN_KEY, "f", parent="t", valid=False), "AW281"),
        (a_column("t", "a", nullable=False, not_null_valid=False), "AW281"),
        (an_object(Kind.INDEX, "i", parent="t", valid=False), "AW282"),
        (an_object(Kind.PRIMARY_KEY, "p", parent="t", valid=False), "AW282"),
        (an_object(Kind.EXCLUSION, "e", parent="t", valid=False), "AW282"),
        (an_object(Kind.TRIGGER, "g", parent="t", enabled="disabled"), "AW283"),
        (an_object(Kind.EVENT_TRIGGER, "g", enabled="disabled"), "AW283"),
        (a_table("t", columns=[], internal_triggers=[["of_user", "disabled"]]), "AW283"),
        (an_object(Kind.CHECK, "c", parent="t", valid=False, enforced=False), "AW284"),
    ],
    ids=str,
)
def test_a_flaw_needs_no_expectation(item: SchemaObject, code: str) -> None:
    [flaw] = find_flaws(make_snapshot([item]))
    assert (flaw.key, flaw.code, flaw.severity) == (item.key, code, Severity.WARNING)


@pytest.mark.parametrize(
    "item",
    [
        an_object(Kind.TRIGGER, "g", parent="t", enabled="always"),
        a_table("t", columns=[], internal_triggers=[["of_user", "always"]]),
        a_table("t", columns=["a"], owner="app"),
    ],
    ids=str,
)
def test_what_somebody_may_have_wanted_is_no_flaw(item: SchemaObject) -> None:
    assert find_flaws(make_snapshot([item])) == ()
