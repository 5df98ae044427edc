"""The cause that was injected is the verdict, or an explanation that costs no more."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from monitor.core.diagnosis import Diagnosis, diagnose
from monitor.core.diff import diff
from monitor.core.findings import Severity
from monitor.core.history import Revision
from monitor.core.keys import Kind
from monitor.core.lock import LockedRevision, Statement, VersionPlace
from monitor.core.lock_building import Built, make_lock, succeed
from monitor.core.lock_states import States
from monitor.core.snapshot import SchemaObject, Snapshot, make_snapshot
from monitor.core.traces import list_visible
from monitor.core.verdict import State
from tests.core.builders import an_object
from tests.core.lock_model import (
    Node,
    Step,
    Tables,
    build,
    can_replay,
    column,
    does_something,
    histories,
    photograph,
    replay,
    run,
)


def judge(states: States, rows: Iterable[str] | None, live: Snapshot) -> Diagnosis:
    def count(expected: Snapshot) -> int:
        changes = diff(expected, live).changes
        return sum(change.severity is not Severity.INFO for change in changes)

    return diagnose(states, None if rows is None else [*rows], live, count)


def a_node(name: str, *steps: Step, down: tuple[str, ...] = (), label: str = "") -> Node:
    labels = (label,) if label else ()
    return Node(Revision(id=name, down=down, branch_labels=labels), steps)


LINE = [
    a_node("r1", ("create", "t")),
    a_node("r2", ("add", "t", "x", "text"), ("add", "t", "y", "text"), down=("r1",)),
    a_node("r3", ("set", "t", "persistence", "unlogged"), down=("r2",)),
    a_node("r4", down=("r3",)),
    a_node("r5", ("create", "u"), ("add", "u", "x", "int4"), down=("r4",)),
    a_node("r6", ("remove", "t", "x"), down=("r5",)),
]
STATES = build(LINE)


def at(*names: str, steps: Iterable[Step] = ()) -> Snapshot:
    """What these revisions make, whether they could run without the others or not, and more."""
    tables: Tables = replay([])
    for node in LINE:
        if node.revision.id in names:
            for step in node.steps:
                run(tables, step)
    for step in steps:
        run(tables, step)
    return photograph(tables)


def through(number: int) -> list[str]:
    return [node.revision.id for node in LINE[:number]]


@pytest.mark.parametrize("number", range(1, 7))
def test_a_healthy_database_is_in_sync_or_pending_at_every_revision(number: int) -> None:
    found = judge(STATES, [f"r{number}"], at(*through(number)))
    assert found.verdict is (State.IN_SYNC if number == len(LINE) else State.PENDING)
    assert found.also == ()
    assert found.pending == tuple(f"r{n}" for n in range(number + 1, 7))
    assert (found.missing_revisions, found.extra_revisions, found.unexplained) == ((), (), 0)
    assert found.remedy == (() if number == len(LINE) else ("alembic upgrade heads",))


def test_a_stamp_that_was_moved_forward_without_running_names_what_never_ran() -> None:
    found = judge(STATES, ["r6"], at(*through(2)))
    assert found.verdict is State.STAMPED_NOT_RUN
    assert found.missing_revisions == ("r3", "r5", "r6")  # r4 does nothing that can be seen
    assert found.unexplained == 0
    assert found.remedy == ("alembic stamp --purge r2", "alembic upgrade heads")
    assert found.summary == "r6 is stamped, but r3, r5, r6 never ran"


def test_a_stamp_that_was_moved_back_names_what_is_there_already() -> None:
    found = judge(STATES, ["r2"], at(*through(5)))
    assert found.verdict is State.APPLIED_BY_HAND
    assert found.also == (State.PENDING,)
    assert found.extra_revisions == ("r3", "r5")
    assert found.unexplained == 0


def test_a_revision_in_the_middle_that_was_skipped_is_a_hole() -> None:
    names = [name for name in through(6) if name != "r3"]
    found = judge(STATES, ["r6"], at(*names))
    assert found.verdict is State.HOLE
    assert found.missing_revisions == ("r3",)
    assert found.remedy[0] == "anchorwatch lock show FILE --revision r3"


ROW = [
    a_node(f"t{number}", ("create", f"t{number}"), down=(f"t{number - 1}",) if number > 1 else ())
    for number in range(1, 6)
]


def test_a_hole_below_what_ran_by_hand_stays_stamped() -> None:
    """Stamped back below it, an upgrade would run again what is there."""
    left = [node for node in ROW if node.revision.id != "t2"]
    found = judge(build(ROW), ["t4"], photograph(replay(left)))
    assert (found.verdict, found.also[0]) == (State.HOLE, State.APPLIED_BY_HAND)
    assert found.remedy == (
        "anchorwatch lock show FILE --revision t2",
        "Write what is missing into a new revision at the end",
        "alembic stamp --purge t5",
    )


def test_what_was_left_out_below_what_ran_by_hand_has_to_run_by_hand_too() -> None:
    left = [ROW[0], ROW[1], ROW[3]]
    found = judge(build(ROW), ["t2"], photograph(replay(left)))
    assert (found.verdict, found.extra_revisions) == (State.APPLIED_BY_HAND, ("t4",))
    assert found.remedy == (
        "anchorwatch lock show FILE --revision t3",
        "Undo what t4 did; or run by hand what that shows, then: alembic stamp --purge t4",
    )


def test_a_part_of_a_revision_that_runs_whole_is_drift() -> None:
    found = judge(STATES, ["r5"], at("r1", "r3", "r5", steps=[("add", "t", "x", "text")]))
    assert found.verdict is State.DRIFTED
    assert found.missing_revisions == ()
    assert found.unexplained == 1


def test_edits_by_hand_are_counted_and_explain_no_revision() -> None:
    edits = [("add", "t", "z", "text"), ("retype", "u", "x", "text")]
    found = judge(STATES, ["r6"], at(*through(6), steps=edits))
    assert found.verdict is State.DRIFTED
    assert found.unexplained == 2
    assert found.remedy == ("anchorwatch diff lock:FILE DATABASE",)


def test_a_fault_and_edits_are_both_told() -> None:
    found = judge(STATES, ["r6"], at(*through(4), steps=[("add", "t", "z", "text")]))
    assert found.verdict is State.STAMPED_NOT_RUN
    assert found.also == (State.DRIFTED,)
    assert found.missing_revisions == ("r5", "r6")
    assert found.unexplained == 1


def test_what_one_object_tells_may_have_been_done_by_hand() -> None:
    found = judge(STATES, ["r5"], at(*through(6)))
    assert found.extra_revisions == ("r6",)
    [other] = found.alternatives
    assert other.instead_of == "r6"
    assert other.by_hand == column("t", "x")


def test_no_tables_are_empty_whatever_is_stamped() -> None:
    nothing = make_snapshot([])
    for rows in ([], ["r6"]):
        found = judge(STATES, rows, nothing)
        assert found.verdict is State.EMPTY
        assert found.remedy[-1] == "alembic upgrade heads"


def test_tables_without_a_stamp_are_told_which_revision_they_are() -> None:
    found = judge(STATES, [], at(*through(3)))
    assert found.verdict is State.UNSTAMPED
    assert found.remedy == (
        "Make sure whether r4 ran: the schema does not show it",
        "alembic stamp --purge r3",
    )
    assert found.unexplained == 0
    assert "the schema is that of r3" in found.summary


def test_tables_of_somebody_else_are_of_no_revision() -> None:
    tables: Tables = {"other": {"persistence": "permanent", "comment": None, "columns": {}}}
    found = judge(STATES, [], photograph(tables))
    assert found.verdict is State.UNSTAMPED
    assert found.remedy == ()


@pytest.mark.parametrize(
    ("row", "words", "remedy"),
    [
        ("nil", "does not know the stamped revision nil", "Check out the commit that has nil"),
        ("r", "only the start of r1, r2, r3, r4, r5 and 1 more", "alembic stamp --purge r3"),
        ("", "a version row is empty", "alembic stamp --purge r3"),
        ("gone", "its file is gone", "Bring its file back, or: alembic stamp --purge r3"),
    ],
)
def test_a_stamp_that_nobody_knows_is_told_with_what_it_may_be(
    row: str, words: str, remedy: str
) -> None:
    gone = build([a_node("gone", ("create", "t"))]).lock
    states = States(succeed(STATES.lock, gone))
    found = judge(states, [row], at(*through(3)))
    assert found.verdict is State.UNKNOWN_REVISION
    assert words in found.summary
    assert found.remedy[0].startswith(remedy)


def test_a_stamp_that_begins_one_id_means_that() -> None:
    nodes = [a_node("abc123", ("create", "t")), a_node("def456", down=("abc123",))]
    found = judge(build(nodes), ["abc"], photograph(replay(nodes)))
    assert found.summary == "the stamp abc is no revision, only the start of abc123"
    assert found.remedy == ("alembic stamp --purge abc123",)


@pytest.mark.parametrize("row", ["nil", ""])
def test_the_lock_of_another_application_is_no_advice_to_stamp(row: str) -> None:
    tables: Tables = {"other": {"persistence": "permanent", "comment": None, "columns": {}}}
    found = judge(STATES, [row], photograph(tables))
    assert found.verdict is State.UNKNOWN_REVISION
    assert "nothing that it knows is in this database" in found.remedy[0]
    assert "stamp" not in found.remedy[0]


def test_a_stamp_that_cannot_be_read_is_unknown() -> None:
    found = judge(STATES, None, at(*through(6)))
    assert found.verdict is State.UNKNOWN
    assert found.stamped is None


def test_an_ancestor_beside_its_descendant_overlaps() -> None:
    found = judge(STATES, ["r3", "r6"], at(*through(6)))
    assert found.verdict is State.OVERLAPPING
    assert found.also == ()
    assert found.remedy == ("alembic stamp --purge r6",)


FORK = [
    a_node("a", ("create", "t")),
    a_node("b", ("add", "t", "x", "text"), down=("a",)),
    a_node("c", ("add", "t", "y", "text"), down=("a",)),
]


def test_two_rows_that_a_merge_will_bring_together_are_right() -> None:
    merged = [*FORK, a_node("m", down=("b", "c"))]
    found = judge(build(merged), ["b", "c"], photograph(replay(FORK)))
    assert (found.verdict, found.pending) == (State.PENDING, ("m",))


def test_two_rows_that_nothing_brings_together_are_multiple_heads() -> None:
    found = judge(build(FORK), ["b", "c"], photograph(replay(FORK)))
    assert found.verdict is State.MULTIPLE_HEADS
    assert found.remedy == (
        "alembic merge b c",
        "anchorwatch lock build, with that merge",
        "alembic upgrade heads",
    )


def test_only_heads_can_be_merged() -> None:
    """`alembic merge` refuses what has a revision after it."""
    longer = [
        *FORK,
        a_node("b2", ("create", "u"), down=("b",)),
        a_node("c2", ("create", "v"), down=("c",)),
    ]
    found = judge(build(longer), ["b", "c"], photograph(replay(FORK)))
    assert found.verdict is State.MULTIPLE_HEADS
    assert found.remedy[0] == "alembic merge b2 c2"


def test_two_rows_of_an_expand_and_contract_history_are_right() -> None:
    nodes = [
        a_node("e", ("create", "t"), label="expand"),
        a_node("k", ("create", "u"), label="contract"),
    ]
    found = judge(build(nodes), ["e", "k"], photograph(replay(nodes)))
    assert found.verdict is State.IN_SYNC


HALF: list[Step] = [("add", "t", "x", "text"), ("add", "t", "y", "text"), ("create", "u")]


def half_lock(
    *, goes_on: bool = False, last: str = "statement 2"
) -> tuple[States, list[Snapshot]]:
    """A lock of which the second revision commits after each of its three statements.

    Where it goes on, the third one undoes the last of them.
    """
    tables = replay([])
    base = photograph(tables)
    run(tables, ("create", "t"))
    shots = [photograph(tables)]
    for step in HALF:
        run(tables, step)
        shots.append(photograph(tables))
    texts = ("statement 0", "statement 1", last)
    alone = tuple(Statement(text, is_transactional=False) for text in texts)
    built = [
        Built(Revision(id="a"), "", shots[0]),
        Built(Revision(id="b", down=("a",)), "", shots[3], alone, (shots[1], shots[2]), (1, 2)),
    ]
    for name, step in (("c", ("drop", "u")), ("d", ("create", "v"))) if goes_on else ():
        run(tables, step)
        shots.append(photograph(tables))
        down = (built[-1].revision.id,)
        built.append(Built(Revision(id=name, down=down), "", shots[-1]))
    return States(make_lock(base, built, place=VersionPlace(), server_version=180000)), shots


T: Tables = replay([a_node("a", ("create", "t"), ("add", "t", "x", "text"))])
INDEX = an_object(Kind.INDEX, "uq", parent="t", columns=["x"])
UNIQUE = an_object(Kind.UNIQUE, "uq", parent="t", columns=["x"])
CHECK = an_object(Kind.CHECK, "nn", parent="t", expression="x is not null")
UNCHECKED = an_object(Kind.CHECK, "nn", parent="t", expression="x is not null", valid=False)
FILLED = SchemaObject(column("t", "x"), {"type": "text", "nullable": False})


def online(*added: tuple[SchemaObject, ...]) -> tuple[States, list[Snapshot]]:
    """A lock of which the second revision adds these in each of its steps, and no others."""
    whole = photograph(T)
    shots = [
        make_snapshot({**whole.by_key, **{item.key: item for item in some}}.values())
        for some in ((), *added)
    ]
    alone = tuple(Statement(f"statement {n}", is_transactional=False) for n in range(len(added)))
    marks = tuple(range(1, len(added)))
    built = [
        Built(Revision(id="a"), "", shots[0]),
        Built(Revision(id="b", down=("a",)), "", shots[-1], alone, (*shots[1:-1],), marks),
        Built(Revision(id="c", down=("b",)), "", shots[-1]),
    ]
    base = photograph(replay([]))
    return States(make_lock(base, built, place=VersionPlace(), server_version=180000)), shots


RECIPES = (
    ((INDEX,), (UNIQUE,)),
    ((UNCHECKED,), (CHECK,), (CHECK, FILLED), (FILLED,)),
)


@pytest.mark.parametrize("row", ["a", "b"])
@pytest.mark.parametrize(
    ("recipe", "done"), [(one, n) for one in RECIPES for n in range(1, len(one))]
)
def test_what_is_there_only_between_the_steps_of_a_revision_is_half_of_it(
    recipe: tuple[tuple[SchemaObject, ...], ...], done: int, row: str
) -> None:
    states, shots = online(*recipe)
    found = judge(states, [row], shots[done])
    assert (found.verdict, found.unexplained) == (State.HALF_APPLIED, 0)
    assert found.half == ("b", done, len(recipe))
    assert (found.missing_revisions, found.extra_revisions) == ((), ())
    assert not any("Make sure" in command for command in judge(states, ["c"], shots[done]).remedy)
    for shot, ran in ((shots[0], "a"), (shots[-1], "b")):
        assert judge(states, [ran], shot).verdict is State.PENDING


def test_what_is_like_nothing_between_the_steps_of_a_revision_is_drift() -> None:
    states, shots = online(*RECIPES[0])
    other = an_object(Kind.INDEX, "uq", parent="t", columns=["x", "y"])
    found = judge(states, ["a"], make_snapshot([*shots[0].objects, other]))
    assert (found.verdict, found.half, found.unexplained) == (State.DRIFTED, None, 1)


@pytest.mark.parametrize("edit", [("add", "v", "by_hand", "text"), ("drop", "v")])
def test_what_a_later_revision_undoes_is_no_half(edit: Step) -> None:
    states, _ = half_lock(goes_on=True)
    tables = replay([a_node("a", ("create", "t"), *HALF[:2], ("create", "v"))])
    assert judge(states, ["d"], photograph(tables)).verdict is State.IN_SYNC
    run(tables, edit)
    found = judge(states, ["d"], photograph(tables))
    expected = State.STAMPED_NOT_RUN if edit[0] == "drop" else State.DRIFTED
    assert (found.verdict, found.half) == (expected, None)


@pytest.mark.parametrize("row", ["a", "b"])
@pytest.mark.parametrize("done", [1, 2])
def test_the_first_steps_of_a_revision_that_commits_on_its_way_are_half_of_it(
    row: str, done: int
) -> None:
    states, shots = half_lock()
    found = judge(states, [row], shots[done])
    assert found.verdict is State.HALF_APPLIED
    assert found.half is not None
    assert (found.half.revision, found.half.done, found.half.steps) == ("b", done, 3)
    assert (found.missing_revisions, found.unexplained) == ((), 0)
    assert f"after step {done} of 3" in found.remedy[1]
    assert found.remedy[1].endswith("alembic stamp --purge b")


def test_the_rest_of_a_half_may_have_written_rows_already() -> None:
    states, shots = half_lock(last="update t set x = '***'; alter table t add y text")
    found = judge(states, ["b"], shots[2])
    assert found.verdict is State.HALF_APPLIED
    assert found.remedy[1] == (
        "Make sure which rows were written after step 2 of 3: the schema does not show it"
    )


@pytest.mark.parametrize(
    ("row", "shot", "verdict"), [("b", 0, "stamped_not_run"), ("a", 1, "applied_by_hand")]
)
def test_rows_that_were_written_beside_what_shows_are_asked_for(
    row: str, shot: int, verdict: str
) -> None:
    base = photograph(replay([]))
    shots = [photograph(replay([LINE[0]])), photograph(replay(LINE[:2]))]
    statements = (Statement("alter table t add x text"), Statement("update cnt set n = n + ***"))
    built = [
        Built(Revision(id="a"), "", shots[0]),
        Built(Revision(id="b", down=("a",)), "", shots[1], statements),
    ]
    states = States(make_lock(base, built, place=VersionPlace(), server_version=180000))
    found = judge(states, [row], shots[shot])
    assert found.verdict == verdict
    assert found.remedy[0] == "Make sure which rows b wrote: the schema does not show it"


def test_a_part_that_is_no_beginning_is_drift() -> None:
    states, shots = half_lock()
    middle = make_snapshot(item for item in shots[2].objects if item.key != column("t", "x"))
    found = judge(states, ["a"], middle)
    assert found.verdict is State.DRIFTED
    assert found.half is None


def test_what_the_lock_does_not_know_is_unknown() -> None:
    late = LockedRevision(revision=Revision(id="b", down=("a",)), digest="", delta=None)
    first = photograph(replay([a_node("a", ("create", "t"))]))
    lock = make_lock(
        photograph(replay([])),
        [Built(Revision(id="a"), "", first)],
        place=VersionPlace(),
        server_version=180000,
        unbuilt=[late],
        stopped_at=("b", "it failed"),
    )
    assert judge(States(lock), ["a"], first).verdict is State.PENDING
    assert judge(States(lock), ["b"], first).verdict is State.UNKNOWN


EDITS: list[Step] = [
    ("add", "old", "by_hand", "text"),
    ("add", "t", "by_hand", "text"),
    ("create", "by_hand"),
    ("remove", "old", "x"),
    ("set", "old", "persistence", "unlogged"),
]


class Fault:
    """A database that somebody has tampered with: what is there, and what is claimed."""

    def __init__(self, nodes: list[Node], draw: Any) -> None:
        self.states = build(nodes)
        history = self.states.lock.history
        names = [node.revision.id for node in nodes]
        closed = st.lists(st.sampled_from(names), unique=True).map(history.ancestors)
        self.ran, self.claimed = draw(closed), draw(closed)
        ran = [node for node in nodes if node.revision.id in self.ran]
        assume(can_replay(ran))
        self.tables = replay(ran)
        self.edits = 0
        for edit in draw(st.lists(st.sampled_from(EDITS), max_size=2, unique=True)):
            if does_something(self.tables, edit):
                run(self.tables, edit)
                self.edits += 1
        self.live = photograph(self.tables)
        self.rows = history.reduce(self.claimed)


def hold_cause(nodes: list[Node], data: st.DataObject) -> None:
    """What is found explains as much as what was done, and departs no further."""
    fault = Fault(nodes, data.draw)
    states, history = fault.states, fault.states.lock.history
    assume(fault.rows)
    unknown = states.fold(fault.claimed).unknown | states.fold(fault.ran).unknown
    assume(not unknown)
    found = judge(states, fault.rows, fault.live)
    done = {*(fault.claimed - fault.ran), *(fault.ran - fault.claimed)}
    departed = {*found.missing_revisions, *found.extra_revisions}
    if not fault.edits:
        others = [other for other in found.alternatives if other.by_hand is None]
        told = [departed, *({*other.missing, *other.extra} for other in others)]
        visible = {name for name in done if list_visible(states, name)}
        # Of two exchanges that do not touch each other each is told, and not both in one.
        is_told = any(some <= done for some in told) or visible <= set().union(*told)
        assert len(departed) < len(visible) or is_told
    # A stamp that was moved is one thing as well, however many revisions it passed.
    is_moved = found.unexplained == 0 and history.ancestors(found.present) == found.present
    assert is_moved or len(departed) + found.unexplained <= len(done) + 2 * fault.edits
    assert found.pending == history.pending(fault.rows)


@given(histories(), st.data())
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
def test_a_fault_is_explained_by_no_more_than_what_was_done(
    nodes: list[Node], data: st.DataObject
) -> None:
    hold_cause(nodes, data)


@pytest.mark.long
@given(histories(), st.data())
@settings(max_examples=5000, suppress_health_check=list(HealthCheck))
def test_so_are_many_faults(nodes: list[Node], data: st.DataObject) -> None:
    hold_cause(nodes, data)


def test_each_exchange_of_two_that_do_not_touch_is_told() -> None:
    nodes = [
        a_node("r0", ("retype", "old", "x", "int4")),
        a_node("r1", ("create", "t"), down=("r0",)),
        a_node("r2", ("drop", "t"), down=("r1",)),
        a_node("r3", ("retype", "old", "x", "text"), down=("r1",)),
    ]
    found = judge(build(nodes), ["r1"], photograph(replay(nodes)))
    assert (found.verdict, found.missing_revisions) == (State.STAMPED_NOT_RUN, ("r0", "r1"))
    told = {(other.missing, other.extra) for other in found.alternatives if not other.by_hand}
    assert told == {(("r0",), ("r2",)), (("r1",), ("r3",))}


def test_what_only_a_comment_shows_is_no_evidence_and_costs_nothing() -> None:
    nodes = [
        a_node("r0", ("create", "t")),
        a_node("r1", ("set", "old", "comment", "a"), down=("r0",)),
        a_node("r2", ("drop", "t"), down=("r1",)),
    ]
    found = judge(build(nodes), ["r0"], photograph(replay(nodes)))
    told = {(found.missing_revisions, found.extra_revisions)}
    told |= {(other.missing, other.extra) for other in found.alternatives if not other.by_hand}
    assert told == {(("r0",), ()), ((), ("r2",))}


def edit(name: str, *steps: Step) -> States:
    """The lock after a revision was edited: before, it ran these steps."""
    lock = build(edit_line(name, *steps)).lock
    revisions = tuple(
        msgspec.structs.replace(one, digest="before") if one.id == name else one
        for one in lock.revisions
    )
    former = msgspec.structs.replace(lock, revisions=revisions)
    return States(succeed(STATES.lock, former))


def edit_line(name: str, *steps: Step) -> list[Node]:
    return [Node(node.revision, steps) if node.revision.id == name else node for node in LINE]


BEFORE = (("add", "t", "x", "int4"), ("add", "t", "y", "text"), ("add", "t", "z", "text"))


def test_what_a_revision_did_before_it_was_edited_is_found() -> None:
    states = edit("r2", *BEFORE)
    assert [one.id for one in states.lock.editions] == ["r2"]
    old = edit_line("r2", *BEFORE)
    live = photograph(replay(old[:3]))
    found = judge(states, ["r3"], live)
    assert (found.verdict, found.also) == (State.EDITED_REVISION, (State.PENDING,))
    assert [one.id for one in found.edited] == ["r2"]
    assert (found.unexplained, found.missing_revisions) == (0, ())
    assert found.summary == "what r2 did before it was edited is there"
    healthy = judge(states, ["r3"], at("r1", "r2", "r3"))
    assert (healthy.verdict, healthy.edited) == (State.PENDING, ())


def test_another_edit_of_a_revision_is_another_one_to_accept() -> None:
    """What is accepted is what it did there, and what it does now."""
    live = photograph(replay(edit_line("r2", *BEFORE)[:3]))
    again = edit("r2", *BEFORE)
    told = judge(edit("r2", *BEFORE), ["r3"], live).edits
    assert told == judge(again, ["r3"], live).edits
    less = BEFORE[:2]
    other = judge(edit("r2", *less), ["r3"], photograph(replay(edit_line("r2", *less)[:3])))
    assert [one.id for one in other.edited] == ["r2"]
    assert other.edits != told


def test_drift_beside_an_edited_revision_is_told_as_well() -> None:
    states = edit("r2", *BEFORE)
    old = edit_line("r2", *BEFORE)
    tables = replay(old[:3])
    run(tables, ("add", "t", "by_hand", "text"))
    found = judge(states, ["r3"], photograph(tables))
    assert (found.verdict, found.also) == (
        State.EDITED_REVISION,
        (State.DRIFTED, State.PENDING),
    )
    assert found.unexplained == 1


def test_an_edit_that_changes_nothing_in_the_schema_is_no_edition() -> None:
    assert edit("r2", *LINE[1].steps).lock.editions == ()


UNDOING = [
    a_node("r1", ("create", "users")),
    a_node("r2", ("create", "tmp"), down=("r1",)),
    a_node("r3", ("create", "orders"), down=("r2",)),
    a_node("r4", ("drop", "tmp"), down=("r3",)),
    a_node("r5", ("create", "x"), down=("r4",)),
    a_node("r6", ("add", "orders", "z", "int4"), down=("r5",)),
]


@pytest.mark.parametrize("stamped", range(1, 7))
@pytest.mark.parametrize("ran", range(1, 7))
def test_a_schema_that_is_one_revisions_is_told_as_such(ran: int, stamped: int) -> None:
    found = judge(build(UNDOING), [f"r{stamped}"], photograph(replay(UNDOING[:ran])))
    expected = State.PENDING if stamped < 6 else State.IN_SYNC
    if ran < stamped:
        expected = State.STAMPED_NOT_RUN
    elif ran > stamped:
        expected = State.APPLIED_BY_HAND
    assert found.verdict is expected, found
    assert found.unexplained == 0
    if ran != stamped:
        assert found.remedy[0] == f"alembic stamp --purge r{ran}"


@pytest.mark.parametrize("ran", range(1, 7))
def test_a_schema_without_a_stamp_is_the_last_revision_that_makes_it(ran: int) -> None:
    found = judge(build(UNDOING), [], photograph(replay(UNDOING[:ran])))
    assert found.remedy == (f"alembic stamp --purge r{ran}",)
    assert found.unexplained == 0


def test_revisions_that_make_the_same_are_all_named() -> None:
    nodes = [
        a_node("p3", ("create", "t"), ("add", "t", "x", "text")),
        a_node("p4", ("remove", "t", "x"), down=("p3",)),
        a_node("p5", ("add", "t", "x", "text"), down=("p4",)),
        a_node("p6", down=("p5",)),
    ]
    found = judge(build(nodes), [], photograph(replay(nodes)))
    assert "the schema is that of p5 (p6 or p3 makes the same)" in found.summary
    assert found.remedy == (
        "Make sure whether p4, p5, p6 ran: the schema does not show it",
        "alembic stamp --purge p5",
    )


MANY = [
    a_node("s1", ("create", "a")),
    a_node("s2", *(("create", name) for name in "bcde"), down=("s1",)),
    a_node("s3", ("create", "f"), down=("s2",)),
]


@pytest.mark.parametrize("stamped", ["s1", "s2"])
@pytest.mark.parametrize("there", ["b", "bc", "bcd", "de"])
def test_most_of_a_revision_is_not_the_whole_of_it(stamped: str, there: str) -> None:
    tables = replay(MANY[:1])
    for name in there:
        run(tables, ("create", name))
    found = judge(build(MANY), [stamped], photograph(tables))
    assert found.verdict is State.DRIFTED
    assert (found.missing_revisions, found.extra_revisions) == ((), ())
    assert found.unexplained == (len(there) if stamped == "s1" else 4 - len(there))


@pytest.mark.parametrize("row", ["r1", "r4"])
def test_what_was_changed_after_it_was_made_was_made_all_the_same(row: str) -> None:
    found = judge(STATES, [row], at(*through(4), steps=[("retype", "t", "y", "int8")]))
    expected = State.DRIFTED if row == "r4" else State.APPLIED_BY_HAND
    assert (found.verdict, found.unexplained) == (expected, 1)
    assert found.extra_revisions == (() if row == "r4" else ("r2", "r3"))


HIDDEN = [
    a_node("s1", ("create", "a")),
    a_node("s2", down=("s1",)),
    a_node("s3", ("create", "b"), down=("s2",)),
    a_node("s4", ("create", "c"), down=("s3",)),
]


@pytest.mark.parametrize(
    ("ran", "stamped", "verdict", "goal"),
    [
        (1, "s4", State.STAMPED_NOT_RUN, "s1"),
        (4, "s1", State.APPLIED_BY_HAND, "s4"),
        (3, "s1", State.APPLIED_BY_HAND, "s3"),
    ],
)
def test_what_does_not_show_is_named_and_goes_with_what_comes_after_it(
    ran: int, stamped: str, verdict: State, goal: str
) -> None:
    found = judge(build(HIDDEN), [stamped], photograph(replay(HIDDEN[:ran])))
    assert found.verdict is verdict
    assert found.remedy[:2] == (
        "Make sure whether s2 ran: the schema does not show it",
        f"alembic stamp --purge {goal}",
    )


FILLS = [
    a_node("f1", ("create", "t"), ("add", "t", "a", "text")),
    a_node("f2", ("add", "t", "b", "text"), down=("f1",)),
    a_node("f3", down=("f2",)),  # changes rows alone
    a_node("f4", ("create", "u"), ("add", "u", "a", "text"), down=("f3",)),
    a_node("f5", down=("f4",)),
]
UNDO_B: Step = ("remove", "t", "b")


def test_what_changes_rows_alone_may_have_run_after_what_somebody_undid_by_hand() -> None:
    live = photograph(replay([*FILLS[:3], a_node("hand", UNDO_B)]))
    found = judge(build(FILLS[:3]), ["f3"], live)
    assert (found.verdict, found.missing_revisions) == (State.STAMPED_NOT_RUN, ("f2",))
    assert [one.instead_of for one in found.alternatives] == ["f2"]
    assert found.remedy == (
        "Make sure whether f3 ran: the schema does not show it",
        "alembic stamp --purge f1",
        "alembic upgrade heads",
    )


def test_what_changes_rows_between_two_that_never_ran_did_not_run_either() -> None:
    found = judge(build(FILLS), ["f5"], photograph(replay(FILLS[:1])))
    assert found.missing_revisions == ("f2", "f4")
    assert found.remedy[0] == "Make sure whether f5 ran: the schema does not show it"


def test_what_comes_before_something_that_is_there_is_not_asked_for() -> None:
    live = photograph(replay([*FILLS, a_node("hand", UNDO_B)]))
    found = judge(build(FILLS), ["f5"], live)
    assert (found.verdict, found.missing_revisions) == (State.HOLE, ("f2",))
    assert found.remedy[0] == "anchorwatch lock show FILE --revision f2"


def test_what_changes_rows_between_two_edits_by_hand_may_have_run() -> None:
    nodes = [*FILLS[:3], a_node("f4", ("add", "t", "c", "text"), down=("f3",))]
    edits = a_node("hand", UNDO_B, ("remove", "t", "c"))
    found = judge(build(nodes), ["f4"], photograph(replay([*nodes, edits])))
    assert found.missing_revisions == ("f2", "f4")
    assert found.remedy[0] == "Make sure whether f3 ran: the schema does not show it"
