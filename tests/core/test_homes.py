"""What belongs to a table, and what comes from it, is told with it."""

from typing import Any

import pytest

from monitor.core.diff import diff
from monitor.core.difference import Change
from monitor.core.keys import Kind
from monitor.core.snapshot import SchemaObject, make_snapshot
from tests.core.builders import a_column, a_key, a_table, an_object, say


def a_family(*partitions: str, **column: Any) -> list[SchemaObject]:
    """A partitioned table with one column, and its partitions."""
    return [
        a_table("events", columns=["n"], partition_by="RANGE (n)"),
        a_column("events", "n", **column),
        *(a_table(p, columns=["n"], partition_bound=p, inherits=_EVENTS) for p in partitions),
        *(a_column(p, "n", **column) for p in partitions),
    ]


_EVENTS = [["public", "events"]]


def test_a_missing_partitioned_table_speaks_for_its_partitions() -> None:
    family = a_family("events_1", "events_2")
    [change] = diff(make_snapshot(family), make_snapshot([])).changes
    assert (change.key, change.contains) == (a_key(Kind.TABLE, "events"), 5)


def test_a_missing_partition_speaks_for_itself() -> None:
    assert say(a_family("events_1"), a_family()) == ("missing table public.events_1",)


def test_a_column_that_changed_with_its_partitions_is_told_once() -> None:
    one, other = a_family("events_1", "events_2"), a_family("events_1", "events_2", type="bigint")
    [change] = diff(make_snapshot(one), make_snapshot(other)).changes
    assert (str(change.key), change.contains) == ("column public.events.n", 2)


def test_a_column_that_is_missing_in_all_partitions_is_told_once() -> None:
    family = a_family("events_1", "events_2")
    rest = [item for item in family if item.key.kind is not Kind.COLUMN]
    [change] = diff(make_snapshot(family), make_snapshot(rest)).changes
    assert (str(change.key), change.contains) == ("column public.events.n", 2)


def test_a_column_that_changed_otherwise_in_a_partition_is_told_apart() -> None:
    one, other = a_family("events_1"), a_family("events_1", default="1")
    odd = [*other[:-1], a_column("events_1", "n", default="2")]
    assert len(diff(make_snapshot(one), make_snapshot(odd)).changes) == 2


def test_a_column_that_is_inherited_is_told_with_the_one_it_comes_from() -> None:
    def build(type_: str, **heir: Any) -> list[SchemaObject]:
        return [
            a_table("animals", columns=["n"]),
            a_column("animals", "n", type=type_),
            a_table("cats", columns=["n"], inherits=[["public", "animals"]]),
            a_column("cats", "n", type=type_, **heir),
        ]

    heir = {"inherited": True}
    assert len(say(build("integer", **heir), build("bigint", **heir))) == 1
    assert len(say(build("integer"), build("bigint"))) == 2


def say_each(expected: list[SchemaObject], actual: list[SchemaObject]) -> list[tuple[str, int]]:
    changes = diff(make_snapshot(expected), make_snapshot(actual)).changes
    return [(str(change.key), change.contains) for change in changes]


@pytest.mark.parametrize(
    "own", [{"default": "'evil'"}, {"nullable": False}, {"comment": "other"}, {"storage": "main"}]
)
def test_a_column_that_is_new_with_something_of_its_own_in_a_partition_is_told_apart(
    own: dict[str, Any],
) -> None:
    family = a_family("events_1", "events_2")
    odd = [*family[:-1], a_column("events_2", "n", **own)]
    without = [item for item in family if item.key.kind is not Kind.COLUMN]
    told = [("column public.events.n", 1), ("column public.events_2.n", 0)]
    assert say_each(without, odd) == told
    assert say_each(odd, without) == told


def test_what_a_partition_does_not_take_over_from_a_column_is_not_told_of_it() -> None:
    grants = [["anna", "SELECT", False]]
    family = [*a_family("events_1")[:-1], a_column("events_1", "n", inherited=True)]
    family[1] = a_column("events", "n", comment="how many", grants=grants)
    without = [item for item in family if item.key.kind is not Kind.COLUMN]
    assert say_each(without, family) == [("column public.events.n", 1)]


def test_what_was_said_of_a_column_stays_said_when_a_partition_comes() -> None:
    def find(*partitions: str) -> Change:
        family = a_family(*partitions)
        without = [item for item in family if item.key.kind is not Kind.COLUMN]
        [change] = diff(make_snapshot(without), make_snapshot(family)).changes
        return change

    assert find("events_1").inside == find("events_1", "events_2").inside


def test_what_was_said_of_a_partitioned_table_stays_said_when_a_partition_comes() -> None:
    index = an_object(Kind.INDEX, "i", parent="events", columns=["n"])
    one = find_only([*a_family("events_1"), index])
    assert one.inside == find_only([*a_family("events_1", "events_2"), index]).inside
    assert one.inside != find_only(a_family("events_1")).inside


def find_only(unexpected: list[SchemaObject]) -> Change:
    [change] = diff(make_snapshot([]), make_snapshot(unexpected)).changes
    return change
