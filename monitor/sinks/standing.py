"""How the incidents stand that a channel was told of, for those that have to be told again."""

from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa

from monitor.core.incidents import EventKind, Incident
from monitor.sinks.backend import Backend
from monitor.sinks.delivery import DeliveryStatus
from monitor.sinks.store_failures import unreadable
from monitor.sinks.tables import INCIDENTS, OUTBOX

_DECODER: Final = msgspec.json.Decoder(Incident)
_NO_STATE: Final = (EventKind.RESOLVED, EventKind.VERDICT)


class Standing:
    """The part of the store that says what a channel believes. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def list_told(self, channel: str, *, since: datetime) -> list[Incident]:
        """What a channel was told of, or may have been, and is open or was until `since`.

        Oldest first. What nobody was told of, for it is silenced, held back or on its way,
        is left out: the outbox alone decides what is told first.
        """
        told = sa.exists().where(
            OUTBOX.c.incident == INCIDENTS.c.id,
            OUTBOX.c.channel == channel,
            OUTBOX.c.kind.not_in(_NO_STATE),
            sa.or_(OUTBOX.c.status == DeliveryStatus.DELIVERED, OUTBOX.c.may_have_arrived),
        )
        query = (
            sa.select(INCIDENTS.c.body)
            .where(
                sa.or_(INCIDENTS.c.resolved_at.is_(None), INCIDENTS.c.resolved_at > since), told
            )
            .order_by(INCIDENTS.c.first_seen, INCIDENTS.c.id)
        )
        async with self._backend.reading() as connection:
            return [read_incident(row.body) for row in await connection.execute(query)]


def read_incident(body: str) -> Incident:
    """An incident as the ledger keeps it.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        # Without its cause, which quotes the row.
        raise unreadable() from None
