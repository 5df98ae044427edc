from collections.abc import Iterable

import pytest

from monitor.core.history import Revision, make_history
from monitor.core.lock import Lock, LockedRevision, VersionPlace
from monitor.core.lock_building import Built, make_lock
from monitor.core.lock_check import check_lock
from monitor.core.snapshot import make_snapshot

NOTHING = make_snapshot([])


def a_revision(name: str, *down: str, label: str | None = None, path: str = "") -> Revision:
    labels = () if label is None else (label,)
    return Revision(id=name, down=down, branch_labels=labels, path=path or f"{name}.py")


def a_lock(*revisions: Revision, width: int | None = 32, unbuilt: bool = False) -> Lock:
    built = [Built(one, f"digest of {one.path}", NOTHING) for one in revisions]
    waiting = [LockedRevision(revision=a_revision("late"), digest="d", delta=None)]
    return make_lock(
        NOTHING,
        built,
        place=VersionPlace(width=width),
        server_version=180000,
        unbuilt=waiting if unbuilt else (),
        stopped_at=("late", "relation nowhere does not exist.") if unbuilt else None,
    )


def find(
    lock: Lock, revisions: Iterable[Revision], **digests: str
) -> list[tuple[str, str | None]]:
    history = make_history(revisions)
    files = {one.path: f"digest of {one.path}" for one in history.revisions}
    problems = check_lock(lock, history, files | {f"{n}.py": d for n, d in digests.items()})
    assert all(problem.message.endswith(".") and problem.command for problem in problems)
    return [(problem.name, problem.revision) for problem in problems]


A, B, C = a_revision("a"), a_revision("b", "a"), a_revision("c", "b")


def test_a_lock_of_the_history_as_it_is_has_no_problem() -> None:
    assert find(a_lock(A, B, C), [A, B, C]) == []


def test_a_revision_that_came_later_is_not_locked() -> None:
    assert find(a_lock(A, B), [A, B, C]) == [("unlocked", "c")]


def test_a_file_that_was_edited_after_it_was_locked_is_told() -> None:
    assert find(a_lock(A, B, C), [A, B, C], b="other") == [("edited", "b")]


def test_a_revision_below_a_locked_one_is_told_with_where_it_belongs() -> None:
    between = a_revision("x", "a")
    moved = a_revision("b", "x")
    lock = a_lock(A, B, C)
    assert find(lock, [A, between, moved, C]) == [("inserted", "x")]
    [problem] = check_lock(
        lock,
        make_history([A, between, moved, C]),
        {one.path: f"digest of {one.path}" for one in (A, between, moved, C)},
    )
    assert problem.command == "Move it to the end: down_revision = 'c'."


def test_a_file_that_is_gone_is_told() -> None:
    assert find(a_lock(A, B, C), [A, B]) == [("gone", "c")]


def test_two_files_of_one_revision_are_told() -> None:
    twin = a_revision("b", "a", path="z.py")
    assert find(a_lock(A, B, C), [A, B, C, twin]) == [("duplicate", "b")]


def test_what_a_revision_follows_must_exist() -> None:
    stray = a_revision("d", "nil")
    assert find(a_lock(A, B, C, stray), [A, B, C, stray]) == [("missing", "d"), ("heads", None)]


def test_a_circle_is_told() -> None:
    one, other = a_revision("x", "y"), a_revision("y", "x")
    assert ("cycle", "x") in find(a_lock(A, one, other), [A, one, other])


def test_several_heads_are_told_but_for_branches_with_labels_of_their_own() -> None:
    other = a_revision("d", "a")
    assert find(a_lock(A, B, other), [A, B, other]) == [("heads", None)]
    expand, contract = a_revision("e", label="expand"), a_revision("k", label="contract")
    assert find(a_lock(expand, contract), [expand, contract]) == []


@pytest.mark.parametrize(("width", "is_told"), [(32, True), (64, False), (None, False)])
def test_an_id_longer_than_the_version_column_is_told(width: int | None, *, is_told: bool) -> None:
    long = a_revision("x" * 40)
    expected = [("width", "x" * 40)] if is_told else []
    assert find(a_lock(long, width=width), [long]) == expected


def test_a_revision_that_did_not_run_is_told_with_the_reason() -> None:
    late = a_revision("late")
    found = find(a_lock(A, unbuilt=True), [A, late], late="d")
    assert ("unbuilt", "late") in found


def test_heads_of_branches_with_labels_are_right_where_one_depends_on_the_other() -> None:
    expand = a_revision("x", label="expand")
    contract = Revision(id="k", depends_on=("x",), branch_labels=("contract",), path="k.py")
    assert find(a_lock(expand, contract), [expand, contract]) == []
