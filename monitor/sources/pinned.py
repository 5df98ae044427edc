"""How a transaction at a watched database begins: settings that nothing of theirs can change."""

from typing import Final

from monitor.sources.deadlines import Deadlines

PINNED: Final[tuple[tuple[str, str], ...]] = (
    # What a role or a database may have set otherwise, and what would change texts.
    ("search_path", ""),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("quote_all_identifiers", "off"),
    ("standard_conforming_strings", "on"),
    ("lc_monetary", "C"),
    ("xmloption", "content"),
    ("xmlbinary", "base64"),
    ("transform_null_equals", "off"),
    ("jit", "off"),
    # Rows that are hidden must be an error: an empty alembic_version means something else.
    ("row_security", "off"),
)
"""Settings of every read: https://www.postgresql.org/docs/current/runtime-config-client.html"""


def write_opening(
    deadlines: Deadlines, mode: str, *, pinned: tuple[tuple[str, str], ...] = PINNED
) -> str:
    """BEGIN and every setting in one string: one round trip."""
    waits = {
        "statement_timeout": deadlines.statement_seconds,
        "lock_timeout": deadlines.lock_seconds,
        "idle_in_transaction_session_timeout": deadlines.idle_seconds,
    }
    # Zero would mean "no deadline" to the server.
    settings = [(name, str(max(1, round(wait * 1000)))) for name, wait in waits.items()]
    lines = [f"SET LOCAL {name} = '{value}'" for name, value in (*pinned, *settings)]
    return "; ".join((f"BEGIN {mode}", *lines))
