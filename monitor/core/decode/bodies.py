"""The bodies of rows that tell of many objects at once.

Fields of an index or a constraint are known by their place: the order is that of
`queries/indexes.sql` and `queries/constraints.sql`.
"""

from typing import Any, Final

import msgspec


class ColumnsBody(msgspec.Struct):
    """The columns of one relation, a list for each thing that every column has."""

    relkind: str
    is_partition: bool
    numbers: list[int]
    names: list[str]
    not_null: list[bool]
    types: list[str]
    more: list[dict[str, Any] | None]


class IndexBody(msgspec.Struct, array_like=True):
    """One index: https://www.postgresql.org/docs/current/catalog-pg-index.html."""

    oid: str
    name: str
    method: str
    keys: str
    key_count: int
    opclasses: str
    collations: str
    order: str
    unique: bool
    valid: bool
    clustered: bool
    replica_identity: bool
    nulls_not_distinct: bool
    partial: bool
    version: str
    options: list[str] | None
    tablespace: str | None


class ConstraintBody(msgspec.Struct, array_like=True):
    """One constraint: https://www.postgresql.org/docs/current/catalog-pg-constraint.html."""

    oid: str
    name: str
    type: str
    columns: str | None
    valid: bool
    deferrable: bool
    initially_deferred: bool
    no_inherit: bool
    index: str
    references: str
    referenced_columns: str | None
    match: str
    on_update: str
    on_delete: str
    on_delete_columns: str | None
    enforced: bool
    period: bool
    version: str


COLUMNS: Final = msgspec.json.Decoder(ColumnsBody)
INDEXES: Final = msgspec.json.Decoder(list[IndexBody])
CONSTRAINTS: Final = msgspec.json.Decoder(list[ConstraintBody])


def read_numbers(text: str | None) -> list[str]:
    """Column numbers of an array as the server writes it, ``{1,2}``."""
    return text[1:-1].split(",") if text and text != "{}" else []
