"""What `anchorwatch silence` does: adds, lists and ends."""

import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from monitor.cli.choices import Format
from monitor.cli.loop import run_loop
from monitor.cli.output import print_json, print_text, write_time
from monitor.cli.person import name_person
from monitor.cli.settings import load_settings
from monitor.core.errors import UsageError
from monitor.core.patterns import ANYTHING
from monitor.core.printing import clean
from monitor.core.silence import Silence, read_class, read_end, silence
from monitor.sinks.visit import visit_store


class Wish(NamedTuple):
    """What the command line says."""

    database: str | None
    reason: str | None
    duration: str | None
    until: str | None
    finding_class: str | None
    object: str
    environment: str
    show: bool
    end: str | None


def run_silence(wish: Wish, *, form: Format, config: str | None) -> None:
    """Do what is asked for, and print what came of it.

    Raises:
        AnchorwatchError: it could not be done; then nothing was.
    """
    now = datetime.now(UTC)
    _check(wish)
    made = None if wish.show or wish.end is not None else _make(wish, now)
    url = load_settings(config).settings.store_url.get_secret_value()
    if wish.end is not None:
        _print_one(run_loop(_end(url, wish.end, now)), "Ended: what is still so is told.", form)
    elif made is not None:
        run_loop(_add(url, made))
        _print_one(made, "Silenced. When it ends, what is still so is told.", form)
    else:
        found = run_loop(_list(url, now))
        if form is Format.JSON:
            print_json({"silences": [describe_silence(one) for one in found]})
        else:
            print_text("\n".join(_write_all(found)) or "Nothing is silenced.")


def _check(wish: Wish) -> None:
    acts = [wish.show, wish.end is not None, wish.database is not None]
    if sum(acts) > 1:
        raise UsageError(
            "A database, --list and --end exclude each other.", next_step="Give one of them."
        )
    if not any(acts):
        raise UsageError(
            "Nothing is named that is to be quiet.",
            next_step="""Name a database: `anchorwatch silence app --for 2h --reason "..."`.""",
        )


def _make(wish: Wish, now: datetime) -> Silence:
    if wish.reason is None:
        raise UsageError("There is no reason.", next_step='Say why: --reason "...".')
    return silence(
        id=secrets.token_hex(6),
        environment=wish.environment,
        database=wish.database or ANYTHING,
        finding_class=read_class(wish.finding_class),
        object=wish.object,
        reason=wish.reason,
        by=name_person(),
        at=now,
        until=read_end(wish.duration, wish.until, now),
    )


async def _add(url: str, made: Silence) -> None:
    async with visit_store(url) as store:
        await store.add_silence(made)


async def _list(url: str, now: datetime) -> list[Silence]:
    async with visit_store(url) as store:
        return await store.list_silences(after=now)


async def _end(url: str, which: str, now: datetime) -> Silence:
    async with visit_store(url) as store:
        over = await store.end_silence(which, now)
    if over is None:
        raise UsageError(
            "No silence that holds has this id.",
            next_step="`anchorwatch silence --list` lists them.",
        )
    return over


def describe_silence(one: Silence) -> dict[str, Any]:
    """A silence as JSON has it."""
    return {
        "id": one.id,
        "environment": one.environment,
        "database": one.database,
        "class": one.finding_class.value if one.finding_class else None,
        "object": one.object,
        "reason": one.reason,
        "by": one.by,
        "at": one.at,
        "until": one.until,
    }


def _print_one(one: Silence, words: str, form: Format) -> None:
    if form is Format.JSON:
        print_json({"silence": describe_silence(one)})
    else:
        print_text("\n".join([words, *_write_all([one])]))


def _write_all(silences: Sequence[Silence]) -> Iterator[str]:
    for one in silences:
        yield f"  {one.id}  {clean(str(one))}, until {write_time(one.until)}"
        yield f"    {clean(one.reason)} ({clean(one.by)})"
