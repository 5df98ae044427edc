"""Texts that are read apart from the rows, because reading them takes locks.

A text is known by its place and the version of the row that it was parsed into. It names
other objects by what they are called now, so it holds as long as that version and every
name that was there stay; the text of a query may change when a column is added to what
it reads, so it holds only as long as nothing at all changes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from monitor.core.decode.rows import Place, Row, Rows, Slot
from monitor.core.errors import Interrupted
from monitor.core.kinds import Value

QUERIES: Final = ("pg_rewrite", "pg_policy", "pg_proc")
"""Catalogs with texts of queries: to read one locks what it reads until the transaction ends."""
EXPRESSIONS: Final = (
    "pg_attrdef",
    "pg_constraint",
    "pg_index",
    "pg_class",
    "pg_trigger",
    "pg_statistic_ext",
    "pg_publication_rel",
)
"""Catalogs with texts of expressions: to read one locks a table for a moment."""

PASSING: Final = frozenset({"lock", "building", "moment"})
"""Records that tell what goes on at this moment, not what the schema is."""

_TEXTS: Final = msgspec.json.Decoder(list[tuple[str, str, Any]])


class KnownTexts(msgspec.Struct, frozen=True):
    """The texts that a read found, and what they depend on.

    Attributes:
        texts: each with the version of its row.
        names: of all objects and columns, hashed: a set of integers.
        rows: all that the schema was, hashed.
    """

    texts: Mapping[Place, tuple[str, Value]] = {}
    names: frozenset[int] = frozenset()
    rows: int = 0

    def keep(self, slots: Iterable[Slot], later: "KnownTexts") -> dict[Place, Value]:
        """The texts that still hold in a later read, which has no texts yet."""
        if self.rows == later.rows:
            return {place: text for place, (_, text) in self.texts.items()}
        if not self.names <= later.names:
            return {}
        kept: dict[Place, Value] = {}
        for slot in slots:
            version, text = self.texts.get(slot.place, (None, None))
            if version == slot.version and slot.place[0] not in QUERIES:
                kept[slot.place] = text
        return kept


def remember(rows: Rows) -> KnownTexts:
    """What rows say about names, and about everything; no texts.

    The hashes are of this process only.
    """
    names = {hash(name) for row in rows.each() for name in _list_names(row)}
    names.update(
        hash((row.oid, number, name))
        for row, body in rows.columns
        for number, name in zip(body.numbers, body.names, strict=True)
    )
    return KnownTexts(names=frozenset(names), rows=hash_rows(rows.each()))


def hash_rows(rows: Iterable[Sequence[str | None]]) -> int:
    """The same number for the same schema, in whatever order its rows come."""
    # A sum, so that two of a kind count twice.
    return sum(hash(row) for row in rows if row[0] not in PASSING) & _MASK


def _list_names(row: Row) -> Iterator[tuple[str | None, ...]]:
    """What a text may call the object of a row; columns are not among them."""
    if row.record in _WHOLE_MATTERS:
        yield row
    elif row.name is not None:
        yield row[:8]


_WHOLE_MATTERS: Final = frozenset({"enum", "extension", "unmodelled"})
"""Records of which a change may be in the texts of others: a label that is renamed, what
moves with an extension, what is not modelled."""
_MASK: Final = (1 << 64) - 1


def read_texts(rows: Iterable[Sequence[str | None]]) -> dict[Place, Value]:
    """The texts that the text statements returned: catalog, and a list of number, part, text."""
    found: dict[Place, Value] = {}
    for catalog, body in rows:
        for oid, sub, text in _TEXTS.decode(body or "[]"):
            if text is not None:
                found[catalog or "", oid, sub] = text
    return found


def fill(slots: Iterable[Slot], texts: Mapping[Place, Value]) -> None:
    """Put every text where it stands.

    Raises:
        Interrupted: one is missing, because the schema changed meanwhile.
    """
    for slot in slots:
        text = texts.get(slot.place)
        if text is None:
            raise Interrupted("The schema changed while it was read.", next_step="Look again.")
        slot.container[slot.name] = text
