"""Rows of a query as JSON, so that expectations compare them as they compare bodies."""

from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal

from monitor.core.template import Json


def read_rows(rows: Iterable[Mapping[str, object]]) -> list[Json]:
    """Each row as an object with a key for each column."""
    return [{name: read_cell(value) for name, value in row.items()} for row in rows]


def read_cell(value: object) -> Json:
    """A value of PostgreSQL as JSON.

    Whole numerics are integers, others the nearest float; intervals are seconds; dates, times
    and UUIDs are texts as ISO 8601 and RFC 9562 write them; json is the text that it is.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return _read_number(value)
        case list() | tuple():
            return [read_cell(item) for item in value]
        case timedelta():
            return value.total_seconds()
    return _write_cell(value)


def _write_cell(value: object) -> str:
    match value:
        case date() | time():
            return value.isoformat()
        case bytes():
            return f"\\x{value.hex()}"
    return str(value)


def _read_number(value: Decimal) -> Json:
    if not value.is_finite():
        return str(value)
    # A numeric may have 131072 digits: as an integer that would take long to write.
    is_whole = value.adjusted() < 40 and value == value.to_integral_value()  # noqa: PLR2004
    return int(value) if is_whole else float(value)
