"""Incidents in the ledger, with who is at them.

An acknowledgement has a row of its own: the agent writes an incident as it loaded it, and would
overwrite what somebody said meanwhile.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from monitor.core.acknowledgement import Acknowledgement
from monitor.core.findings import FindingClass
from monitor.core.incidents import Event, EventKind, Incident, Status, note
from monitor.sinks.backend import Backend
from monitor.sinks.claims import ARRIVED
from monitor.sinks.store_failures import read_word, unreadable
from monitor.sinks.tables import ACKNOWLEDGEMENTS, EVENTS, INCIDENTS, NUL, OUTBOX, RECORDS

_INCIDENT: Final = msgspec.json.Decoder(Incident)
_ACKNOWLEDGEMENT: Final = msgspec.json.Decoder(Acknowledgement)
_SELECT: Final = sa.select(
    INCIDENTS.c.body, INCIDENTS.c.resolved_at, ACKNOWLEDGEMENTS.c.body.label("known")
).outerjoin_from(INCIDENTS, ACKNOWLEDGEMENTS, ACKNOWLEDGEMENTS.c.incident == INCIDENTS.c.id)

_IS_WATCHED: Final = sa.exists().where(
    RECORDS.c.environment == INCIDENTS.c.environment,
    RECORDS.c.database == INCIDENTS.c.database,
)
_CAN_END: Final = sa.or_(_IS_WATCHED, INCIDENTS.c.finding_class == FindingClass.CHANNEL)
"""Somebody sees the end of it; channels are no databases, and are watched without a record."""
_OLDEST_FIRST: Final = (INCIDENTS.c.first_seen, INCIDENTS.c.id)
_NO_STATE: Final = (EventKind.RESOLVED, EventKind.VERDICT)


class Recent(NamedTuple):
    """The incidents of a database, one a class.

    Attributes:
        unresolved: those that are not over.
        ended: of those that are, the last that ended not long ago.
    """

    unresolved: dict[FindingClass, Incident]
    ended: dict[FindingClass, Incident]


class Incidents:
    """The part of the store that keeps incidents. Every method raises StoreError."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def load_unresolved(
        self, environment: str, database: str
    ) -> dict[FindingClass, Incident]:
        """The incident of each class that is not over."""
        here = _is_at(environment, database)
        incidents = await self._list(_SELECT.where(here, INCIDENTS.c.resolved_at.is_(None)))
        return {incident.finding_class: incident for incident in incidents}

    async def load_recent(self, environment: str, database: str, since: datetime) -> Recent:
        """What is not over, and what ended after a moment."""
        ended_at = INCIDENTS.c.resolved_at
        query = _SELECT.where(
            _is_at(environment, database), sa.or_(ended_at.is_(None), ended_at > since)
        ).order_by(ended_at)
        unresolved: dict[FindingClass, Incident] = {}
        ended: dict[FindingClass, Incident] = {}
        for incident in await self._list(query):
            found = unresolved if incident.resolved_at is None else ended
            found[incident.finding_class] = incident
        return Recent(unresolved, ended)

    async def list_incidents(
        self,
        environment: str | None = None,
        database: str | None = None,
        *,
        include_resolved: bool = False,
        limit: int = 100,
    ) -> list[Incident]:
        """Incidents, the youngest first.

        Without `include_resolved`, those of databases that are not watched any more
        are left out too: nobody will see their end.
        """
        if NUL in (database or ""):
            return []
        query = _SELECT
        if environment is not None:
            query = query.where(INCIDENTS.c.environment == environment)
        if database is not None:
            query = query.where(INCIDENTS.c.database == database)
        if not include_resolved:
            query = query.where(INCIDENTS.c.resolved_at.is_(None), _CAN_END)
        return await self._list(
            query.order_by(INCIDENTS.c.first_seen.desc(), INCIDENTS.c.id).limit(limit)
        )

    async def load_incident(self, incident: str) -> Incident | None:
        """The incident with this id."""
        return (await self.load_incidents([incident])).get(incident)

    async def load_incidents(self, ids: Collection[str]) -> dict[str, Incident]:
        """Those of some incidents that there are, by id."""
        known = [one for one in ids if NUL not in one]
        incidents = await self._list(_SELECT.where(INCIDENTS.c.id.in_(known)))
        return {incident.id: incident for incident in incidents}

    async def list_told(self, channel: str, *, since: datetime) -> list[Incident]:
        """What a channel was told of, or may have been, and is open or was until `since`.

        Oldest first. What nobody was told of, for it is silenced, held back or on its way,
        is left out: the outbox alone decides what is told first.
        """
        told = sa.exists().where(
            OUTBOX.c.incident == INCIDENTS.c.id,
            OUTBOX.c.channel == channel,
            OUTBOX.c.kind.not_in(_NO_STATE),
            ARRIVED,
        )
        ended_at = INCIDENTS.c.resolved_at
        query = _SELECT.where(sa.or_(ended_at.is_(None), ended_at > since), told)
        return await self._list(query.order_by(*_OLDEST_FIRST))

    async def list_broken(self, environment: str) -> list[Incident]:
        """The channels that are said to be broken, oldest first."""
        query = _SELECT.where(
            INCIDENTS.c.environment == environment,
            INCIDENTS.c.finding_class == FindingClass.CHANNEL,
            INCIDENTS.c.resolved_at.is_(None),
        )
        return await self._list(query.order_by(*_OLDEST_FIRST))

    async def find_newer(self, ended: Collection[Incident]) -> dict[str, Incident]:
        """What is open where these incidents are over, of their class and database, by their id.

        What is only suspected is left out: it may be nothing. So is what nobody sees the end of.
        """
        if not ended:
            return {}
        there = sa.tuple_(INCIDENTS.c.environment, INCIDENTS.c.database, INCIDENTS.c.finding_class)
        query = _SELECT.where(
            INCIDENTS.c.resolved_at.is_(None),
            _CAN_END,
            there.in_({_name_kind(one) for one in ended}),
        )
        found = {
            _name_kind(one): one
            for one in await self._list(query)
            if one.status is not Status.SUSPECTED
        }
        return {one.id: found[_name_kind(one)] for one in ended if _name_kind(one) in found}

    async def list_unreachable(self) -> set[tuple[str, str]]:
        """Environment and name of the databases that cannot be reached, or so it seems.

        Those that are not watched any more are left out: nobody tries to reach them.
        """
        query = sa.select(INCIDENTS.c.environment, INCIDENTS.c.database).where(
            INCIDENTS.c.finding_class == FindingClass.UNREACHABLE,
            INCIDENTS.c.resolved_at.is_(None),
            _IS_WATCHED,
        )
        async with self._backend.reading() as connection:
            rows = await connection.execute(query)
            return {(environment, database) for environment, database in rows}

    async def list_events(self, incident: str) -> list[Event]:
        """What was told of an incident, oldest first."""
        query = sa.select(EVENTS).where(EVENTS.c.incident == incident).order_by(EVENTS.c.version)
        async with self._backend.reading() as connection:
            return [
                Event(
                    incident=row.incident,
                    version=row.version,
                    kind=read_word(EventKind, row.kind),
                    at=row.at,
                )
                for row in await connection.execute(query)
            ]

    async def acknowledge(self, incident: str, known: Acknowledgement | None) -> None:
        """Note who is at it, in place of whoever was; None for nobody."""
        async with self._backend.writing() as connection:
            if known is None:
                here = ACKNOWLEDGEMENTS.c.incident == incident
                await connection.execute(sa.delete(ACKNOWLEDGEMENTS).where(here))
                return
            body = msgspec.json.encode(known).decode()
            await connection.execute(
                self._backend.insert(ACKNOWLEDGEMENTS)
                .values(incident=incident, body=body)
                .on_conflict_do_update(
                    index_elements=[ACKNOWLEDGEMENTS.c.incident], set_={"body": body}
                )
            )

    async def _list(self, query: sa.Select[Any]) -> list[Incident]:
        async with self._backend.reading() as connection:
            return [read_incident(row.body, row.known) for row in await connection.execute(query)]


def _is_at(environment: str, database: str) -> sa.ColumnElement[bool]:
    return sa.and_(INCIDENTS.c.environment == environment, INCIDENTS.c.database == database)


def _name_kind(incident: Incident) -> tuple[str, str, FindingClass]:
    """What there is one unresolved incident of at most."""
    return incident.environment, incident.database, incident.finding_class


def read_incident(body: str, known: str | None = None) -> Incident:
    """An incident as the ledger keeps it, with who is at it.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        who = _ACKNOWLEDGEMENT.decode(known) if known is not None else None
        return note(_INCIDENT.decode(body), who)
    except msgspec.DecodeError:
        # Without its cause, which quotes the row.
        raise unreadable() from None
