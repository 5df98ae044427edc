"""Rows of text, read or changed inside one transaction."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, final

type Fetch = Callable[..., Awaitable[list[tuple[Any, ...]]]]
"""Runs one statement with parameters, and returns its rows."""


class Rows(Protocol):
    """What reads rows of text inside one transaction."""

    async def fetch(self, sql: str, *args: object) -> list[tuple[str | None, ...]]:
        """The rows of one statement, parameters `$1`... given."""
        ...


@final
class Reader:
    """Reads rows of text inside one read-only snapshot."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def fetch(self, sql: str, *args: object) -> list[tuple[str | None, ...]]:
        """The rows of one statement, parameters `$1`... given.

        Raises:
            TypeError: a column is neither text nor JSON.
            LookError: see `monitor.sources.postgres.Session.reading`.
        """
        return _require_text(await self._fetch(sql, *args))


@final
class Writer:
    """Reads and changes rows inside one transaction, which is made as a whole or not at all."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def fetch(self, sql: str, *args: object) -> list[tuple[str | None, ...]]:
        """The rows that one statement returns, parameters `$1`... given.

        Raises:
            TypeError: a column is neither text nor JSON.
            WriteError: see `monitor.sources.postgres.Session.writing`.
        """
        return _require_text(await self._fetch(sql, *args))


def _require_text(rows: list[tuple[Any, ...]]) -> list[tuple[str | None, ...]]:
    if any(not (cell is None or isinstance(cell, str)) for row in rows for cell in row):
        raise TypeError("A query returns text and JSON only: cast its columns.")
    return rows
