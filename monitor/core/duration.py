"""Moments and durations in words, and durations as people write them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

LONGEST: Final = timedelta(days=3650)
_WRITTEN: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?(ms|s|m|h|d)")
SIZES: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}


def read_duration(text: str) -> timedelta | None:
    """What `500ms`, `60s`, `5m`, `24h` or `7d` stands for; None for anything else.

    More than ten years are no duration either.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return None
    number, size = float(match[1]), SIZES[match[2]]
    # Compared before it is multiplied: days of twelve digits are no timedelta.
    return number * size if number <= LONGEST / size else None


_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def describe_duration(duration: timedelta) -> str:
    """``2 h``, ``42 min``: the largest unit, rounded down."""
    seconds = max(int(duration.total_seconds()), 0)
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "0 s"


def describe_moment(at: datetime) -> str:
    """``2027-01-31 06:00 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
