"""Rows as text, and back: each column as its own type writes and reads it.

What goes out by a type's output function comes back by its input function as the same value, so
the text of every column is kept, and none is cast: a cast to text may do more (it takes the blanks
off a `char(n)`). `format` calls the output function, and a row's own text is read by the input
functions of its columns: https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX
"""

from collections.abc import Iterable, Sequence

from monitor.core.quoting import quote_ident, quote_literal
from monitor.remedy.repair.ground import Column, Table


def list_kept(table: Table) -> tuple[str, ...]:
    """The columns that are kept: what is generated comes by itself."""
    return tuple(column.name for column in table.columns if not column.is_generated)


def write_kept(names: Iterable[str], row: str) -> str:
    """A row as JSON of column and text, in SQL.

    `is distinct from null` is told of the value itself: `is null` would hold for a composite
    value whose fields are all null.
    """
    listed = [*names]
    texts = [
        f"case when {row}.{name} is distinct from null "
        f"then pg_catalog.format('%s', {row}.{name}) end"
        for name in map(quote_ident, listed)
    ]
    keys = ", ".join(map(quote_literal, listed))
    return (
        f"pg_catalog.jsonb_object(array[{keys}]::pg_catalog.text[], "
        f"array[{', '.join(texts)}]::pg_catalog.text[])"
    )


def write_row(table: Table, kept: Sequence[str], values: str) -> str:
    """The row of a table that such JSON stands for, in SQL; what was not kept is null."""
    fields = ", ".join(_write_field(column, values, kept) for column in table.columns)
    joined = f"pg_catalog.array_to_string(array[{fields}]::pg_catalog.text[], ',', '')"
    return f"pg_catalog.concat('(', {joined}, ')')::{table.sql}"


def _write_field(column: Column, values: str, kept: Sequence[str]) -> str:
    """Quoted, with each quote and backslash in it twice; null where there is no value."""
    if column.name not in kept:
        return "null"
    text = f"pg_catalog.jsonb_extract_path_text({values}, {quote_literal(column.name)})"
    bare = f"pg_catalog.replace({text}, E'\\\\', E'\\\\\\\\')"
    escaped = f"""pg_catalog.replace({bare}, '"', '""')"""
    return f"""('"' operator(pg_catalog.||) {escaped} operator(pg_catalog.||) '"')"""
