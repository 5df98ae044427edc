"""What comes and goes: a class of findings that people are told of too often.

Four turns within an hour are told once as flapping; then it is quiet until half an hour has
passed without one, and how it stands then is told in any case. A turn is an opening or an end.

Source: the flap detection of Nagios and Icinga, whose users miss the last word
(https://github.com/Icinga/icinga2/issues/9449).
"""

from datetime import datetime, timedelta
from typing import Final

MOST_TURNS: Final = 4
WITHIN: Final = timedelta(hours=1)
CALM_AFTER: Final = timedelta(minutes=30)

type Turns = tuple[datetime, ...]
"""When it came and went, the oldest first."""


def add_turn(turns: Turns, at: datetime) -> Turns:
    """The turns that still count, with one more."""
    return (*(turn for turn in turns if at - turn < WITHIN), at)


def is_flapping(turns: Turns) -> bool:
    """Whether it turned too often before the last of them."""
    return len(turns) >= MOST_TURNS
