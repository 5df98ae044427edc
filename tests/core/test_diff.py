"""The laws of the comparison, and what it says in the corners."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.diff import diff, find_flaws
from monitor.core.difference import Difference
from monitor.core.findings import Severity
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from tests.cases.reader import describe, turn_around
from tests.core.builders import a_column, a_key, a_table, an_object, say, snapshots

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
    renamed = {c.key for c in changes if c.attributes and c.attributes[0].name == "name"}
    missing = one.by_key.keys() - other.by_key.keys()
    assert len(missing) == len(told) + sum(c.contains for c in told) + len(renamed & missing)
    assert {change.key for change in told} <= missing - renamed


@given(snapshots, snapshots)
def test_changes_are_sorted_and_have_a_rule(one: Snapshot, other: Snapshot) -> None:
    changes = diff(one, other).changes
    assert list(changes) == sorted(changes, key=lambda c: (c.key.order, c.change, c.code))
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


# ---------------------------------------------------------------- notes


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


def test_evidence_tells_defaults_that_are_not_stored() -> None:
    one, other = a_column("t", "a"), a_column("t", "a", nullable=False)
    [change] = diff(make_snapshot([one]), make_snapshot([other])).changes
    [evidence] = change.attributes
    assert (evidence.expected, evidence.actual) == (True, False)


@pytest.mark.parametrize(
    ("name", "valid", "code", "severity"),
    [
        ("t_n_ccnew", False, "AW282", "info"),
        ("t_n_ccold12", False, "AW282", "info"),
        ("t_n_ccnew", True, "AW226", "warning"),
        ("t_n_ccnewer", False, "AW282", "warning"),
    ],
)
def test_an_index_that_nothing_expects_and_nobody_can_use_is_invalid(
    name: str, *, valid: bool, code: str, severity: str
) -> None:
    index = an_object(Kind.INDEX, name, parent="t", columns=["n"], valid=valid)
    table = a_table("t", columns=["n"])
    [change] = diff(make_snapshot([table]), make_snapshot([table, index])).changes
    assert (change.change, change.code, change.severity.value) == ("unexpected", code, severity)


def test_another_version_of_an_extension_is_information() -> None:
    one, other = (an_object(Kind.EXTENSION, "hstore", version=v, schema="s") for v in "12")
    [change] = diff(make_snapshot([one]), make_snapshot([other])).changes
    assert (change.code, change.severity) == ("AW288", Severity.INFO)


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
