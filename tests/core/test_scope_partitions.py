"""Which partitions may come and go."""

from typing import Any

import pytest

from monitor.core.keys import Kind
from monitor.core.scope import Scope, compare
from monitor.core.scope_partitions import Children
from monitor.core.snapshot import SchemaObject, make_snapshot
from tests.cases.reader import describe
from tests.core.builders import a_column, a_table, an_object


def a_parent(name: str = "events", **attributes: Any) -> list[SchemaObject]:
    """A partitioned table with one column."""
    table = a_table(name, columns=["n"], partition_by="RANGE (n)", **attributes)
    return [table, a_column(name, "n")]


def a_partition(
    name: str, *, of: str = "events", bound: str | None = "FOR VALUES IN (1)", **attributes: Any
) -> list[SchemaObject]:
    """A partition with its column, and an index of its own."""
    return [
        a_table(
            name, columns=["n"], partition_bound=bound, inherits=[["public", of]], **attributes
        ),
        a_column(name, "n"),
        an_object(Kind.INDEX, f"{name}_own", parent=name, columns=["n"]),
    ]


def a_detached(name: str, type_: str = "integer") -> list[SchemaObject]:
    """A table by itself that may have been a partition."""
    return [a_table(name, columns=["n"]), a_column(name, "n", type=type_)]


def tell(
    expected: list[SchemaObject],
    actual: list[SchemaObject],
    policy: Children = Children.IGNORE_EXTRA,
    **scope: Any,
) -> tuple[str, ...]:
    within = Scope(partitions=policy, **scope)
    return describe(compare(make_snapshot(expected), make_snapshot(actual), within))


_NOTE = "note partition table public.events"


def test_extra_partitions_are_allowed_and_counted() -> None:
    expected = a_parent() + a_partition("events_1")
    actual = expected + a_partition("events_2") + a_partition("events_3")
    assert tell(expected, actual) == (_NOTE,)
    [note] = compare(make_snapshot(expected), make_snapshot(actual), Scope()).notes
    assert note.message == (
        "2 partitions of table public.events that nothing expects are not compared."
    )


def test_a_missing_partition_is_told_and_so_is_what_differs_in_one() -> None:
    expected = a_parent() + a_partition("events_1") + a_partition("events_2")
    actual = a_parent() + a_partition("events_2", bound="FOR VALUES IN (2)")
    assert tell(expected, actual) == (
        "altered table public.events_2: partition_bound",
        "missing table public.events_1",
    )


def test_strict_tells_every_partition() -> None:
    told = tell(a_parent(), a_parent() + a_partition("events_1"), Children.STRICT)
    assert told == ("unexpected table public.events_1",)


def test_an_extra_default_partition_changes_which_rows_are_taken() -> None:
    actual = a_parent() + a_partition("events_rest", bound="DEFAULT")
    assert tell(a_parent(), actual) == ("unexpected table public.events_rest",)
    assert tell(a_parent(), actual, Children.IGNORE) == (_NOTE,)
    partman = an_object(Kind.EXTENSION, "pg_partman", schema="partman")
    assert tell([*a_parent(), partman], [*actual, partman]) == (_NOTE,)


def test_partitions_of_a_table_that_nobody_expects_go_along_with_it() -> None:
    assert tell([], a_parent() + a_partition("events_1")) == ("unexpected table public.events",)


def test_ignored_partitions_come_and_go() -> None:
    one, other = a_partition("events_1"), a_partition("events_2", bound="FOR VALUES IN (2)")
    changed = a_partition("events_1", persistence="unlogged")
    for expected, actual in ((one, other), (one, []), ([], other), (one, changed)):
        told = tell(a_parent() + expected, a_parent() + actual, Children.IGNORE)
        assert told == (_NOTE,)


def test_a_detached_partition_is_ignored_with_the_others() -> None:
    expected = a_parent() + a_partition("events_1")
    assert tell(expected, a_parent() + a_detached("events_1"), Children.IGNORE) == (_NOTE,)
    assert tell(expected, a_parent() + a_detached("events_1")) == (
        "altered table public.events_1: inherits, partition_bound",
        "missing index public.events_1.events_1_own",
    )


@pytest.mark.parametrize(
    ("table", "is_told"),
    [
        (a_detached("events_2024"), False),
        (a_detached("events_2024", "bigint"), True),
        (a_detached("old_events"), True),
    ],
    ids=["as it was", "other columns", "another name"],
)
def test_a_table_that_looks_like_a_detached_partition_is_ignored_as_one(
    table: list[SchemaObject], *, is_told: bool
) -> None:
    told = tell(a_parent(), a_parent() + table, Children.IGNORE)
    assert told == ((f"unexpected table public.{table[0].key.name}",) if is_told else (_NOTE,))
    assert tell(a_parent(), a_parent() + table) == (
        f"unexpected table public.{table[0].key.name}",
    )


@pytest.mark.parametrize("policy", Children)
def test_a_partition_that_is_being_detached_is_always_told(policy: Children) -> None:
    one = a_partition("events_1")
    pending = a_partition("events_1", detach_pending=True)
    told = tell(a_parent() + one, a_parent() + pending, policy)
    assert told[0] == "altered table public.events_1: detach_pending"
    assert told[1:] == ((_NOTE,) if policy is Children.IGNORE else ())
    told = tell(a_parent(), a_parent() + pending, policy)
    if policy is Children.STRICT:
        assert told == ("unexpected table public.events_1",)
    else:
        assert told == ("altered table public.events_1: detach_pending", _NOTE)


def test_legacy_inheritance_is_no_partitioning() -> None:
    parent = [a_table("events", columns=["n"])]
    child = a_table("events_1", columns=["n"], inherits=[["public", "events"]])
    for policy in Children:
        assert tell(parent, [*parent, child], policy) == ("unexpected table public.events_1",)


def test_partitions_of_an_extra_partition_go_along_with_it() -> None:
    deep = a_partition("events_1", partition_by="LIST (n)") + a_partition("leaf", of="events_1")
    assert tell(a_parent(), a_parent() + deep) == (_NOTE,)
    assert tell(a_parent() + deep[:3], a_parent() + deep) == (
        "note partition table public.events_1",
    )


def test_a_rule_for_a_table_holds_for_the_partitions_of_its_partitions() -> None:
    middle = a_partition("events_1", partition_by="LIST (n)")
    leaf = a_partition("leaf", of="events_1")
    rules = (("events", Children.STRICT),)
    assert tell(a_parent() + middle, a_parent() + middle + leaf, parents=rules) == (
        "unexpected table public.leaf",
    )


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("events", True),
        ("event*", True),
        ("public.events", True),
        ("public.*", True),
        ("app.events", False),
        ("other", False),
    ],
)
def test_a_rule_names_a_table_or_a_schema_and_a_table(pattern: str, *, fits: bool) -> None:
    told = tell(
        a_parent(),
        a_parent() + a_partition("events_1"),
        parents=((pattern, Children.STRICT),),
    )
    assert told == (("unexpected table public.events_1",) if fits else (_NOTE,))


def test_what_is_wrong_with_an_allowed_partition_by_itself_is_still_told() -> None:
    broken = [
        *a_partition("events_1", internal_triggers=[["events_fk", "disabled"]]),
        an_object(Kind.INDEX, "events_1_n_ccnew", parent="events_1", valid=False),
    ]
    assert tell(a_parent(), a_parent() + broken) == (
        "altered index public.events_1.events_1_n_ccnew: valid",
        "altered table public.events_1: internal_triggers",
        _NOTE,
    )


def test_the_partitions_of_a_detached_partition_go_along_with_it() -> None:
    mother = [
        a_table("events_1", columns=["n"], partition_by="LIST (n)"),
        a_column("events_1", "n"),
    ]
    actual = a_parent() + mother + a_partition("events_1_1", of="events_1")
    assert tell(a_parent(), actual, parents=(("events", Children.IGNORE),)) == (_NOTE,)
