"""Laws of folding, over random histories of a model that replays in any order."""

import random
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from copy import deepcopy
from itertools import combinations, islice, permutations
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from monitor.core.history import Revision, make_history
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS
from monitor.core.lock import VersionPlace, digest_object
from monitor.core.lock_building import Built, make_lock
from monitor.core.lock_states import States
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot

type Tables = dict[str, dict[str, Any]]
type Step = tuple[str, ...]

ORDERS = 12
"""Orders of one set that are tried: all of a small one."""


class Impossible(Exception):
    """The statement cannot run on this schema."""


class Node(NamedTuple):
    """A revision of the model."""

    revision: Revision
    steps: tuple[Step, ...]


def run(tables: Tables, step: Step) -> None:
    """One statement, on a schema that is changed in place."""
    match step:
        case ("create", name):
            need(name not in tables)
            tables[name] = {"persistence": "permanent", "comment": None, "columns": {}}
        case ("drop", name):
            need(name in tables)
            del tables[name]
        case ("rename", name, other):
            need(name in tables and other not in tables)
            tables[other] = tables.pop(name)
        case ("set", name, attribute, value):
            need(name in tables)
            tables[name][attribute] = value
        case ("add", name, column, kind):
            need(name in tables and column not in tables[name]["columns"])
            tables[name]["columns"][column] = kind
        case ("retype", name, column, kind):
            need(name in tables and column in tables[name]["columns"])
            tables[name]["columns"][column] = kind
        case ("remove", name, column):
            need(name in tables and column in tables[name]["columns"])
            del tables[name]["columns"][column]
        case _:
            raise AssertionError(step)


def need(holds: object) -> None:
    if not holds:
        raise Impossible


def replay(nodes: Iterable[Node]) -> Tables:
    tables: Tables = {
        "old": {"persistence": "permanent", "comment": None, "columns": {"x": "text"}}
    }
    for node in nodes:
        for step in node.steps:
            run(tables, step)
    return tables


def photograph(tables: Tables) -> Snapshot:
    return make_snapshot(list_objects(tables))


def list_objects(tables: Tables) -> Iterator[SchemaObject]:
    for name, table in tables.items():
        attributes = {
            "persistence": table["persistence"],
            "comment": table["comment"],
            "column_order": list(table["columns"]),
        }
        yield SchemaObject(ObjectKey(Kind.TABLE, "public", None, name), attributes)
        for column, kind in table["columns"].items():
            yield SchemaObject(ObjectKey(Kind.COLUMN, "public", name, column), {"type": kind})


TABLES, COLUMNS, TYPES = ("old", "t", "u"), ("x", "y"), ("text", "int4")
STEPS: list[Step] = [
    *(("create", t) for t in TABLES),
    *(("drop", t) for t in TABLES),
    *(("rename", t, u) for t in TABLES for u in TABLES if t != u),
    *(("set", t, "persistence", v) for t in TABLES for v in ("permanent", "unlogged")),
    *(("set", t, "comment", v) for t in TABLES for v in ("a", "b")),
    *(("add", t, c, k) for t in TABLES for c in COLUMNS for k in TYPES),
    *(("retype", t, c, k) for t in TABLES for c in COLUMNS for k in TYPES),
    *(("remove", t, c) for t in TABLES for c in COLUMNS),
]


def does_something(tables: Tables, step: Step) -> bool:
    """Whether the statement runs, and changes what is there: nobody writes another one."""
    after = deepcopy(tables)
    try:
        run(after, step)
    except Impossible:
        return False
    return after != tables


@st.composite
def histories(draw: st.DrawFn) -> list[Node]:
    """Revisions in an order in which all of them ran; each was written on its own branch."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 6))):
        ids = [node.revision.id for node in nodes]
        parents = draw(st.lists(st.sampled_from(ids), max_size=2, unique=True)) if ids else []
        revision = Revision(id=f"r{number}", down=tuple(sorted(parents)))
        seen = make_history([*(node.revision for node in nodes), revision]).ancestors(parents)
        branch = [node for node in nodes if node.revision.id in seen]
        assume(can_replay(branch))  # else a merge of what cannot be merged
        tables = replay(branch)
        steps: list[Step] = []
        for _ in range(draw(st.integers(0, 3))):
            step = draw(st.sampled_from([one for one in STEPS if does_something(tables, one)]))
            run(tables, step)
            steps.append(step)
        assume(not hides_something(replay(branch), steps))
        nodes.append(Node(revision, tuple(steps)))
    assume(can_replay(nodes))
    assume(can_replay(turn(nodes)))
    steps_of_all = {(node.revision.id, step) for node in nodes for step in node.steps}
    assume(steps_of_all == list_effective(nodes) | list_effective(turn(nodes)))
    return nodes


def hides_something(tables: Tables, steps: Iterable[Step]) -> bool:
    """Whether something was changed that is as it was in the end: no delta can tell."""
    first = before = strip(photograph(tables).by_key)
    changed: set[ObjectKey] = set()
    for step in steps:
        run(tables, step)
        after = strip(photograph(tables).by_key)
        changed |= {key for key in first if before.get(key) != after.get(key)}
        before = after
    return any(first[key] == before.get(key) for key in changed)


def list_effective(nodes: Iterable[Node]) -> set[tuple[str, Step]]:
    """The steps that do something where they run."""
    found = set()
    tables = replay([])
    for node in nodes:
        for step in node.steps:
            if does_something(tables, step):
                found.add((node.revision.id, step))
            run(tables, step)
    return found


def turn(nodes: list[Node]) -> list[Node]:
    """The same with their branches the other way round."""
    waiting, done = list(nodes), dict[str, Node]()
    while waiting:
        ready = [node for node in waiting if set(node.revision.down) <= done.keys()]
        waiting.remove(ready[-1])
        done[ready[-1].revision.id] = ready[-1]
    return list(done.values())


def can_replay(nodes: Iterable[Node]) -> bool:
    try:
        replay(nodes)
    except Impossible:
        return False
    return True


def build(nodes: list[Node]) -> States:
    base = photograph(replay([]))
    lock = make_lock(
        base,
        list_built(nodes),
        otherwise=list_built(turn(nodes)),
        place=VersionPlace(),
        server_version=180000,
    )
    return States(lock)


def list_built(nodes: list[Node]) -> list[Built]:
    """What can be built of them."""
    parts = [nodes[: number + 1] for number in range(len(nodes))]
    return [
        Built(part[-1].revision, "0" * 64, photograph(replay(part)))
        for part in parts
        if can_replay(part)
    ]


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


def strip(objects: Mapping[ObjectKey, SchemaObject]) -> dict[ObjectKey, dict[str, Any]]:
    """What counts: no notes."""
    return {
        key: {n: v for n, v in item.attributes.items() if not KINDS[key.kind][n].is_note}
        for key, item in objects.items()
    }


@given(histories())
@settings(max_examples=60, deadline=None)
def test_a_closed_set_has_the_schema_of_its_replay_in_any_order_or_is_marked(
    nodes: list[Node],
) -> None:
    hold_replays(nodes)


@pytest.mark.long
@given(histories())
@settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))
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
@settings(max_examples=60, deadline=None)
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
@settings(max_examples=30, deadline=None)
def test_what_was_built_is_what_all_revisions_fold_to(nodes: list[Node]) -> None:
    states = build(nodes)
    fold = states.fold(frozenset(by_order(states)))
    assert fold.objects == photograph(replay(nodes)).by_key


def a_node(name: str, *steps: Step, down: tuple[str, ...] = ()) -> Node:
    return Node(Revision(id=name, down=down), steps)


def table(name: str) -> ObjectKey:
    return ObjectKey(Kind.TABLE, "public", None, name)


def column(parent: str, name: str) -> ObjectKey:
    return ObjectKey(Kind.COLUMN, "public", parent, name)


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
