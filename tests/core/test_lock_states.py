"""Laws of folding, over random histories of a model that replays in any order."""

import random
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import combinations, islice, permutations

import pytest
from hypothesis import HealthCheck, assume, given, settings

from monitor.core.lock import digest_object
from monitor.core.lock_states import States
from monitor.core.snapshot import SchemaObject
from tests.core.lock_model import (
    TABLES,
    Node,
    a_node,
    build,
    can_replay,
    column,
    histories,
    photograph,
    replay,
    strip,
    table,
)

ORDERS = 12
"""Orders of one set that are tried: all of a small one."""


def list_closed(states: States) -> Iterator[frozenset[str]]:
    """Every set of revisions that has all its ancestors."""
    ids = [one.id for one in states.lock.revisions]
    for size in range(len(ids) + 1):
        for some in combinations(ids, size):
            if states.lock.history.ancestors(some) == set(some):
                yield frozenset(some)


def list_orders(nodes: list[Node], some: AbstractSet[str], states: States) -> Iterator[list[Node]]:
    """Orders in which a set can run, in no order of their own; the lock's own is not first."""
    chosen = [node for node in nodes if node.revision.id in some]
    random.Random(len(chosen)).shuffle(chosen)  # noqa: S311  # a test
    for order in permutations(chosen):
        done: set[str] = set()
        for node in order:
            if not set(states.lock.history.parents[node.revision.id]) <= done:
                break
            done.add(node.revision.id)
        else:
            yield list(order)


def is_settled(states: States, some: AbstractSet[str]) -> bool:
    """Whether the lock's own order is taken for the one in which two rivals ran."""
    return any(
        {hit.earlier, hit.later} <= some and not hit.settled_by.isdisjoint(some)
        for hit in states.collisions
    )


@given(histories())
@settings(max_examples=60)
def test_a_closed_set_has_the_schema_of_its_replay_in_any_order_or_is_marked(
    nodes: list[Node],
) -> None:
    hold_replays(nodes)


@pytest.mark.long
@given(histories())
@settings(max_examples=5000, suppress_health_check=list(HealthCheck))
def test_so_has_every_set_of_many_histories(nodes: list[Node]) -> None:
    hold_replays(nodes)


def hold_replays(nodes: list[Node]) -> None:
    """The law of one history; of two that only ran in one order more than marks is hidden."""
    states = build(nodes)
    assume(ran_in_both_orders(states))
    disputed = {hit.key for hit in states.collisions}
    for some in list_closed(states):
        fold = states.fold(some)
        for order in islice(list_orders(nodes, some, states), ORDERS):
            if not can_replay(order):
                continue
            truth = strip(photograph(replay(order)).by_key)
            in_order = order == [node for node in nodes if node.revision.id in some]
            if not in_order and is_settled(states, some):
                continue
            doubtful = fold.unknown if in_order else fold.unknown | disputed
            known = strip(fold.objects)
            for key in (truth.keys() | known.keys()) - doubtful:
                assert known.get(key) == truth.get(key), (sorted(some), key)


@given(histories())
@settings(max_examples=60)
def test_only_what_two_branches_speak_of_is_marked(nodes: list[Node]) -> None:
    states = build(nodes)
    named = {
        node.revision.id: {word for step in node.steps for word in step[1:3]} for node in nodes
    }
    assume(ran_in_both_orders(states))
    rivals = list_rivals(states)  # of three branches one is never the first
    assume(not any({(a, b), (b, c), (a, c)} <= {*rivals} for a, b, c in combinations(named, 3)))
    for some in list_closed(states):
        disputed = [pair for pair in list_rivals(states) if is_open(states, pair, some)]
        tables = {key.parent or key.name for key in states.fold(some).unknown}
        if tables:
            assert any(named[one] & named[other] & set(TABLES) for one, other in disputed)


def list_rivals(states: States) -> list[tuple[str, str]]:
    """Pairs of which neither is an ancestor of the other."""
    above = {one.id: states.lock.history.ancestors((one.id,)) for one in states.lock.revisions}
    return [
        (one, other)
        for one, other in combinations(above, 2)
        if one not in above[other] and other not in above[one]
    ]


def is_open(states: States, pair: tuple[str, str], some: AbstractSet[str]) -> bool:
    """Whether one of them is in the set, and nothing in it follows both."""
    return not some.isdisjoint(pair) and not any(
        set(pair) <= states.lock.history.ancestors((who,)) for who in some
    )


def ran_in_both_orders(states: States) -> bool:
    first = {name: place for place, name in enumerate(by_order(states))}
    second = {name: place for place, name in enumerate(states.lock.turned)}
    return all(
        (first[one] < first[other]) != (second[one] < second[other])
        for one, other in list_rivals(states)
    )


def by_order(states: States) -> list[str]:
    return [one.id for one in states.lock.revisions]


@given(histories())
@settings(max_examples=30)
def test_what_was_built_is_what_all_revisions_fold_to(nodes: list[Node]) -> None:
    states = build(nodes)
    fold = states.fold(frozenset(by_order(states)))
    assert fold.objects == photograph(replay(nodes)).by_key


def test_two_columns_of_one_table_on_two_branches_are_no_dispute() -> None:
    states = build(
        [a_node("a", ("add", "old", "y", "text")), a_node("b", ("retype", "old", "x", "int4"))]
    )
    assert states.collisions == ()
    assert column("old", "y") not in states.fold(frozenset("b")).objects


def test_one_attribute_on_two_branches_is_known_of_the_earlier_alone_and_after_their_merge() -> (
    None
):
    states = build(
        [
            a_node("a", ("set", "old", "comment", "a")),
            a_node("b", ("set", "old", "comment", "b")),
            a_node("m", down=("a", "b")),
        ]
    )
    assert states.fold(frozenset("a")).unknown == frozenset()
    assert states.fold(frozenset("b")).unknown == {table("old")}
    assert states.fold(frozenset("ab")).unknown == {table("old")}
    assert states.fold(frozenset("abm")).unknown == frozenset()


def test_two_attributes_of_one_object_on_two_branches_are_both_known() -> None:
    states = build(
        [
            a_node("a", ("set", "old", "comment", "a")),
            a_node("b", ("set", "old", "persistence", "unlogged")),
        ]
    )
    fold = states.fold(frozenset("b"))
    assert fold.unknown == frozenset()
    assert fold.objects[table("old")].get("comment") is None
    assert fold.objects[table("old")].get("persistence") == "unlogged"


def test_what_a_rename_took_along_from_another_branch_is_not_known_without_it() -> None:
    states = build([a_node("a", ("add", "old", "y", "text")), a_node("b", ("rename", "old", "u"))])
    fold = states.fold(frozenset("b"))
    assert column("u", "y") in fold.unknown
    assert column("u", "y") not in states.fold(frozenset("ab")).unknown


def test_a_snapshot_of_a_set_leaves_out_what_is_not_known() -> None:
    states = build(
        [a_node("a", ("set", "old", "comment", "a")), a_node("b", ("set", "old", "comment", "b"))]
    )
    assert table("old") in states.make_snapshot(frozenset("a")).by_key
    assert table("old") not in states.make_snapshot(frozenset("ab")).by_key


@pytest.mark.parametrize("name", ["comment", "persistence"])
def test_a_digest_tells_attributes_apart(name: str) -> None:
    one = SchemaObject(table("t"), {name: "a"})
    other = SchemaObject(table("t"), {name: "b"})
    assert digest_object(one) != digest_object(other)
    assert digest_object(one) == digest_object(SchemaObject(table("t"), {name: "a"}))
