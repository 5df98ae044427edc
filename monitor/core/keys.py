"""What an object is called: its kind, schema, parent and name, as a structured key.

A dotted string would not do: every part may hold dots, quotes and newlines.
"""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """The closed list of object kinds; ``docs/kinds.md`` tells their attributes."""

    AGGREGATE = "aggregate"
    CAST = "cast"
    CHECK = "check"
    COLUMN = "column"
    COMPOSITE = "composite"
    DEFAULT_PRIVILEGE = "default_privilege"
    DOMAIN = "domain"
    ENUM = "enum"
    EVENT_TRIGGER = "event_trigger"
    EXCLUSION = "exclusion"
    EXTENSION = "extension"
    FOREIGN_DATA_WRAPPER = "foreign_data_wrapper"
    FOREIGN_KEY = "foreign_key"
    FOREIGN_SERVER = "foreign_server"
    FOREIGN_TABLE = "foreign_table"
    FUNCTION = "function"
    INDEX = "index"
    MATERIALIZED_VIEW = "materialized_view"
    OPERATOR = "operator"
    POLICY = "policy"
    PRIMARY_KEY = "primary_key"
    PROCEDURE = "procedure"
    PUBLICATION = "publication"
    RANGE = "range"
    RULE = "rule"
    SCHEMA = "schema"
    SEQUENCE = "sequence"
    STATISTICS = "statistics"
    TABLE = "table"
    TRIGGER = "trigger"
    UNIQUE = "unique"
    USER_MAPPING = "user_mapping"
    VIEW = "view"

    @property
    def noun(self) -> str:
        """The kind in words, as a sentence uses it."""
        return self.value.replace("_", " ")


class ObjectKey(msgspec.Struct, frozen=True, gc=False):
    """The identity of one object of a schema.

    Attributes:
        kind: what it is.
        schema: its schema, or None for what lives outside of schemas.
        parent: the table, view, domain or server it belongs to, or None.
        name: its name; of routines, aggregates and operators with the types
            of the arguments that identify it, as ``f(integer, text)``.
    """

    kind: Kind
    schema: str | None
    parent: str | None
    name: str

    @property
    def order(self) -> tuple[str, str, str, str]:
        """A total order that no database's collation decides."""
        return (self.schema or "", self.parent or self.name, self.kind, self.name)

    def __str__(self) -> str:
        """Words for people; never parsed, never an identity."""
        place = [part for part in (self.schema, self.parent, self.name) if part is not None]
        return f"{self.kind.noun} {'.'.join(place)}"
