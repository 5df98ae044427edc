"""What is wrong between a lock and the history it was built from."""

from collections.abc import Iterator, Mapping

import msgspec

from monitor.core.history import History
from monitor.core.lock import Lock


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        name: a bounded word: ``edited``, ``unlocked``, ``inserted``, ``gone``, ``duplicate``,
            ``missing``, ``cycle``, ``heads``, ``width``, ``unbuilt``.
        revision: the revision it is about, where it is about one.
        message: what is wrong, in one sentence.
        command: what leads out.
    """

    name: str
    revision: str | None
    message: str
    command: str


_BUILD = "anchorwatch lock build"
_MERGE = "alembic merge heads"


def check_lock(lock: Lock, history: History, digests: Mapping[str, str]) -> tuple[Problem, ...]:
    """Everything that is wrong, in a fixed order.

    Args:
        lock: what was built once.
        history: the graph as its files are now.
        digests: SHA-256 of each revision's file, by its path.
    """
    return (
        *_check_graph(history),
        *_check_files(lock, history, digests),
        *_check_width(lock, history),
        *_check_build(lock),
    )


def _check_graph(history: History) -> Iterator[Problem]:
    for other in history.duplicates:
        first = history.by_id[other.id]
        yield Problem(
            "duplicate",
            other.id,
            f"{first.path} and {other.path} both state the revision {other.id}.",
            "Give one of them another id: alembic revision --rev-id NEW, then move its body.",
        )
    for name, named_by in history.missing.items():
        yield Problem(
            "missing",
            named_by[0],
            f"Revision {named_by[0]} follows {name}, which no file has.",
            "Check out the commit that has it.",
        )
    if history.cycles:
        names = ", ".join(history.cycles)
        yield Problem(
            "cycle",
            history.cycles[0],
            f"Revisions follow each other in a circle: {names}.",
            "Correct the down_revision of one of them.",
        )
    if len(history.heads) > 1 and not _is_labelled(history):
        yield Problem(
            "heads",
            None,
            f"There are {len(history.heads)} heads: {', '.join(history.heads)}. "
            "`alembic upgrade head` refuses to choose.",
            _MERGE,
        )


def _is_labelled(history: History) -> bool:
    """Whether each head is of a branch with a label of its own, as expand and contract are."""
    labels = [
        {name for one in history.lineage((head,)) for name in history.by_id[one].branch_labels}
        for head in history.heads
    ]
    return all(
        own - set().union(*(other for place, other in enumerate(labels) if place != number))
        for number, own in enumerate(labels)
    )


def _check_files(lock: Lock, history: History, digests: Mapping[str, str]) -> Iterator[Problem]:
    released = history.ancestors(lock.by_id)
    for one in history.revisions:
        locked = lock.by_id.get(one.id)
        if locked is None and one.id in released - lock.by_id.keys():
            after = min(name for name in lock.by_id if one.id in history.ancestors((name,)))
            yield Problem(
                "inserted",
                one.id,
                f"Revision {one.id} stands below {after}, which was locked before it: databases "
                "that are past it will never run it.",
                f"Move it to the end: down_revision = {', '.join(lock.history.heads)!r}.",
            )
        elif locked is None:
            yield Problem("unlocked", one.id, f"Revision {one.id} is not in the lock.", _BUILD)
        elif digests.get(one.path) != locked.digest:
            yield Problem(
                "edited",
                one.id,
                f"{one.path} was edited after revision {one.id} was locked: databases that ran "
                "it have the old content.",
                f"Undo the edit and write a new revision, or, where nobody has run it, {_BUILD}",
            )
    for name in sorted(lock.by_id.keys() - history.by_id.keys()):
        yield Problem(
            "gone",
            name,
            f"Revision {name} is in the lock, and no file has it any more.",
            f"Bring its file back, or {_BUILD}, which keeps it as retired.",
        )


def _check_width(lock: Lock, history: History) -> Iterator[Problem]:
    width = lock.place.width
    for one in history.revisions:
        if width is not None and len(one.id) > width:
            yield Problem(
                "width",
                one.id,
                f"Revision {one.id} has {len(one.id)} characters, and the version column takes "
                f"{width}.",
                f'ALTER TABLE "{lock.place.name}" ALTER version_num TYPE varchar({len(one.id)})',
            )


def _check_build(lock: Lock) -> Iterator[Problem]:
    if lock.stopped_at is not None:
        revision, reason = lock.stopped_at
        yield Problem(
            "unbuilt",
            revision,
            f"What revision {revision} changes is not known, for it did not run: {reason}",
            f"Make it run, then {_BUILD}",
        )
