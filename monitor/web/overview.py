"""Reads the ledger and makes the documents that pages and the JSON interface show."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from monitor.core.checkup import CheckRecord, add_checks
from monitor.core.incidents import Incident
from monitor.core.record import Record
from monitor.sinks.delivery import Outcome
from monitor.web.answers import DatabaseAnswer, DatabasePage, IncidentPage
from monitor.web.description import (
    describe_database,
    describe_database_detail,
    describe_incident_detail,
)
from monitor.web.incident_looks import load_incident_looks
from monitor.web.problems import (
    NO_DATABASE,
    NO_INCIDENT,
    NOT_LOOKED_AT,
    make_conflict,
    make_not_found,
)
from monitor.web.view import Configured, View

LOOKS: Final = 20
"""Looks that a database's page lists."""

INCIDENTS: Final = 20
"""Incidents that a database's page lists, resolved ones included."""

type Place = tuple[str, str]
"""Environment and name: what identifies a database."""


async def list_databases(view: View) -> tuple[DatabaseAnswer, ...]:
    """Every database that is configured or was looked at, sorted by environment and name.

    Raises:
        StoreError: the ledger cannot be read.
    """
    seen, configured = await _list_seen(view), _list_configured(view)
    now = view.clock()
    return tuple(
        _describe(seen.get(place), configured.get(place), now)
        for place in sorted(seen.keys() | configured.keys())
    )


async def list_some(view: View, places: Collection[Place]) -> tuple[DatabaseAnswer, ...]:
    """Those of these databases that were looked at, each read by itself.

    Raises:
        StoreError: the ledger cannot be read.
    """
    configured, now = _list_configured(view), view.clock()
    found = []
    for place in sorted(places):
        record = await view.store.load(*place)
        if record is not None:
            checks = await view.store.list_checks(*place)
            found.append(_describe(_see(record, checks), configured.get(place), now))
    return tuple(found)


class Found(NamedTuple):
    """One database.

    Attributes:
        answer: what is said of it.
        record: what the last look left; None where nobody has looked.
        checks: what goes beyond its schema, as it was done last.
    """

    answer: DatabaseAnswer
    record: Record | None
    checks: Sequence[CheckRecord]

    @property
    def place(self) -> Place:
        """Where it is, and its name."""
        return self.answer.environment, self.answer.name


async def find_database(view: View, name: str, environment: str | None) -> Found:
    """The database of this name with what the last look left.

    Raises:
        HTTPException: 404 when nobody watches such a database.
        StoreError: the ledger cannot be read.
    """
    seen, configured = await _list_seen(view), _list_configured(view)
    place = _choose(seen.keys() | configured.keys(), name, environment or view.environment)
    if place is None or (environment is not None and place[0] != environment):
        raise make_not_found(NO_DATABASE)
    here = seen.get(place)
    answer = _describe(here, configured.get(place), view.clock())
    return Found(answer, here.record, here.checks) if here else Found(answer, None, ())


async def load_database(view: View, name: str, environment: str | None = None) -> DatabasePage:
    """One database; that of the agent's own environment where several share the name.

    Args:
        view: what the application was given.
        name: its configured name.
        environment: only that of this environment.

    Raises:
        HTTPException: 404 when nobody watches such a database.
        StoreError: the ledger cannot be read.
    """
    return await describe_found(view, await find_database(view, name, environment))


async def describe_found(view: View, found: Found) -> DatabasePage:
    """All that is said of a database that was found.

    Raises:
        StoreError: the ledger cannot be read.
    """
    base, record, checks = found
    # Thousands of findings take seconds to describe: a thread does it, and looks go on.
    return await asyncio.to_thread(
        describe_database_detail,
        base,
        record,
        incidents=await view.store.list_incidents(
            base.environment, base.name, include_resolved=True, limit=INCIDENTS
        ),
        looks=await view.store.list_looks(base.environment, base.name, LOOKS),
        checks=checks,
    )


async def ask_for_look(view: View, name: str, environment: str | None = None) -> DatabaseAnswer:
    """The database as it stands; a look at it comes as soon as it may.

    Args:
        view: what the application was given.
        name: its configured name.
        environment: only that of this environment.

    Raises:
        HTTPException: 404 when nobody watches such a database, 409 when nobody here
            looks at it.
        StoreError: the ledger cannot be read.
    """
    database = (await find_database(view, name, environment)).answer
    if not view.ask(database.environment, database.name):
        raise make_conflict(NOT_LOOKED_AT)
    return database


async def load_incident(view: View, incident_id: str) -> IncidentPage:
    """One incident with what was told about it.

    Raises:
        HTTPException: 404 when there is no such incident.
        StoreError: the ledger cannot be read.
    """
    incident = await view.store.load_incident(incident_id)
    if incident is None:
        raise make_not_found(NO_INCIDENT)
    return await asyncio.to_thread(
        describe_incident_detail,
        incident,
        await view.store.list_events(incident_id),
        [_mask(view, one) for one in await view.store.list_deliveries(incident_id)],
        await load_incident_looks(view, incident),
    )


def _mask(view: View, outcome: Outcome) -> Outcome:
    """A channel may answer with what it was sent: what opens something here is hidden."""
    return replace(outcome, receipt=outcome.receipt and view.masker.hide(outcome.receipt))


async def list_incidents(
    view: View, *, include_resolved: bool, database: str | None = None, limit: int = 100
) -> Sequence[Incident]:
    """Incidents of every environment, the newest first.

    Raises:
        StoreError: the ledger cannot be read.
    """
    return await view.store.list_incidents(
        None, database, include_resolved=include_resolved, limit=limit
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A database as its last look left it, and its checks; the record has both."""

    record: Record
    checks: Sequence[CheckRecord]


async def _list_seen(view: View) -> dict[Place, _Seen]:
    """Each database as its last look and its checks left it."""
    checks: dict[Place, list[CheckRecord]] = defaultdict(list)
    for check in await view.store.list_checks():
        checks[check.environment, check.database].append(check)
    records = {(one.environment, one.database): one for one in await view.store.list_records()}
    return {place: _see(record, checks[place]) for place, record in records.items()}


def _see(record: Record, checks: Sequence[CheckRecord]) -> _Seen:
    report = add_checks(record.report, checks)
    return _Seen(record=msgspec.structs.replace(record, report=report), checks=checks)


def _describe(seen: _Seen | None, configured: Configured | None, now: datetime) -> DatabaseAnswer:
    if seen is None:
        return describe_database(None, configured, now)
    return describe_database(seen.record, configured, now, seen.checks)


def _list_configured(view: View) -> dict[Place, Configured]:
    return {(item.environment, item.name): item for item in view.configured()}


def _choose(places: set[Place], name: str, environment: str) -> Place | None:
    """The place of this name, by preference in ``environment``."""
    found = sorted(
        (place for place in places if place[1] == name), key=lambda p: (p[0] != environment, p)
    )
    return found[0] if found else None
