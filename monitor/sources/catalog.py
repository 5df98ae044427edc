"""The statements that read the catalog: one file of SQL a kind, joined for one round trip.

A line that ends in ``-- pg>=18`` or ``-- pg<15`` is there for those majors
only, so the difference between versions stands where it matters. The files use
no bind parameters, no percent sign and no colon-name, return text only, and so
run through any driver.

The catalog statement reads rows only and waits for nobody. What the server has to
deparse, and locks tables for, is read by text statements, a branch for each catalog.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Final

from monitor.core.errors import UsageError

MAJORS: Final = range(14, 19)
"""The majors that the files are written for, and tested on."""

_QUERIES: Final = resources.files("monitor.sources").joinpath("queries")
_FIRST: Final = "server"
_PRAGMA: Final = re.compile(r"\s*--\s*pg(>=|<)(\d+)\s*$")


@cache
def read_query(name: str, *, major: int) -> str:
    """The text of one file for one major, without its comments."""
    text = _QUERIES.joinpath(f"{name}.sql").read_text("utf-8")
    lines = [_PRAGMA.sub("", line) for line in text.splitlines() if _applies(line, major)]
    return "\n".join(lines).strip()


def _applies(line: str, major: int) -> bool:
    if line.lstrip().startswith("--"):
        return False
    if not (pragma := _PRAGMA.search(line)):
        return True
    bound = int(pragma[2])
    return major >= bound if pragma[1] == ">=" else major < bound


@cache
def list_queries() -> tuple[str, ...]:
    """Names of the files, the one that gives the union its types first."""
    files = [item.name for item in _QUERIES.iterdir() if item.is_file()]
    names = {name.removesuffix(".sql") for name in files}
    return (_FIRST, *sorted(names - {_FIRST}))


@cache
def make_catalog_statement(major: int) -> str:
    """The whole statement for a server of ``major``; newer ones get the newest we know.

    Raises:
        UsageError: the server is older than the oldest that PostgreSQL supports.
    """
    if major < MAJORS.start:
        raise UsageError(
            f"PostgreSQL {major} is older than {MAJORS.start}, the oldest that is supported.",
            next_step="Upgrade the server.",
        )
    return _join(
        "catalog", {name: read_query(name, major=_know(major)) for name in list_queries()}
    )


def make_text_statement(
    major: int, catalogs: Iterable[str], oids: Mapping[str, Iterable[str]] | None = None
) -> str:
    """The statement for texts of the rows with these object numbers.

    Args:
        major: of the server.
        catalogs: what to read, each has a file in ``queries/texts``.
        oids: object numbers, by catalog; None for all that there are.
    """
    parts = {}
    for catalog in catalogs:
        text = read_query(f"texts/{catalog}", major=_know(major))
        if oids is None:
            parts[catalog] = text.replace(_WANTED, "is not null")
        elif catalog in oids:
            wanted = "{" + ",".join(sorted(oids[catalog])) + "}"
            parts[catalog] = text.replace("{oids}", wanted)
    return _join("texts", parts)


_WANTED: Final = "= any ('{oids}'::oid[])"


def _know(major: int) -> int:
    return min(major, MAJORS.stop - 1)


def _join(title: str, parts: Mapping[str, str]) -> str:
    announced = [f"/* anchorwatch {name} */ {text}" for name, text in parts.items()]
    return f"/* anchorwatch {title} */\n" + "\nunion all\n".join(announced)
