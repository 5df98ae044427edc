"""What `anchorwatch doctor` examines."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from monitor.agent.choices import make_deadlines
from monitor.checks.history import read_stamp
from monitor.cli.loop import run_loop
from monitor.cli.progress import show_progress
from monitor.cli.settings import load_settings
from monitor.config.databases import DatabaseSettings
from monitor.config.load import LoadedConfig
from monitor.core.errors import AnchorwatchError, ConfigurationError, StoreError
from monitor.core.printing import clean
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import Snapshot
from monitor.sources.engine import find_binaries, installed_majors
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot
from monitor.sources.selftest import Planted, plant_all
from monitor.sources.shadow import open_shadow


class Examined(NamedTuple):
    """One thing that was examined.

    Attributes:
        name: what.
        message: what was found.
        next_step: what to do about it; empty when all is well.
        exit_code: 0 when all is well, else what a command that needs it would end with.
    """

    name: str
    message: str
    next_step: str = ""
    exit_code: int = 0


def _fail(name: str, error: AnchorwatchError) -> Examined:
    return Examined(name, error.message, error.next_step, error.exit_code)


def examine(config: str | None) -> Iterator[Examined]:
    """Python, the shadow server, the configuration, the ledger, every database."""
    yield Examined("python", platform.python_version())
    yield _examine_engine()
    try:
        loaded = load_settings(config, may_be_empty=True)
    except AnchorwatchError as error:
        yield _fail("configuration", error)
        return
    yield from _examine_configuration(loaded)
    yield run_loop(examine_store(loaded.settings.store_url.get_secret_value()))
    for name, database in loaded.settings.databases.items():
        yield run_loop(_examine_database(name, database))


def _examine_engine() -> Examined:
    try:
        binaries = find_binaries()
    except AnchorwatchError as error:
        return _fail("shadow server", error)
    majors = ", ".join(map(str, installed_majors())) or str(binaries.major)
    return Examined("shadow server", f"PostgreSQL {majors}")


def _examine_configuration(loaded: LoadedConfig) -> Iterator[Examined]:
    for problem in loaded.problems:
        yield Examined(
            "configuration", problem.message, problem.next_step, ConfigurationError.exit_code
        )
    names = ", ".join(loaded.settings.databases) or "no database"
    yield Examined("configuration", names)


async def examine_store(url: str) -> Examined:
    """The ledger; one that is not there yet is not made."""
    path = Path(unquote(url.partition(":///")[2])) if url.startswith("sqlite") else None
    try:
        if path is not None and not path.exists():
            return _examine_place(path)
    except OSError as error:
        return Examined(
            "ledger",
            f"{path} cannot be looked for: {error.strerror}.",
            "Let this user enter its directory, or set ANCHORWATCH_STORE_URL.",
            StoreError.exit_code,
        )
    from monitor.sinks.store import open_store

    try:
        async with open_store(url) as store:
            await store.count_outbox()
    except AnchorwatchError as error:
        return _fail("ledger", error)
    return Examined("ledger", "can be read and written")


def _examine_place(path: Path) -> Examined:
    there = next(parent for parent in path.absolute().parents if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Examined(
            "ledger",
            f"{path} is not there yet, and {there} cannot be written.",
            "Let this user write there, or set ANCHORWATCH_STORE_URL.",
            StoreError.exit_code,
        )
    return Examined("ledger", f"{path} will be made by `anchorwatch run`")


async def _examine_database(name: str, database: DatabaseSettings) -> Examined:
    if not database.enabled:
        return Examined(f"database {name}", "is disabled, and not asked")
    try:
        async with connect(database.dsn, deadlines=make_deadlines(database)) as session:
            facts = session.facts
            snapshot = await take_snapshot(session)
    except AnchorwatchError as error:
        return _fail(f"database {name}", error)
    if read_stamp(snapshot) is None:
        return _report_hidden_stamp(name, snapshot)
    message = f"PostgreSQL {facts.major}, can be read"
    if facts.is_superuser:
        message += "; the role is a superuser, `anchorwatch grants` makes one that may only look"
    return Examined(f"database {name}", message)


def _report_hidden_stamp(name: str, snapshot: Snapshot) -> Examined:
    hidden = ", ".join(
        f"{quote_ident(table.schema)}.{quote_ident(table.name)}"
        for table in snapshot.version_tables
        if table.revisions is None
    )
    return Examined(
        f"database {name}",
        f"The version table {hidden} cannot be read by this role.",
        "`anchorwatch grants` prints the GRANT that it lacks.",
        3,
    )


def examine_sight(shadow: str | None) -> list[Examined]:
    """A drift of every kind, planted in a shadow: is it told?"""
    with show_progress("planting drift in a shadow"):
        try:
            planted = run_loop(_plant_all(shadow))
        except AnchorwatchError as error:
            return [_fail("self-test", error)]
    return [_report_planted(one) for one in planted]


async def _plant_all(shadow: str | None) -> list[Planted]:
    async with open_shadow(url=shadow) as server:
        return await plant_all(server)


def _report_planted(planted: Planted) -> Examined:
    name = f"self-test {planted.kind.noun}"
    if planted.is_seen:
        return Examined(name, planted.told)
    next_step = "Use a server of our own (without --shadow), or report this to anchorwatch."
    return Examined(name, f"not seen: {planted.told}", next_step, 3)


def describe_examined(one: Examined) -> dict[str, Any]:
    """As JSON has it."""
    status = "fail" if one.exit_code else "pass"
    return {"name": one.name, "status": status, "message": one.message, "command": one.next_step}


def write_examined(one: Examined) -> str:
    """For a person."""
    line = f"{'FAIL' if one.exit_code else 'ok  '}  {clean(one.name)}: {clean(one.message)}"
    return f"{line}\n      {clean(one.next_step)}" if one.next_step else line
