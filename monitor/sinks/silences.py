"""What is kept quiet, in the ledger, for every agent that shares it."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from monitor.core.silence import Silence
from monitor.sinks.backend import Backend
from monitor.sinks.store_failures import unreadable
from monitor.sinks.tables import NUL, SILENCES

KEEP_FOR: Final = timedelta(days=30)
"""After its end a silence is shown for so long: people ask why they heard nothing."""
_DECODER: Final = msgspec.json.Decoder(Silence)


class Silences:
    """The part of the store that keeps silences. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def add_silence(self, silence: Silence) -> None:
        """Keep quiet what it matches; those that ended long ago are forgotten."""
        body = msgspec.json.encode(silence).decode()
        old = sa.delete(SILENCES).where(SILENCES.c.until < silence.at - KEEP_FOR)
        async with self._backend.writing() as connection:
            await connection.execute(old)
            await connection.execute(
                sa.insert(SILENCES).values(id=silence.id, until=silence.until, body=body)
            )

    async def list_silences(self, after: datetime | None = None) -> list[Silence]:
        """Those that end after a moment, or all that are kept; the first to end first."""
        query = sa.select(SILENCES.c.body).order_by(SILENCES.c.until, SILENCES.c.id)
        if after is not None:
            query = query.where(SILENCES.c.until > after)
        async with self._backend.reading() as connection:
            return [_read(row.body) for row in await connection.execute(query)]

    async def end_silence(self, silence: str, at: datetime) -> Silence | None:
        """End it now; None where there is none that holds."""
        if NUL in silence:
            return None
        here = sa.and_(SILENCES.c.id == silence, SILENCES.c.until > at)
        async with self._backend.writing() as connection:
            row = (await connection.execute(sa.select(SILENCES.c.body).where(here))).first()
            if row is None:
                return None
            over = msgspec.structs.replace(_read(row.body), until=at)
            await connection.execute(
                sa.update(SILENCES)
                .where(here)
                .values(until=at, body=msgspec.json.encode(over).decode())
            )
        return over


def _read(body: str) -> Silence:
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        # Without its cause, which quotes the row.
        raise unreadable() from None
