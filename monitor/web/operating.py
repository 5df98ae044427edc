"""What people say on the page and through the API: that they are at an incident, and quiet."""

import secrets
from typing import Final

import structlog

from monitor.core.acknowledgement import acknowledge as make_acknowledgement
from monitor.core.incidents import Incident, Status
from monitor.core.silence import Silence, read_class, read_end
from monitor.core.silence import silence as make_silence
from monitor.web.answers import (
    AcknowledgeRequest,
    ErrorBody,
    IncidentPage,
    SilenceAnswer,
    SilenceList,
    SilenceRequest,
)
from monitor.web.description import to_utc
from monitor.web.overview import load_incident
from monitor.web.problems import NO_INCIDENT, make_conflict, make_not_found
from monitor.web.view import View

_log = structlog.get_logger()

OVER: Final = ErrorBody(
    code="incident_over",
    message="The incident is over.",
    next="GET /api/incidents lists those that are not.",
)
NO_SILENCE: Final = ErrorBody(
    code="not_found",
    message="No silence that holds has this number.",
    next="GET /api/silences lists them.",
)


async def acknowledge(view: View, incident_id: str, request: AcknowledgeRequest) -> IncidentPage:
    """Note who is at an incident, as bad as it is now.

    Raises:
        HTTPException: there is none of this number, or it is over.
        UsageError: the note is an essay.
        StoreError: the ledger cannot be read or written.
    """
    incident = await _find(view, incident_id)
    if incident.status is Status.RESOLVED:
        raise make_conflict(OVER)
    known = make_acknowledgement(
        incident.severity, incident.findings, by=request.by, note=request.note, at=view.clock()
    )
    await view.store.acknowledge(incident.id, known)
    _log.info("an incident was acknowledged", incident=incident.id, database=incident.database)
    return await load_incident(view, incident_id)


async def withdraw_acknowledgement(view: View, incident_id: str) -> IncidentPage:
    """Nobody is at it any more.

    Raises:
        HTTPException: there is no incident of this number.
        StoreError: the ledger cannot be read or written.
    """
    incident = await _find(view, incident_id)
    await view.store.acknowledge(incident.id, None)
    _log.info("nobody is at an incident", incident=incident.id, database=incident.database)
    return await load_incident(view, incident_id)


async def _find(view: View, incident_id: str) -> Incident:
    incident = await view.store.load_incident(incident_id)
    if incident is None:
        raise make_not_found(NO_INCIDENT)
    return incident


async def list_silences(view: View) -> SilenceList:
    """What is kept quiet now.

    Raises:
        StoreError: the ledger cannot be read.
    """
    found = await view.store.list_silences(after=view.clock())
    return SilenceList(silences=tuple(describe_silence(one) for one in found))


async def add_silence(view: View, request: SilenceRequest) -> SilenceAnswer:
    """Keep quiet what is asked for.

    Raises:
        UsageError: the reason is none, a pattern is none, or the end makes no sense.
        StoreError: the ledger cannot be written.
    """
    now = view.clock()
    made = make_silence(
        id=secrets.token_hex(6),
        environment=request.environment,
        database=request.database,
        finding_class=read_class(request.finding_class),
        object=request.object,
        reason=request.reason,
        by=request.by,
        at=now,
        until=read_end(request.duration, request.until, now),
    )
    await view.store.add_silence(made)
    _log.info("a silence was made", silence=made.id, what=str(made), until=made.until.isoformat())
    return describe_silence(made)


async def end_silence(view: View, silence_id: str) -> SilenceAnswer:
    """End it now: what is still so is told.

    Raises:
        HTTPException: none that holds has this number.
        StoreError: the ledger cannot be read or written.
    """
    over = await view.store.end_silence(silence_id, view.clock())
    if over is None:
        raise make_not_found(NO_SILENCE)
    _log.info("a silence was ended", silence=over.id)
    return describe_silence(over)


def describe_silence(one: Silence) -> SilenceAnswer:
    """A silence as it is answered."""
    return SilenceAnswer(
        id=one.id,
        environment=one.environment,
        database=one.database,
        finding_class=one.finding_class,
        object=one.object,
        reason=one.reason,
        by=one.by,
        at=to_utc(one.at),
        until=to_utc(one.until),
    )
