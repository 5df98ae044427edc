"""What a lock file promises at a revision."""

from monitor.core.errors import BuildError
from monitor.core.lock import Lock
from monitor.core.lock_states import States
from monitor.core.snapshot import Snapshot
from monitor.core.source import Source

_NAMES_SHOWN = 3


def read_lock_at(lock: Lock, source: Source) -> Snapshot:
    """The schema at the revision that a source names.

    Raises:
        UsageError: the lock has no such revision.
        BuildError: a revision on the way was not built, or the order of some decides what
            an object is.
    """
    history = lock.history
    revisions = history.ancestors(history.resolve(source.revision or ""))
    unbuilt = [one.id for one in lock.revisions if one.id in revisions and one.delta is None]
    if unbuilt:
        raise BuildError(
            f"{source} does not know what revision {unbuilt[0]} does: {_tell_stop(lock)}.",
            next_step="Make it run, and build the lock again; or name a revision before it.",
        )
    states = States(lock)
    fold = states.fold(revisions)
    if fold.unknown:
        names = [str(key) for key in sorted(fold.unknown, key=lambda key: key.order)]
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        raise BuildError(
            f"In {source} the order of the revisions decides what "
            f"{', '.join(names[:_NAMES_SHOWN])}{more} is.",
            next_step="Name a revision that follows both branches, or build the set itself: "
            "`alembic:PATH/alembic.ini@REV`.",
        )
    return states.make_snapshot(revisions)


def _tell_stop(lock: Lock) -> str:
    """Why some of its revisions were not built."""
    if lock.stopped_at is None:
        return "it was not built"
    revision, reason = lock.stopped_at
    return f"the replay stopped at {revision} ({reason.rstrip('.')})"
