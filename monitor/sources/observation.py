"""What the observer told, as schemas: one before a history, and one after each revision."""

from collections import Counter
from typing import Any, Final, NamedTuple

from monitor.core.decode import (
    EXPRESSIONS,
    PASSING,
    QUERIES,
    Draft,
    find_version_tables,
    read_texts,
)
from monitor.core.decode.rows import Place
from monitor.core.kinds import Value
from monitor.core.lock import Statement
from monitor.core.snapshot import Snapshot, VersionTable
from monitor.sources.catalog import make_catalog_statement, make_text_statement
from monitor.sources.interpreter import Seen
from monitor.sources.postgres import PINNED

_PARAMETERS: Final = [f"SET LOCAL {name} = '{value}'" for name, value in PINNED]


def make_reading(major: int) -> dict[str, Any]:
    """What the observer reads with, on a server of ``major``."""
    return {
        "settings": _PARAMETERS,
        "rows": make_catalog_statement(major),
        "texts": make_text_statement(major, (*EXPRESSIONS, *QUERIES)),
        "passing": sorted(PASSING),
    }


class Observed(NamedTuple):
    """One revision that ran.

    Attributes:
        revision: its id.
        schema: after it.
        statements: what it ran, Alembic's own among them.
        steps: the schema wherever it could have stopped on its way.
        marks: how many of the statements had run by then.
    """

    revision: str
    schema: Snapshot
    statements: tuple[Statement, ...]
    steps: tuple[Snapshot, ...]
    marks: tuple[int, ...]


class Observation:
    """One run of a history, as far as it came.

    Args:
        builder: the role that runs it.
    """

    def __init__(self, builder: str) -> None:
        self._builder = builder
        self._rows: Counter[tuple[str | None, ...]] = Counter()
        self._texts: dict[Place, Value] = {}
        self._statements: list[Statement] = []
        self._steps: list[Snapshot] = []
        self._marks: list[int] = []
        self._schema: Snapshot | None = None
        self.base: Snapshot | None = None
        self.stopped_at: str | None = None
        self.observed: list[Observed] = []

    @property
    def version_tables(self) -> list[VersionTable]:
        """The version tables as they were seen last; nobody has read their rows."""
        return [
            VersionTable(schema=one.schema, name=one.name, width=one.width, revisions=None)
            for one in find_version_tables(self._rows.elements())
        ]

    def take(self, event: Seen) -> None:
        """Keep what was read.

        Raises:
            Interrupted: the rows contradict each other.
        """
        if event.moment == "base":
            self._rows.clear()
            self._texts.clear()
        self._rows.update(event.added)
        self._rows.subtract(event.removed)
        self._texts |= read_texts(event.texts)
        rows = (*event.added, *event.removed)
        moved = bool(event.texts) or any(row[0] not in PASSING for row in rows)
        schema = self._decode(has_changed=moved)
        self._statements += [
            Statement(sql, is_transactional=kept) for sql, kept in event.statements
        ]
        match event.moment:
            case "base":
                self.base = schema
                self._statements.clear()
            case "step":
                self._steps.append(schema)
                self._marks.append(len(self._statements))
            case _:
                found = tuple(self._statements), tuple(self._steps), tuple(self._marks)
                self.observed.append(Observed(event.revision, schema, *found))
                for kept in (self._statements, self._steps, self._marks):
                    kept.clear()

    def _decode(self, *, has_changed: bool) -> Snapshot:
        if self._schema is None or has_changed:
            draft = Draft(self._rows.elements())
            self._schema = draft.finish(self._texts, builder=self._builder)
        return self._schema
