"""A model of histories: what they do to tables and columns, and in which orders they run."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from hypothesis import assume
from hypothesis import strategies as st

from monitor.core.history import Revision, make_history
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS
from monitor.core.lock import VersionPlace
from monitor.core.lock_building import Built, make_lock
from monitor.core.lock_states import States
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot

type Tables = dict[str, dict[str, Any]]
type Step = tuple[str, ...]


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
    """Whether something was changed that is as it was in the end: no delta can tell.

    Nor can one tell of a table that was made anew what it would have lost that it never had.
    """
    first = before = strip(photograph(tables).by_key)
    changed: set[ObjectKey] = set()
    were, gone = {*tables}, set[str]()
    for step in steps:
        run(tables, step)
        gone |= were - tables.keys()
        after = strip(photograph(tables).by_key)
        changed |= {key for key in first if before.get(key) != after.get(key)}
        before = after
    is_anew = not gone.isdisjoint(tables)
    return is_anew or any(first[key] == before.get(key) for key in changed)


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


def strip(objects: Mapping[ObjectKey, SchemaObject]) -> dict[ObjectKey, dict[str, Any]]:
    """What counts: no notes."""
    return {
        key: {n: v for n, v in item.attributes.items() if not KINDS[key.kind][n].is_note}
        for key, item in objects.items()
    }


def a_node(name: str, *steps: Step, down: tuple[str, ...] = ()) -> Node:
    return Node(Revision(id=name, down=down), steps)


def table(name: str) -> ObjectKey:
    return ObjectKey(Kind.TABLE, "public", None, name)


def column(parent: str, name: str) -> ObjectKey:
    return ObjectKey(Kind.COLUMN, "public", parent, name)
