"""A database whose stamp is not of the release that is deployed."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.diagnosis import Diagnosis
from monitor.core.findings import Severity
from monitor.core.lock import LockedRevision, VersionPlace
from monitor.core.lock_building import make_lock
from monitor.core.lock_safety import Safety
from monitor.core.lock_states import States
from monitor.core.release import GRACE, Known, Move, may_wait, put_ahead, wait_for_lock
from monitor.core.snapshot import Snapshot, make_snapshot
from monitor.core.verdict import State
from tests.core.lock_model import Node, a_node, build, list_built, photograph, replay, run
from tests.core.test_diagnosis import judge

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LINE = [
    a_node("r1", ("create", "t")),
    a_node("r2", ("add", "t", "x", "text"), down=("r1",)),
    a_node("r3", ("create", "u"), down=("r2",)),
    a_node("r4", ("remove", "t", "x"), down=("r3",)),
]
ELSEWHERE = [LINE[0], a_node("s2", ("create", "w"), down=("r1",))]


def lock(number: int) -> States:
    return build(LINE[:number])


def at(number: int, nodes: list[Node] = LINE) -> Snapshot:
    return photograph(replay(nodes[:number]))


@pytest.mark.parametrize(
    ("rows", "deployed", "others", "chosen"),
    [
        (("r2",), 2, (4,), 0),
        (("r3",), 2, (4, 3), 1),
        (("r3",), 2, (2, 3), 2),
        (("nobody",), 2, (4, 3), 0),
        ((), 2, (4,), 0),
        (None, 2, (4,), 0),
    ],
)
def test_a_newer_lock_counts_where_only_that_knows_the_stamp(
    rows: tuple[str, ...] | None, deployed: int, others: tuple[int, ...], chosen: int
) -> None:
    locks = [lock(number) for number in (deployed, *others)]
    known = Known(locks[0], tuple(locks[1:]))
    assert known.choose(rows) is locks[chosen]


def test_a_lock_that_lacks_the_deployed_heads_is_no_newer_one() -> None:
    deployed, other = lock(2), build(ELSEWHERE)
    assert Known(deployed, (other,)).choose(("s2",)) is deployed


def tell(deployed: States, newer: States, rows: list[str], live: Snapshot) -> Diagnosis:
    return put_ahead(judge(newer, rows, live), deployed, newer)


def test_after_a_rollback_the_database_is_ahead_and_what_was_added_is_safe() -> None:
    found = tell(lock(2), lock(4), ["r3"], at(3))
    assert (found.verdict, found.also, found.pending, found.remedy) == (State.AHEAD, (), (), ())
    assert found.risk is not None
    assert (found.risk.safety, found.risk.reason) == (Safety.YES, "")
    assert found.summary == (
        "r3 is stamped, which a newer release brought; the deployed one ends at r2: "
        "its code can run on this schema"
    )
    assert found.heads == ("r2",)


def test_what_older_code_reads_and_is_gone_is_not_safe() -> None:
    found = tell(lock(2), lock(4), ["r4"], at(4))
    assert found.risk is not None
    assert (found.risk.safety, found.risk.reason) == (
        Safety.NO,
        "r4 removes column public.t.x",
    )


def test_what_is_wrong_by_the_newer_lock_is_told_beside_it() -> None:
    found = tell(lock(2), lock(4), ["r4"], at(2))
    assert (found.verdict, found.also) == (State.AHEAD, (State.STAMPED_NOT_RUN,))
    assert found.remedy[-1] == "alembic upgrade heads"
    assert len(found.sentences) == 2


def test_what_is_wrong_makes_no_older_code_safe() -> None:
    tables = replay(LINE[:3])
    run(tables, ("add", "t", "z", "text"))
    found = tell(lock(2), lock(3), ["r3"], photograph(tables))
    assert found.verdict is State.AHEAD
    assert found.also == (State.DRIFTED,)
    assert found.severity is Severity.WARNING
    assert found.risk == (Safety.UNKNOWN, "the schema is not what its revisions make")


def test_what_was_done_by_hand_beyond_the_stamp_counts() -> None:
    found = tell(lock(2), lock(4), ["r3"], at(4))
    assert (found.verdict, found.also) == (State.AHEAD, (State.APPLIED_BY_HAND,))
    assert found.risk == (Safety.NO, "r4 removes column public.t.x")


def test_a_gap_below_is_as_bad_as_it_is_without_a_newer_lock() -> None:
    tables = replay(LINE[:3])
    run(tables, ("remove", "t", "x"))
    run(tables, ("create", "w"))
    newer = build([*LINE[:3], a_node("r4", ("create", "w"), down=("r3",))])
    found = tell(lock(2), newer, ["r4"], photograph(tables))
    assert found.also[0] is State.HOLE
    assert found.severity is Severity.CRITICAL
    assert found.risk is not None
    assert found.risk.safety is not Safety.YES


def test_an_empty_database_and_a_lock_that_does_not_know_are_never_ahead() -> None:
    empty = tell(lock(2), lock(3), ["r3"], photograph({}))
    assert (empty.verdict, empty.risk) == (State.EMPTY, None)
    built = list_built(LINE[:2])
    waiting = LockedRevision(revision=LINE[2].revision, digest="", delta=None)
    base = make_snapshot(())
    lock_of = make_lock(
        base, built, place=VersionPlace(), server_version=180000, unbuilt=[waiting]
    )
    newer = States(lock_of)
    unknown = tell(lock(2), newer, ["r3"], at(2))
    assert (unknown.verdict, unknown.risk) == (State.UNKNOWN, None)


def known_at(minutes: float, before: tuple[str, ...] = ("r2",)) -> Known:
    return Known(lock(2), (), Move(NOW - timedelta(minutes=minutes), before))


@pytest.mark.parametrize(
    ("known", "may"),
    [
        (known_at(3), True),
        (known_at(15), False),
        (known_at(3, ("nobody",)), False),
        (known_at(3, ()), False),
        (Known(lock(2)), False),
    ],
)
def test_a_stamp_that_moved_from_a_known_one_is_given_time(known: Known, *, may: bool) -> None:
    assert (may_wait(known, NOW, GRACE) is not None) is may


@pytest.mark.parametrize(("lacking", "verdict"), [(0, "ahead"), (1, "unknown_revision")])
def test_it_is_waited_for_where_the_old_schema_still_holds(lacking: int, verdict: str) -> None:
    unknown = judge(lock(2), ["r9"], at(2))
    assert unknown.verdict is State.UNKNOWN_REVISION
    found = wait_for_lock(unknown, Move(NOW, ("r2",)), lacking=lacking)
    assert found.verdict == verdict
    assert ("since 12:00 UTC, after r2" in found.summary) is (not lacking)


def test_what_is_known_waits_for_nothing() -> None:
    pending = judge(lock(2), ["r1"], at(1))
    assert wait_for_lock(pending, Move(NOW, ("r2",)), lacking=0) is pending
