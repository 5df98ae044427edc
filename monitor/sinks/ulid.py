"""Identifiers that sort by time: https://github.com/ulid/spec."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 26
_RANDOM_BITS: Final = 80
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def make_ulid(at: datetime) -> str:
    """26 letters: 48 bits of milliseconds, then 80 random bits."""
    milliseconds = (at - _EPOCH) // _MILLISECOND
    number = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    digits = (number >> 5 * place & 31 for place in reversed(range(_LENGTH)))
    return "".join(_LETTERS[digit] for digit in digits)
