"""An Alembic history, replayed in a scratch in one run and checked afterwards."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from monitor.core.dated import SAID
from monitor.core.errors import BuildError, StatementFailed
from monitor.core.history import History
from monitor.core.snapshot import Snapshot
from monitor.sources.build import BuildOptions, explain, make_interpreter, make_job
from monitor.sources.extensions import admit_extensions
from monitor.sources.interpreter import Applied, Asked, Failed, Said, Seen
from monitor.sources.observation import Observation, make_reading
from monitor.sources.roles import admit_roles
from monitor.sources.scripts import SECTION, Scripts
from monitor.sources.shadow import Scratch


class Start(NamedTuple):
    """What a scratch has when a history begins to run there.

    Attributes:
        stamped: the revisions that it is of.
        is_of_heads: whether it is of the heads, and is to be taken back to the first revision.
    """

    stamped: tuple[str, ...] = ()
    is_of_heads: bool = False


FROM_NOTHING: Final = Start()


async def replay(  # noqa: PLR0913  # where, what, how, and who looks on
    scratch: Scratch,
    scripts: Scripts,
    revisions: Iterable[str],
    options: BuildOptions,
    *,
    observation: Observation | None = None,
    order: Sequence[str] = (),
    start: Start = FROM_NOTHING,
) -> None:
    """Upgrade the scratch to ``revisions``, in one run as a deployment does.

    Args:
        scratch: where.
        scripts: the history.
        revisions: up to where.
        options: how the user's code is run.
        observation: is told the schema after every revision.
        order: the order of the revisions; none for Alembic's own.
        start: what is there when it begins.

    Raises:
        BuildError: a revision is not in the history, or env.py or a migration failed;
            names it.
        TooSlow: it took longer than its deadline.
    """
    wanted = tuple(revisions)
    unknown = [one for one in wanted if not scripts.history.is_known(one)]
    if unknown:
        raise BuildError(
            f"The history of {scripts.ini.name} has no revision {unknown[0]}.",
            next_step="Check out the commit that has it.",
        )
    if not wanted:
        return
    wanted = scripts.history.reduce(wanted)  # Alembic refuses those that include each other
    interpreter = make_interpreter(options, directory=scripts.directory)
    job = make_job(
        scratch,
        options,
        interpreter.environment,
        hint=scripts.driver,
        is_async=scripts.is_async,
    )
    job |= {"task": "replay", "ini": str(scripts.ini), "section": SECTION}
    job["revisions"] = list(wanted)
    if observation is not None:
        job["reading"] = make_reading(scratch.major)
    if order:
        job["order"] = list(order)
    job["stamped"] = list(start.stamped)
    job["downgrade"] = start.is_of_heads
    job["dates"] = SAID
    attendant = _Attendant(scratch, options, observation)
    ended = await interpreter.run(job, attendant.respond)
    if isinstance(ended, Failed):
        if observation is not None:
            observation.stopped_at = ended.revision
        where = f"revision {ended.revision}" if ended.revision else "env.py"
        detail = attendant.refusal or ended.detail
        failed = Failed(code=ended.code, detail=detail, revision=ended.revision)
        raise explain(failed, interpreter, scratch, f"{scripts.ini.name}: {where}")
    options.hear(ended.dates)


class _Attendant:
    """Tells how far a run is, and creates what its role may not."""

    def __init__(
        self, scratch: Scratch, options: BuildOptions, observation: Observation | None
    ) -> None:
        self._scratch = scratch
        self._options = options
        self._observation = observation
        self.refusal: str | None = None

    async def respond(self, event: Said) -> str | None:
        if isinstance(event, Seen) and self._observation is not None:
            self._observation.take(event)
        if isinstance(event, Applied):
            self._options.progress(f"revision {event.revision} ({event.done} of {event.total})")
        if not isinstance(event, Asked):
            return None
        try:
            return await admit_extensions(self._scratch, admit_roles(self._scratch, event.sql))
        except StatementFailed as error:
            self.refusal = error.message
            return event.sql  # the builder is refused as well, and the migration says where


def check_moved(snapshot: Snapshot, history: History, revisions: Iterable[str]) -> None:
    """Make sure that the history ran here, and not in some other database.

    Raises:
        BuildError: the version rows are not those of ``revisions``.
    """
    wanted = history.ancestors(revisions)
    rows = {row for table in snapshot.version_tables for row in table.revisions or ()}
    if history.ancestors(rows) == wanted:
        return
    found = ", ".join(sorted(rows)) or "none"
    raise BuildError(
        "env.py reported success, but the shadow is not at "
        f"{', '.join(history.reduce(wanted))}: its version rows are {found}.",
        next_step="Make env.py migrate the database of its configuration, DATABASE_URL or the "
        "variable named with `--url-env NAME`, and nothing else.",
    )
