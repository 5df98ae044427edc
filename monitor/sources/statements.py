"""A script, run in a scratch statement by statement as psql would run it."""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Final

from monitor.core.errors import BuildError, StatementFailed, TooSlow
from monitor.core.script import Statement, split_script
from monitor.sources.extensions import admit_extensions, find_missing_extension
from monitor.sources.owners import give_away
from monitor.sources.postgres import SCRIPT_SECONDS, Session, connect
from monitor.sources.roles import admit_roles
from monitor.sources.shadow import Scratch

_SILENT: Final = re.compile(r"\\(?:restrict|unrestrict|connect|c)\b")
"""What pg_dump writes for psql alone: https://www.postgresql.org/docs/current/app-psql.html"""
_COPY: Final = re.compile(r"copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
_NEWER: Final = ((re.compile(r"set\s+transaction_timeout\s*=\s*0", re.IGNORECASE), 17),)
"""What a newer pg_dump sets that an older server does not know, and since when it does."""
_PRIVILEGE: Final = "42501"

type Locate = Callable[[Statement, int | None], str]


async def run_script(scratch: Scratch, text: str, *, place: str) -> None:
    """Run a script of somebody's as the builder; psql's own commands of a dump are left out.

    Raises:
        BuildError: a statement was refused; names the place, the line and what the
            server said.
        TooSlow: it took longer than its deadline.
    """

    def locate(statement: Statement, position: int | None) -> str:
        return f"{place}, line {statement.line_of(position)}"

    await run_statements(scratch, split_script(text), locate)


async def run_statements(
    scratch: Scratch, statements: Iterable[Statement], locate: Locate
) -> None:
    """Run statements as the builder; raises as `run_script` does.

    Args:
        scratch: where.
        statements: may be made while they are run.
        locate: says where a statement stands, given the character that the server
            points at, if it does.
    """
    try:
        async with asyncio.timeout(SCRIPT_SECONDS) as scope, connect(scratch.dsn) as session:
            await session.execute("SET synchronous_commit = off")
            for statement in statements:
                if _is_runnable(statement, locate(statement, None), scratch.major):
                    await _run(scratch, session, statement, locate)
    except TimeoutError:
        if not scope.expired():
            raise
        raise TooSlow(
            f'The script took longer than {SCRIPT_SECONDS:g} s (deadline "script").',
            next_step="Leave data out of it.",
        ) from None


def _is_runnable(statement: Statement, where: str, major: int) -> bool:
    if statement.is_meta:
        if _SILENT.match(statement.text):
            return False
        raise BuildError(
            f"{where}: a command of psql, not of the server.",
            next_step="Leave out lines that start with a backslash.",
        )
    if _COPY.match(statement.text):
        raise BuildError(
            f"{where}: COPY brings rows, and a schema needs none.",
            next_step="Dump with `pg_dump --schema-only`.",
        )
    return not any(
        major < since and pattern.fullmatch(statement.text) for pattern, since in _NEWER
    )


async def _run(scratch: Scratch, session: Session, statement: Statement, locate: Locate) -> None:
    try:
        text = admit_roles(scratch, statement.text)
        await session.execute(await admit_extensions(scratch, text))
    except StatementFailed as error:
        if error.sqlstate == _PRIVILEGE and await give_away(scratch, statement.text):
            return
        where = locate(statement, error.position)
        raise explain_failure(error, where=where, major=scratch.major) from None


def explain_failure(error: StatementFailed, *, where: str, major: int) -> BuildError:
    """Why a build failed at ``where``."""
    if name := find_missing_extension(error.message):
        return missing_extension(name, where=where, major=major)
    step = "Correct the statement, then try again."
    if error.sqlstate == _PRIVILEGE:
        step = (
            "A shadow is built without superuser rights: leave the statement out "
            "(`pg_dump --schema-only --no-owner --no-privileges`)."
        )
    return BuildError(f"{where}: {error.message}", next_step=step)


def missing_extension(name: str, *, where: str, major: int) -> BuildError:
    """The shadow's server does not have an extension."""
    return BuildError(
        f"{where}: the shadow (PostgreSQL {major}) does not have the extension {name}.",
        next_step="Name a server that has it: `--shadow URL`.",
    )
