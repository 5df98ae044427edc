"""The rows that the catalog statement returns, and what they are looked up by."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec

from monitor.core.decode.bodies import COLUMNS, INDEXES, ColumnsBody, IndexBody
from monitor.core.errors import Interrupted
from monitor.core.keys import Kind, ObjectKey


class Row(NamedTuple):
    """One row; every branch of the statement returns these nine texts.

    Attributes:
        record: what the row tells about: ``column``, ``index``, ``comment``...
        catalog: the system catalog that the object number belongs to.
        oid: the object number.
        sub: the column number, "0" for the object itself.
        relation: number of the relation that the object hangs on.
        schema: the object's schema.
        parent: the name of what the object hangs on.
        name: the object's name; None for a row that tells of several.
        body: the rest, nearly always JSON.
    """

    record: str
    catalog: str
    oid: str
    sub: str
    relation: str | None
    schema: str | None
    parent: str | None
    name: str
    body: str


WHOLE: Final = "0"
"""The column number of the object itself."""

type Place = tuple[str, str, str]
"""Catalog, object number, column number: what the server calls an object."""


class Slot(NamedTuple):
    """Where a text will stand that is read apart from the rows.

    Attributes:
        container: the attributes, or the list among them, that it will be put in.
        name: its name, or its number in a list.
        place: what the text is of; the last part tells several of one object apart.
        version: of the row that holds the parsed text (its xmin): another one, another text.
    """

    container: Any
    name: str | int
    place: Place
    version: str


class Rows:
    """All rows of one read, grouped by record, without what is not ours to judge.

    What belongs to an extension, and Alembic's own tables, are left out with
    everything that hangs on them.
    """

    def __init__(self, rows: Iterable[Sequence[str | None]]) -> None:
        groups: dict[str, list[Row]] = defaultdict(list)
        for values in rows:
            row = Row(*values)  # type: ignore[arg-type]  # the statement's columns, nullable by type
            groups[row.record].append(row)
        self._groups = groups
        self._left_out = {(row.catalog, row.oid) for row in groups["member"]}
        self._left_out |= {
            (row.catalog, row.oid) for row in groups["version_table"] if _is_alembics(row)
        }
        self._left_out |= {
            ("pg_class", row.relation)
            for row in groups["composite"]
            if row.relation and (row.catalog, row.oid) in self._left_out
        }

    def each(self) -> Iterator[Row]:
        """All rows."""
        return chain.from_iterable(self._groups.values())

    def all(self, record: str) -> list[Row]:
        """Every row of ``record``, whoever it belongs to."""
        return self._groups.get(record, [])

    def own(self, record: str) -> list[Row]:
        """The rows of ``record`` that are the schema's own."""
        out = self._left_out
        return [
            row
            for row in self.all(record)
            if (row.catalog, row.oid) not in out and ("pg_class", row.relation) not in out
        ]

    @cached_property
    def version_tables(self) -> list[Row]:
        """The tables that Alembic keeps its revisions in.

        Where none is Alembic's beyond doubt, all that have the shape: with a name of their
        own and no key, or one that somebody made by hand.
        """
        found = self.all("version_table")
        return [row for row in found if _is_alembics(row)] or found

    @cached_property
    def columns(self) -> list[tuple[Row, ColumnsBody]]:
        """The columns of every relation, whoever it belongs to; decoded once."""
        return [(row, COLUMNS.decode(row.body)) for row in self.all("columns")]

    @cached_property
    def indexes(self) -> list[tuple[Row, IndexBody]]:
        """Every index of the schema's own tables, with the row of its table; decoded once."""
        return [(row, index) for row in self.own("indexes") for index in INDEXES.decode(row.body)]

    def is_left_out(self, catalog: str, oid: str | None) -> bool:
        """Whether the object belongs to an extension or to Alembic."""
        return (catalog, oid) in self._left_out


def _is_alembics(row: Row) -> bool:
    """Whether its name, or that of its key, says that Alembic made it."""
    return bool(parse(row)["alembics"])


def parse(row: Row) -> dict[str, Any]:
    """The body of a row, for the kinds of which there are few."""
    body: dict[str, Any] = msgspec.json.decode(row.body)
    return body


class Directory(NamedTuple):
    """What numbers stand for.

    Attributes:
        relations: object number of a table or view -> its schema and name.
        columns: object number -> column number -> the column's name.
        keys: the server's name of an object -> its key; columns are not among
            them, see `find`.
        aliases: the server's name of what is no object by itself -> the key of
            the constraint that made the index, the table that made the type.
        defaults: a default's own number -> object number and column number.
        slots: where texts will stand, in no order.
    """

    relations: Mapping[str, tuple[str, str]]
    columns: Mapping[str, Mapping[str, str]]
    keys: dict[Place, ObjectKey]
    aliases: dict[Place, ObjectKey]
    defaults: dict[str, tuple[str, str]]
    slots: list[Slot]

    def expect_text(self, container: Any, name: str | int, place: Place, version: str) -> None:
        """Keep a place in ``container`` for a text that is read apart."""
        self.slots.append(Slot(container, name, place, version))

    def name_columns(self, relation: str, numbers: Iterable[object]) -> list[str]:
        """Names of the columns with these numbers.

        Raises:
            Interrupted: one of them went away between two parts of the read.
        """
        try:
            names = self.columns[relation]
            return [names[str(number)] for number in numbers]
        except KeyError:
            raise Interrupted(
                "The schema changed while it was read.", next_step="Look again."
            ) from None

    def find(self, place: Place) -> ObjectKey | None:
        """The key of an object or a column."""
        catalog, oid, sub = place
        if sub != WHOLE and catalog == "pg_class" and oid in self.relations:
            schema, table = self.relations[oid]
            name = self.columns.get(oid, {}).get(sub)
            if name is not None:
                return ObjectKey(kind=Kind.COLUMN, schema=schema, parent=table, name=name)
        return self.keys.get(place)

    def find_part(self, place: Place) -> ObjectKey | None:
        """The key of a column or object, or of what stands for it."""
        catalog, oid, _ = place
        if catalog == "pg_attrdef" and oid in self.defaults:
            return self.find(("pg_class", *self.defaults[oid]))
        return self.find(place) or self.aliases.get(place) or self.keys.get((catalog, oid, WHOLE))
