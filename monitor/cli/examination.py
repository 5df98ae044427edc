"""What `anchorwatch doctor` examines."""

import asyncio
import platform
from collections.abc import Iterator
from typing import Any, NamedTuple

from monitor.cli.output import clean
from monitor.core.errors import AnchorwatchError
from monitor.sources.engine import find_binaries, installed_majors


class Examined(NamedTuple):
    """One thing that was examined."""

    name: str
    is_well: bool
    message: str
    next_step: str = ""


def examine(config: str | None) -> Iterator[Examined]:
    """Python, the shadow server, the configuration, the ledger, every database."""
    yield Examined("python", is_well=True, message=platform.python_version())
    yield _examine_engine()
    from monitor.cli.settings import load_settings

    try:
        loaded = load_settings(config, may_be_empty=True)
    except AnchorwatchError as error:
        yield Examined(
            "configuration", is_well=False, message=error.message, next_step=error.next_step
        )
        return
    for problem in loaded.problems:
        yield Examined(
            "configuration", is_well=False, message=problem.message, next_step=problem.next_step
        )
    names = ", ".join(loaded.settings.databases) or "no database"
    yield Examined("configuration", is_well=True, message=names)
    yield asyncio.run(_examine_store(loaded.settings.store_url.get_secret_value()))
    for name, database in loaded.settings.databases.items():
        yield asyncio.run(_examine_database(name, database))


def _examine_engine() -> Examined:
    try:
        binaries = find_binaries()
    except AnchorwatchError as error:
        return Examined(
            "shadow server", is_well=False, message=error.message, next_step=error.next_step
        )
    majors = ", ".join(map(str, installed_majors())) or str(binaries.major)
    return Examined("shadow server", is_well=True, message=f"PostgreSQL {majors}")


async def _examine_store(url: str) -> Examined:
    from monitor.sinks.store import open_store

    try:
        async with open_store(url) as store:
            await store.count_outbox()
    except AnchorwatchError as error:
        return Examined("ledger", is_well=False, message=error.message, next_step=error.next_step)
    return Examined("ledger", is_well=True, message="can be read and written")


async def _examine_database(name: str, database: Any) -> Examined:
    from monitor.sources.postgres import connect

    try:
        async with connect(database.dsn) as session:
            facts = session.facts
    except AnchorwatchError as error:
        return Examined(
            f"database {name}", is_well=False, message=error.message, next_step=error.next_step
        )
    message = f"PostgreSQL {facts.major}, can be reached"
    if facts.is_superuser:
        message += "; the role is a superuser, `anchorwatch grants` makes one that may only look"
    return Examined(f"database {name}", is_well=True, message=message)


def describe_examined(one: Examined) -> dict[str, Any]:
    """As JSON has it."""
    status = "pass" if one.is_well else "fail"
    return {"name": one.name, "status": status, "message": one.message, "command": one.next_step}


def write_examined(one: Examined) -> str:
    """For a person."""
    line = f"{'ok  ' if one.is_well else 'FAIL'}  {clean(one.name)}: {clean(one.message)}"
    return f"{line}\n      {clean(one.next_step)}" if one.next_step else line
