"""Durations in words."""

from datetime import timedelta
from typing import Final

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def describe_duration(duration: timedelta) -> str:
    """``2 h``, ``42 min``: the largest unit, rounded down."""
    seconds = max(int(duration.total_seconds()), 0)
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "0 s"
