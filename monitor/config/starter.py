"""A first document for a directory: what to watch, as its environment names it.

What is written names variables and never what they hold: `url: ${DATABASE_URL}`.
Nothing here reads a file or the environment; both are arguments.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.config.values import correct_name
from monitor.core.errors import DsnError
from monitor.sources.dsn import parse_dsn

FIRST_NAME: Final = "app"
"""What the database of `DATABASE_URL` is called; nobody has to like `default`."""
SLACK: Final = "SLACK_WEBHOOK_URL"
_NAMES: Final = re.compile(
    r"(?:([A-Z]\w*?)_)??(?:DATABASE|POSTGRES(?:QL)?|PG|DB)(?:_UNPOOLED)?_(?:URL|URI|DSN)",
    re.ASCII,  # as a reference in the document can be
)
_NOT_WATCHED: Final = re.compile(r"ANCHORWATCH_|(.*_)?(PUBLIC|SHADOW|TEST|REPAIR|STORE)_")
_UNPOOLED: Final = "_UNPOOLED_"
_ROOM: Final = 36
"""What is left of a name's 40 characters with a number behind it."""

_HEAD: Final = (
    "# What anchorwatch watches. Check it: anchorwatch config check. Start it: anchorwatch run",
    "# ${VAR} comes from the environment, so that no secret stands here. Every setting:",
    "# https://github.com/anchorwatch/anchorwatch/blob/main/docs/reference/settings.md",
    "",
    "# environment: production # part of every message; on Railway it is known",
    "# public_url: https://watch.example.com # messages link to it",
    "# The page wants one of these two: to be seen from this machine alone, or a token.",
    "# host: 127.0.0.1",
    "# api_token: ${API_TOKEN}",
    "",
)
_SLACK_ON: Final = ("slack:", f"  webhook_url: ${{{SLACK}}}")
_SLACK_OFF: Final = (
    "# Who is told:",
    "# slack:",
    f"#   webhook_url: ${{{SLACK}}}",
)
_TAIL: Final = (
    "",
    "# Incidents are kept in ./data/anchorwatch.sqlite; or in a database of their own:",
    "# store_url: ${STORE_URL}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A database that the environment names.

    Attributes:
        name: what it is called in the configuration.
        variable: the variable that holds its URL.
    """

    name: str
    variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands in the directory.

    Attributes:
        lock: the lock, relative to it, if there is one.
        ini: Alembic's configuration, relative to it, if there is one.
        python: the interpreter of the application, relative to it, if there is one.
    """

    lock: str | None = None
    ini: str | None = None
    python: str | None = None


def list_databases(environ: Mapping[str, str]) -> tuple[Seen, ...]:
    """The databases whose URLs are in the environment, `DATABASE_URL` first.

    Variables that name one database are one; of a pooled URL and its direct twin
    (`DATABASE_UNPOOLED_URL`) the direct one is taken. Variables that hold no URL of
    PostgreSQL, or whose name says that nobody should look there, name none.
    """
    places = {name: place for name in environ if (place := _read_place(name, environ[name]))}
    pooled = {name.replace(_UNPOOLED, "_") for name in places if _UNPOOLED in name}
    found: dict[str, Seen] = {}
    for variable in sorted(places.keys() - pooled, key=_rank):
        if places[variable] not in found:
            taken = {seen.name for seen in found.values()}
            name = _choose_name(variable, taken)
            found[places[variable]] = Seen(name=name, variable=variable)
    return tuple(found.values())


def write_starter(databases: Iterable[Seen], around: Surroundings, *, has_slack: bool) -> str:
    """The document: what is seen, and as comments what comes next.

    Holds: `config check` finds it sound wherever the variables that it names are set.
    """
    slack = _SLACK_ON if has_slack else _SLACK_OFF
    entries = _write_databases(tuple(databases), around)
    return "\n".join([*_HEAD, "databases:", *entries, "", *slack, *_TAIL]) + "\n"


def _write_databases(seen: Sequence[Seen], around: Surroundings) -> Iterator[str]:
    """What stands in the directory belongs to the first of them."""
    if not seen:
        yield "  # No variable here holds the URL of a database: name the one that does."
        seen = (Seen(name=FIRST_NAME, variable="DATABASE_URL"),)
    for one in seen:
        yield from _write_database(one, around if one is seen[0] else Surroundings())


def _rank(variable: str) -> tuple[bool, str]:
    return variable.replace(_UNPOOLED, "_") != "DATABASE_URL", variable


def _read_place(variable: str, value: str) -> str | None:
    """Where a URL leads to, without what is secret in it; None when it is none to watch."""
    if not _NAMES.fullmatch(variable) or _NOT_WATCHED.match(variable):
        return None
    if not re.match(r"postgres(ql)?(\+\w+)?://", value):
        return None
    try:
        return parse_dsn(value)[0].label
    except DsnError:
        return None


def _choose_name(variable: str, taken: set[str]) -> str:
    matched = _NAMES.fullmatch(variable)
    name = correct_name(matched[1]) if matched and matched[1] else FIRST_NAME
    number = 2
    tried = name
    while tried in taken:
        tried, number = f"{name[:_ROOM]}_{number}", number + 1
    return tried


def _write_database(one: Seen, around: Surroundings) -> Iterator[str]:
    yield f"  {one.name}:"
    yield f"    url: ${{{one.variable}}}"
    if around.lock is not None:
        yield f"    expected: lock:{around.lock} # what every revision changes, and so the cause"
    elif around.ini is not None:
        yield f"    expected: alembic:{around.ini} # built on a scratch server; a lock needs none"
        if around.python is not None:
            yield f"    python: {around.python} # the interpreter that has what env.py imports"
    else:
        yield "    # expected: alembic:./alembic.ini"
        yield "    # Without it the first settled schema is what the database is held against."
