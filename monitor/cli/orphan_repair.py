"""What `anchorwatch orphans repair` does: looks, plans, and acts where it is told to."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import NamedTuple

from monitor import __version__
from monitor.cli.checking import Broken, Subject, guard_subject, list_subjects, make_target
from monitor.cli.choices import RepairStrategy
from monitor.cli.loop import run_loop
from monitor.cli.progress import show_progress
from monitor.cli.sources import BuildChoices
from monitor.core.condition import require_condition
from monitor.core.errors import ConfigurationError, UsageError
from monitor.core.relation import Relation, list_loose
from monitor.core.relation_choice import choose_relation, narrow
from monitor.remedy.repair.repairing import repair
from monitor.remedy.repair.undoing import Undoing, undo
from monitor.remedy.repair.wish import Outcome, Strategy, Wish
from monitor.sources.dsn import Dsn, parse_dsn
from monitor.sources.servers import WatchedServers
from monitor.watch.expectation import Expectations
from monitor.watch.inspection import read_database
from monitor.watch.orphans import Keys, find_keys
from monitor.watch.target import add_locks


class Place(NamedTuple):
    """Where it happens.

    Attributes:
        database: a URL or a configured name.
        repair_url: in place of the one that is configured.
        config: where the configuration is.
        expected: what the schema should be, in place of what is configured.
        choices: how that is built.
    """

    database: str
    repair_url: str | None
    config: str | None
    expected: str | None
    choices: BuildChoices


class Asked(NamedTuple):
    """What the command line says about rows.

    Attributes:
        relation: a name, or a text.
        strategy: what is done about them.
        where: which of them, in SQL.
        values: `COLUMN=TEXT` of adopted parents.
        max_rows: how many may be changed.
        with_dependents: whether rows that reference them may be.
        fire_triggers: whether triggers may fire.
        reason: why.
    """

    relation: str
    strategy: Strategy
    where: str
    values: Sequence[str]
    max_rows: int
    with_dependents: bool
    fire_triggers: bool
    reason: str


def require_text(*texts: str) -> None:
    """Nothing, where all of them are text.

    Raises:
        UsageError: one holds bytes that are none.
    """
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise UsageError(
            "An option holds bytes that are no text.", next_step="Write it in UTF-8."
        ) from None


def require_choice(relation: str | None, strategy: RepairStrategy | None) -> tuple[str, Strategy]:
    """The two that have to be said.

    Raises:
        UsageError: one is missing.
    """
    if not relation or strategy is None:
        raise UsageError(
            "--relation and --strategy say what is repaired, and how.",
            next_step="Name both, or --undo BATCH.",
        )
    return relation, Strategy(strategy.value)


def refuse_beside_undo(*options: object) -> None:
    """Nothing, where no option is given that an undo does not know.

    Raises:
        UsageError: one is.
    """
    if any(options):
        raise UsageError(
            "--undo brings back a whole batch, whatever relation it was of.",
            next_step="Leave all that says which rows, how and why out.",
        )


def repair_rows(place: Place, asked: Asked, *, is_applied: bool) -> Outcome:
    """Repair the rows of one relation, or say what would be done.

    Raises:
        AnchorwatchError: the command or the configuration cannot be used, or it failed.
    """
    require_text(asked.relation, asked.where, asked.reason, *asked.values)
    values = _read_values(asked)
    require_condition(asked.where)
    subject, repaired = _find_subject(place)
    with show_progress(f"repairing rows without a parent in {subject.name}"):
        return run_loop(_repair(subject, repaired, asked, values, is_applied=is_applied))


async def _repair(
    subject: Subject,
    repaired: Dsn,
    asked: Asked,
    values: tuple[tuple[str, str], ...],
    *,
    is_applied: bool,
) -> Outcome:
    keys = await _list_keys(subject)
    relation = narrow(_find_relation(subject, keys, asked.relation), asked.where)
    wish = Wish(
        relation=relation,
        strategy=asked.strategy,
        max_rows=asked.max_rows,
        with_dependents=asked.with_dependents,
        fire_triggers=asked.fire_triggers,
        loose=list_loose((*keys.relations, *subject.orphans.relations)),
        values=values,
        reason=asked.reason,
        version=__version__,
    )
    deadlines = subject.orphans.deadlines
    return await repair(subject.dsn, repaired, wish, deadlines=deadlines, is_applied=is_applied)


def undo_batch(place: Place, wish: Undoing, *, is_applied: bool) -> Outcome:
    """Bring a batch of the quarantine back, or say what would be done.

    Raises:
        AnchorwatchError: the command or the configuration cannot be used, or it failed.
    """
    subject, repaired = _find_subject(place)
    deadlines = subject.orphans.deadlines
    with show_progress(f"bringing rows back in {subject.name}"):
        return run_loop(
            undo(subject.dsn, repaired, wish, deadlines=deadlines, is_applied=is_applied)
        )


def _find_subject(place: Place) -> tuple[Subject, Dsn]:
    """The database, and how it is reached by who may write."""
    (subject,) = list_subjects([place.database], place.expected, place.choices, place.config)
    if isinstance(subject, Broken):
        raise subject.error
    if place.repair_url is not None:
        return subject, parse_dsn(place.repair_url)[0]
    if subject.repair is None:
        raise ConfigurationError(
            f"{subject.name} has no URL of a role that may repair it.",
            next_step="Set `repair_url` of the database (or its variable), or give --repair-url: "
            "the URL that anchorwatch watches with is never written with.",
        )
    return subject, subject.repair


def _read_values(asked: Asked) -> tuple[tuple[str, str], ...]:
    pairs = [text.partition("=") for text in asked.values]
    if pairs and asked.strategy is not Strategy.ADOPT:
        raise UsageError(
            "--value is of parents that are adopted.", next_step="Use --strategy adopt with it."
        )
    names = [name for name, _, _ in pairs]
    if not all(name and sign for name, sign, _ in pairs) or len({*names}) < len(names):
        raise UsageError(
            "--value names no column, or one twice.", next_step="Write it like --value name=ghost."
        )
    return tuple((name, text) for name, _, text in pairs)


def _find_relation(subject: Subject, keys: Keys, text: str) -> Relation:
    """The one that is meant, of those that `anchorwatch orphans` counts there."""
    try:
        return choose_relation((*keys.relations, *subject.orphans.relations), text)
    except UsageError as error:
        if keys.problem is None:
            raise
        raise UsageError(
            f"{error.message} Those that are only expected are not known: {keys.problem.message}",
            next_step=keys.problem.next_step,
        ) from None


async def _list_keys(subject: Subject) -> Keys:
    now = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        guarded = guard_subject(subject, WatchedServers([subject.dsn]))
        target = await add_locks(make_target(guarded, Expectations(stack)), now)
        snapshot = (await read_database(target, now)).snapshot
        return await find_keys(target, snapshot)
