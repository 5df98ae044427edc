"""What people accept on the page and through the API: checked, written, listed."""

from collections.abc import Sequence
from typing import Final

import structlog

from monitor.core.findings import Finding
from monitor.core.record import Record
from monitor.core.standing import Standing, list_standings, require_look
from monitor.core.waivers import Acceptance, digest_all, is_waivable, read_day
from monitor.core.waivers import accept as make_acceptances
from monitor.web.answers import (
    AcceptanceAnswer,
    AcceptanceList,
    AcceptRequest,
    Choice,
    ErrorBody,
)
from monitor.web.description import list_key, to_utc
from monitor.web.overview import Found, Place, find_database
from monitor.web.problems import make_conflict, make_not_found
from monitor.web.view import View

_log = structlog.get_logger()

NO_FINDING: Final = ErrorBody(
    code="not_found",
    message="The last look found nothing of this number.",
    next="GET /api/databases/NAME lists what it found.",
)
NO_ACCEPTANCE: Final = ErrorBody(
    code="not_found",
    message="Nothing of this number is accepted.",
    next="GET /api/databases/NAME/accepted lists what is.",
)
CHANGED: Final = ErrorBody(
    code="finding_changed",
    message="It has changed since it was shown, so it was not accepted.",
    next="Look at it again.",
)


async def accept(
    view: View, name: str, environment: str | None, request: AcceptRequest
) -> AcceptanceList:
    """Accept what is asked for, as the last look found it: all of it, or nothing.

    Raises:
        HTTPException: there is no such database or finding, or it has changed.
        UsageError: the reason is none, the day is over, or it cannot be accepted.
        LookError: the last look could not look.
        StoreError: the ledger cannot be read or written.
    """
    place, record = await _find(view, name, environment)
    report = require_look(record, f"{place[1]} ({place[0]})")
    if request.findings is None:
        chosen: Sequence[Finding] = list(filter(is_waivable, report.findings))
        if request.seen not in (None, digest_all(chosen)):
            raise make_conflict(CHANGED)
    else:
        known = {f.id: f for f in (*(one.finding for one in report.accepted), *report.findings)}
        chosen = [_choose(known.get(choice.id), choice) for choice in request.findings]
    acceptances = make_acceptances(
        chosen,
        reason=request.reason,
        until=read_day(request.until) if request.until else None,
        by=request.by,
        at=view.clock(),
    )
    await view.store.accept(acceptances)
    _log.info(
        "findings were accepted",
        database=place[1],
        environment=place[0],
        findings=[one.finding for one in acceptances],
    )
    view.ask(*place)
    return _describe(place, acceptances, record, view)


def _choose(finding: Finding | None, choice: Choice) -> Finding:
    if finding is None:
        raise make_not_found(NO_FINDING)
    if choice.digest not in (None, finding.digest):
        raise make_conflict(CHANGED)
    return finding


async def withdraw(view: View, name: str, environment: str | None, finding: str) -> AcceptanceList:
    """Take an acceptance back; the finding is told again.

    Raises:
        HTTPException: there is no such database, or nothing is accepted of it.
        StoreError: the ledger cannot be read or written.
    """
    place, record = await _find(view, name, environment)
    there = await view.store.list_acceptances(*place)
    gone = await view.store.withdraw(*place, [finding])
    if not gone:
        raise make_not_found(NO_ACCEPTANCE)
    _log.info(
        "an acceptance was withdrawn", database=place[1], environment=place[0], finding=finding
    )
    view.ask(*place)
    return _describe(place, [one for one in there if one.finding in gone], record, view)


async def list_accepted(view: View, name: str, environment: str | None) -> AcceptanceList:
    """What is accepted at a database, the oldest first.

    Raises:
        HTTPException: there is no such database.
        StoreError: the ledger cannot be read.
    """
    return await list_accepted_of(view, await find_database(view, name, environment))


async def list_accepted_of(view: View, found: Found) -> AcceptanceList:
    """What is accepted at a database that was found, the oldest first.

    Raises:
        StoreError: the ledger cannot be read.
    """
    there = await view.store.list_acceptances(*found.place)
    return _describe(found.place, there, found.record, view)


async def _find(view: View, name: str, environment: str | None) -> tuple[Place, Record | None]:
    found = await find_database(view, name, environment)
    return found.place, found.record


def _describe(
    place: Place,
    acceptances: Sequence[Acceptance],
    record: Record | None,
    view: View,
) -> AcceptanceList:
    report = record.report if record else None
    standings = list_standings(acceptances, report, view.clock())
    return AcceptanceList(
        environment=place[0],
        database=place[1],
        accepted=tuple(_describe_one(one, standing) for one, standing in standings),
    )


def _describe_one(acceptance: Acceptance, standing: Standing) -> AcceptanceAnswer:
    return AcceptanceAnswer(
        id=acceptance.finding,
        code=acceptance.code,
        **list_key(acceptance.key),
        title=acceptance.title,
        digest=acceptance.digest,
        reason=acceptance.reason,
        until=acceptance.until,
        by=acceptance.by,
        at=to_utc(acceptance.at),
        standing=standing,
    )
