"""Runs in the user's interpreter, loaded by the collector: reads the schema as it grows.

For Python 3.8 and later, with nothing but the standard library and the user's SQLAlchemy.
It reads on the migration's own connection, for nobody else sees what is not committed, and
leaves no trace there: what it sets is undone before the next statement.

After each revision it tells how the rows of the catalog differ from those it told last. A
revision that commits on its way can stop there, so it is read at each of these moments too.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = tuple[Any, ...]

_ONLY_READS = re.compile(
    r"\s*(?:(?:show|savepoint|release|rollback|begin|commit)\b|select\b.*\bfrom\b)",
    re.IGNORECASE | re.DOTALL,
)


_ONLY_WRITES = re.compile(r"\s*(?:insert|update|delete|copy|truncate)\b", re.IGNORECASE)
"""What changes rows and no definition."""


class Observer:
    """Reads the schema after each revision, and wherever one could stop.

    Args:
        reading: the statements to read with: `settings`, `rows` and `texts`; and `passing`,
            the records of rows that say nothing of the schema.
        tell: says one thing to whoever asked.
    """

    def __init__(self, reading: dict[str, Any], tell: Callable[..., None]) -> None:
        self._reading = reading
        self._passing = frozenset(reading["passing"])
        self._tell = tell
        self._rows: Counter[Row] = Counter()
        self._texts: list[Row] = []
        self._statements: list[tuple[str, bool]] = []
        self._is_loose = False
        self._may_reword = True

    def install(self) -> None:
        """Listen to every engine that will be made."""
        from sqlalchemy import event  # noqa: PLC0415  # of the user's environment
        from sqlalchemy.engine import Engine  # noqa: PLC0415  # as above

        event.listen(Engine, "after_cursor_execute", self._note_statement)
        event.listen(Engine, "commit", self._note_commit)

    def begin(self, connection: Any) -> None:
        """Read what is there before the first revision."""
        self._statements = []
        self._read(connection, "base")

    def finish_revision(self, connection: Any, revision: str) -> None:
        """Read what a revision has made."""
        self._read(connection, "revision", revision=revision)

    def _note_statement(
        self, connection: Any, _cursor: Any, sql: str, _parameters: Any, _c: Any, _many: Any
    ) -> None:
        if _ONLY_READS.match(sql):
            return
        is_alone = _is_autocommit(connection)
        self._statements.append((sql, not is_alone))
        self._is_loose = True
        self._may_reword = self._may_reword or not _ONLY_WRITES.match(sql)
        if is_alone:
            self._note_commit(connection)

    def _note_commit(self, connection: Any) -> None:
        """Read where what ran so far stays, whatever comes after it."""
        if self._is_loose and self._rows:
            self._read(connection, "step")

    def _read(self, connection: Any, moment: str, **fields: Any) -> None:
        cursor = connection.connection.cursor()
        try:
            opened = _open(cursor)
            try:
                rows = self._fetch_rows(cursor)
                added, removed = rows - self._rows, self._rows - rows
                texts: list[Row] = []
                # A view that is replaced, a policy that is altered: no row says so.
                moved = any(row[0] not in self._passing for row in (*added, *removed))
                if moved or self._may_reword:
                    texts = self._fetch(cursor, self._reading["texts"])
            finally:
                _close(cursor, opened)
        finally:
            cursor.close()
        fresh = [row for row in texts if row not in self._texts]
        self._rows = rows
        self._texts = texts or self._texts
        statements, self._statements, self._is_loose = self._statements, [], False
        self._may_reword = False
        self._tell(
            "seen",
            moment=moment,
            added=list(added.elements()),
            removed=list(removed.elements()),
            texts=fresh,
            statements=statements,
            **fields,
        )

    def _fetch_rows(self, cursor: Any) -> Counter[Row]:
        for setting in self._reading["settings"]:
            cursor.execute(setting)
        return Counter(self._fetch(cursor, self._reading["rows"]))

    @staticmethod
    def _fetch(cursor: Any, sql: str) -> list[Row]:
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]


def _open(cursor: Any) -> str:
    """Begin what can be undone, in the transaction that there is or in one of our own."""
    try:
        cursor.execute("SAVEPOINT anchorwatch")
    except Exception as error:  # each driver has errors of its own, and any other is raised
        if _read_code(error) != _NO_TRANSACTION:
            raise
        cursor.execute("BEGIN")
        return "transaction"
    return "savepoint"


def _close(cursor: Any, opened: str) -> None:
    if opened == "transaction":
        cursor.execute("ROLLBACK")
        return
    cursor.execute("ROLLBACK TO SAVEPOINT anchorwatch")
    cursor.execute("RELEASE SAVEPOINT anchorwatch")


_NO_TRANSACTION = "25P01"


def _read_code(error: BaseException) -> str:
    """The SQLSTATE, by whatever name a driver has it."""
    for one in (error, getattr(error, "orig", None), error.__cause__):
        for name in ("sqlstate", "pgcode"):
            code = getattr(one, name, None)
            if code:
                return str(code)
    return ""


def _is_autocommit(connection: Any) -> bool:
    """Whether each statement stays by itself."""
    fairy = connection.connection
    driver = getattr(fairy, "dbapi_connection", None) or getattr(fairy, "connection", None)
    return getattr(driver, "autocommit", False) is True
