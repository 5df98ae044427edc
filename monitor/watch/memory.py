"""What is kept of a database between two looks, so that the next one reads less."""

from datetime import datetime, timedelta
from typing import Final

from monitor.core.decode import KnownTexts
from monitor.sources.reading import NOTHING_KNOWN

REMEMBERED: Final = timedelta(minutes=10)
"""How long texts are trusted before all are read again."""


class Memory:
    """What the looks at one database remember of its texts, to read only new ones.

    After ten minutes all are read again: a server that was restored, or failed over, may
    have given the same numbers to something else.
    """

    def __init__(self) -> None:
        self._texts = NOTHING_KNOWN
        self._forget_at: datetime | None = None

    def recall(self, at: datetime) -> KnownTexts:
        """What is known at a moment."""
        is_fresh = self._forget_at is not None and at < self._forget_at
        return self._texts if is_fresh else NOTHING_KNOWN

    def keep(self, texts: KnownTexts, at: datetime) -> None:
        """Remember what a read found."""
        if self._forget_at is None or at >= self._forget_at:
            self._forget_at = at + REMEMBERED
        self._texts = texts
