"""What every build that runs the user's code needs: options, a job, and why it failed."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from monitor.core.errors import BuildError
from monitor.sources.environment import Environment, clean_environment
from monitor.sources.extensions import find_missing_extension
from monitor.sources.interpreter import Failed, Interpreter
from monitor.sources.shadow import Scratch
from monitor.sources.statements import missing_extension

_PYTHON: Final = "Name the application's interpreter: `--python PATH/bin/python`."
_URL_ENV: Final = (
    "Let it take the URL from DATABASE_URL or from sqlalchemy.url of its configuration, or name "
    "the variable that it reads: `--url-env NAME`."
)
ECHO: Final = "SQLALCHEMY_ECHO"
"""Shows every statement that a history runs."""
VERBOSE: Final = "ALEMBIC_VERBOSE"
"""Shows what it prints."""
_NAMES_SHOWN: Final = 6
AHEAD_SECONDS: Final = 500 * 86_400 + 5 * 3_600 + 7 * 60 + 11
"""How much later a second build is: another year, quarter, month, week, day, hour and minute."""
_NO_ROLE: Final = "permission denied to create role"
_NOT_BUILT: Final = "not supported in this build"
"""What servers without ICU, LZ4 or XML say of it; the embedded one has no ICU."""


def _ignore(_said: object) -> None:
    """Tell nobody."""


async def _forbid_nothing() -> frozenset[str]:
    """Nothing that is watched is known."""
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """How sources are built.

    Attributes:
        python: the interpreter with the application in it; None for our own.
        url_env: variables, beside DATABASE_URL, in which the application looks for its
            database.
        shadow_url: a server to build on; None for one of our own.
        major: the PostgreSQL version wanted of our own; None for the one at hand.
        forbidden: lists the `system_identifier` of servers that must not be built on;
            asked when a given server is about to be.
        progress: is told what is being done, a line at a time.
        verbose: whether what the application prints is shown on standard error.
        is_later: whether the application shall believe that it is a later day.
        hear: is told the dates that the statements name.
        token: opens the address of a lock.
        commit: what is deployed, for the address of a lock; empty where nobody says.
    """

    python: Path | None = None
    url_env: tuple[str, ...] = ()
    shadow_url: str | None = None
    major: int | None = None
    forbidden: Callable[[], Awaitable[frozenset[str]]] = _forbid_nothing
    progress: Callable[[str], None] = _ignore
    verbose: bool = False
    is_later: bool = False
    hear: Callable[[Iterable[str]], None] = _ignore
    token: str | None = field(default=None, repr=False)
    commit: str = ""


def choose_python(options: BuildOptions) -> Path:
    """The interpreter with the application in it.

    A link is kept as it is: through it Python finds its virtual environment.
    """
    return (options.python or Path(sys.executable)).expanduser().absolute()


def make_interpreter(options: BuildOptions, *, directory: Path) -> Interpreter:
    """The user's interpreter in an environment that names no database."""
    return Interpreter(
        python=choose_python(options),
        directory=directory,
        environment=clean_environment(os.environ, also=options.url_env),
        is_verbose=options.verbose or is_switched_on(ECHO) or is_switched_on(VERBOSE),
    )


def is_switched_on(variable: str) -> bool:
    """Whether a variable of the environment says yes, in one of the usual words."""
    return os.environ.get(variable, "").strip().lower() not in {"", "0", "false", "no", "off"}


def make_job(
    scratch: Scratch,
    options: BuildOptions,
    environment: Environment,
    *,
    hint: str | None = None,
    is_async: bool = False,
) -> dict[str, Any]:
    """What the collector needs to know of the shadow; holds its password.

    Args:
        scratch: where to build.
        options: name the variables to set.
        environment: tells the drivers that the user's URLs named.
        hint: the driver that the user's configuration names.
        is_async: whether the user's code asks asynchronously.
    """
    dsn, named = scratch.dsn, environment.drivers
    names = ("DATABASE_URL", *options.url_env)
    hints = [named.get(name) for name in reversed(names)] + [hint, *named.values()]
    return {
        "shadow": {
            "host": dsn.host,
            "port": dsn.port,
            "user": dsn.user,
            "password": dsn.password,
            "database": dsn.database,
            "sslmode": str(dsn.sslmode),
        },
        "url_env": list(options.url_env),
        "drivers": [driver for driver in hints if driver],
        "named_drivers": {name: named[name] for name in names if name in named},
        "is_async": is_async,
        "echo": is_switched_on(ECHO),
        "ahead_seconds": AHEAD_SECONDS if options.is_later else 0,
    }


def explain(failed: Failed, interpreter: Interpreter, scratch: Scratch, what: str) -> BuildError:
    """Why the user's code failed, without secrets, and what to do about it.

    Args:
        failed: what the collector said.
        interpreter: where it ran.
        scratch: what it built.
        what: the source, or the part of it that ran.
    """
    detail = interpreter.environment.mask(failed.detail)
    if scratch.dsn.password:
        detail = detail.replace(scratch.dsn.password, "***")
    if name := find_missing_extension(detail):
        return missing_extension(name, where=what, major=scratch.major)
    if _NOT_BUILT in detail:
        return BuildError(
            f"{what} failed: {detail}.",
            next_step="Name a server that was built with it: `--shadow URL`.",
        )
    if _NO_ROLE in detail:
        return BuildError(
            f"{what} failed: {detail}.",
            next_step="Roles belong to the server, and a shadow has stand-ins: write its name in "
            "the statement that makes it, `CREATE ROLE app`, or make it outside of the history.",
        )
    cleared = _list_cleared(interpreter.environment.cleared)
    sentences: Mapping[str, tuple[str, str]] = {
        "no_sqlalchemy": (f"{interpreter.python} has no SQLAlchemy.", _PYTHON),
        "no_alembic": (f"{interpreter.python} has no Alembic.", _PYTHON),
        "no_driver": (
            f"{interpreter.python} has no PostgreSQL driver that SQLAlchemy can use.",
            "Install one in that environment: `pip install 'psycopg[binary]'`.",
        ),
        "refused": (
            f"{what} connects to {detail}, which is not the shadow; that was refused.",
            f"{_URL_ENV}{cleared}",
        ),
        "no_attribute": (f"{what}: there is no {detail}.", "Correct the name after the colon."),
        "no_metadata": (
            f"{what} is a {detail}, neither MetaData nor something that has one.",
            "Name the MetaData, the declarative base, or a function that returns one.",
        ),
        "runs_again": (
            f"{what}: it runs the migrations once more, as for several schemas; a lock is of one.",
            "Let env.py migrate one schema here: `lock_schema` holds each one against the lock.",
        ),
        "crashed": (f"{what}: the interpreter ended at once: {detail}.", _PYTHON),
    }
    sentence, step = sentences.get(failed.code) or (
        f"{what} failed: {detail}{'' if detail.endswith(('.', '?', '!')) else '.'}",
        f"Try it by hand on an empty database; `--verbose` shows what it prints.{cleared}",
    )
    return BuildError(sentence, next_step=step)


def _list_cleared(names: tuple[str, ...]) -> str:
    """The names of the variables that were kept from the user's code: never a value."""
    if not names:
        return ""
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f" Not passed on: {', '.join(names[:_NAMES_SHOWN])}{more}."
