"""What `anchorwatch orphans repair` does: looks, plans, and acts where it is told to."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from monitor import __version__
from monitor.cli.checking import Broken, Subject, guard_subject, list_subjects, make_target
from monitor.cli.choices import RepairStrategy
from monitor.cli.loop import run_loop
from monitor.cli.progress import show_progress
from monitor.cli.sources import BuildChoices
from monitor.core.condition import require_condition
from monitor.core.errors import ConfigurationError, UsageError
from monitor.core.printing import clean
from monitor.core.relation import Relation
from monitor.core.relation_text import parse_relation, write_relation
from monitor.remedy.repair.repairing import repair
from monitor.remedy.repair.undoing import Undoing, undo
from monitor.remedy.repair.wish import Outcome, Strategy, Wish
from monitor.sources.dsn import Dsn, parse_dsn
from monitor.sources.servers import WatchedServers
from monitor.watch.expectation import Expectations
from monitor.watch.inspection import read_database
from monitor.watch.orphans import find_keys
from monitor.watch.target import add_locks

_ARROW: Final = "->"


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
            next_step="Leave --relation, --strategy, --where and --value out.",
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
    relation = narrow(choose_relation(await _list_known(subject), asked.relation), asked.where)
    wish = Wish(
        relation=relation,
        strategy=asked.strategy,
        max_rows=asked.max_rows,
        with_dependents=asked.with_dependents,
        fire_triggers=asked.fire_triggers,
        values=values,
        reason=asked.reason,
        version=__version__,
    )
    deadlines = subject.orphans.deadlines
    return await repair(subject.dsn, repaired, wish, deadlines=deadlines, is_applied=is_applied)


def undo_batch(place: Place, batch: int, *, fire_triggers: bool, is_applied: bool) -> Outcome:
    """Bring a batch of the quarantine back, or say what would be done.

    Raises:
        AnchorwatchError: the command or the configuration cannot be used, or it failed.
    """
    subject, repaired = _find_subject(place)
    wish = Undoing(batch=batch, fire_triggers=fire_triggers)
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


async def _list_known(subject: Subject) -> tuple[Relation, ...]:
    """The relations that `anchorwatch orphans` counts there."""
    now = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        guarded = guard_subject(subject, WatchedServers([subject.dsn]))
        target = await add_locks(make_target(guarded, Expectations(stack)), now)
        snapshot = (await read_database(target, now)).snapshot
        return (*await find_keys(target, snapshot), *subject.orphans.relations)


def choose_relation(known: Iterable[Relation], text: str) -> Relation:
    """The one relation that is meant: by its name, or as it is written.

    A text that says the same as a relation that is known means that one, with its condition.

    Raises:
        UsageError: there is none, or there are several.
    """
    listed = [*known]
    found = [relation for relation in listed if relation.name == text]
    parsed: Relation | None = None
    if not found and _ARROW in text:
        parsed = parse_relation(text)
        found = [relation for relation in listed if _shape(relation) == _shape(parsed)]
    match found:
        case [relation]:
            return relation
        case [] if parsed is not None:
            return parsed
        case []:
            raise UsageError(
                f"No foreign key or configured relation is called {text!r}.",
                next_step="`anchorwatch orphans` lists them; or write it like "
                "orders.user_id -> users.id.",
            )
    raise UsageError(
        f"{text!r} may mean {len(found)} relations: {'; '.join(map(_describe_relation, found))}.",
        next_step="Write which one, like orders.user_id -> users.id, or by its name.",
    )


def _shape(relation: Relation) -> tuple[object, ...]:
    return (relation.child, relation.columns, relation.parent, relation.referenced)


def _describe_relation(relation: Relation) -> str:
    """As in `orders_user, public.orders(user_id) -> public.users(id)`."""
    where = f" where {relation.where}" if relation.where else ""
    return f"{relation.name}, {write_relation(relation)}{where}"


def narrow(relation: Relation, where: str) -> Relation:
    """The relation of fewer rows: its own condition holds as well.

    Raises:
        UsageError: one of the conditions could end what is around it.
    """
    conditions = [require_condition(text) for text in (relation.where, where.strip()) if text]
    joined = " and ".join(f"({text}\n)" for text in conditions)
    return msgspec.structs.replace(relation, where=joined if conditions else "")


def describe_outcome(outcome: Outcome) -> dict[str, Any]:
    """The document of the contract."""
    found: dict[str, Any] = msgspec.to_builtins(outcome)
    return found


def write_outcome(outcome: Outcome) -> str:
    """The same for a person."""
    return "\n".join((*map(clean, _list_lines(outcome)), *_list_statements(outcome)))


def _list_statements(outcome: Outcome) -> Iterator[str]:
    """What would be done, as it would be, one statement after another."""
    if not (outcome.applied or outcome.refused):
        for statement in outcome.statements:
            yield f"{clean(statement, keep_lines=True)};"


def _list_lines(outcome: Outcome) -> Iterator[str]:
    yield f"{outcome.strategy} of {_write_subject(outcome)}: {_write_end(outcome)}"
    width = max((len(str(act.rows)) for act in outcome.rows), default=1)
    for act in outcome.rows:
        yield f"  {act.rows:>{width}}  {act.table}  {act.action}"
    for refusal in outcome.refused:
        yield f"  refused: {refusal.reason}"
        yield f"    {refusal.next}"
    yield from _list_next(outcome)


def _write_subject(outcome: Outcome) -> str:
    batch = f"batch {outcome.batch}, " if outcome.strategy == "undo" else ""
    return f"{batch}{outcome.relation}"


def _write_end(outcome: Outcome) -> str:
    rows = sum(act.rows for act in outcome.rows)
    if outcome.refused:
        return "refused, nothing was changed"
    if not rows:
        return "no row has lost its parent, nothing to do"
    noun = "row" if rows == 1 else "rows"
    if outcome.applied:
        return f"done, {rows} {noun}"
    return f"would change {rows} {noun}, nothing was changed"


def _list_next(outcome: Outcome) -> Iterator[str]:
    if outcome.remaining:
        yield (
            f"  {outcome.remaining} rows have lost their parents by this: they referenced rows "
            "that left. Run it again for them."
        )
    if outcome.applied and outcome.batch is not None and outcome.strategy != "undo":
        yield f"  They are kept as batch {outcome.batch}: --undo {outcome.batch} brings them back."
    if not (outcome.applied or outcome.refused) and outcome.rows:
        yield "  Add --apply to do it."
