"""Values for the tests of the sinks: each says only what matters to it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from monitor.core.errors import DeliveryError
from monitor.core.findings import Evidence, Finding, FindingClass, Severity
from monitor.core.incidents import Event, EventKind, Incident, Status
from monitor.core.keys import Kind, ObjectKey
from monitor.core.message import Message, compose
from monitor.core.record import Record
from monitor.core.report import Report
from monitor.core.verdict import State
from monitor.sinks.channel import FailureReason
from monitor.sinks.store import Decision, Store
from monitor.sinks.tables import OUTBOX

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = 'a"b`c\n<!channel> & </script> 🐘\x00\u202e'


def a_finding(name: str = "orders", **changes: Any) -> Finding:
    finding = Finding(
        code="AW201",
        severity=Severity.CRITICAL,
        environment="production",
        database="app",
        key=ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name=name),
        title=f"table public.{name} is missing",
        evidence=(Evidence(name="persistence", expected="permanent", actual=None),),
    )
    return msgspec.structs.replace(finding, **changes)


def an_incident(id_: str = "i1", **changes: Any) -> Incident:
    incident = Incident(
        id=id_,
        environment="production",
        database="app",
        finding_class=FindingClass.DRIFT,
        status=Status.OPEN,
        severity=Severity.CRITICAL,
        findings=(a_finding(),),
        first_seen=NOW,
        last_seen=NOW,
        opened_at=NOW,
        version=1,
    )
    return msgspec.structs.replace(incident, **changes)


def a_record(looks: int = 1, at: datetime = NOW, **changes: Any) -> Record:
    database = changes.get("database", "app")
    environment = changes.get("environment", "production")
    report = Report(
        environment=environment,
        database=database,
        at=at,
        seconds=0.25,
        state=State.DRIFTED,
        findings=(a_finding(HOSTILE),),
    )
    record = Record(
        environment=environment, database=database, report=report, state_since=at, looks=looks
    )
    return msgspec.structs.replace(record, **changes)


def a_decision(looks: int = 1, **changes: Any) -> Decision:
    """The decision of look number `looks`; with an incident, also its event."""
    at = changes.pop("at", NOW + timedelta(minutes=looks - 1))
    place = {key: changes.pop(key) for key in ("environment", "database") if key in changes}
    return Decision(
        record=changes.pop("record", a_record(looks, at, **place)),
        looks_before=changes.pop("looks_before", looks - 1 or None),
        **changes,
    )


def told(
    looks: int, kind: EventKind, *channels: str, incident: Incident | None = None
) -> Decision:
    """Look number `looks` decides to tell something about an incident on channels."""
    at = NOW + timedelta(minutes=looks - 1)
    subject = incident or an_incident()
    over = {"status": Status.RESOLVED, "resolved_at": at} if kind is EventKind.RESOLVED else {}
    subject = msgspec.structs.replace(subject, version=looks, last_seen=at, **over)
    event = Event(incident=subject.id, version=looks, kind=kind, at=at)
    return a_decision(
        looks,
        environment=subject.environment,
        database=subject.database,
        incidents=(subject,),
        events=(event,),
        channels=channels,
    )


def a_message(kind: EventKind = EventKind.OPENED, **changes: Any) -> Message:
    return compose(an_incident(**changes), kind, delivery="01DELIVERY", at=NOW)


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def a_failure(
    reason: FailureReason = FailureReason.SERVER,
    *,
    permanent: bool = False,
    retry_after: float | None = None,
) -> DeliveryError:
    return DeliveryError(
        "The receiver answered 500.",
        next_step="Look at it.",
        permanent=permanent,
        retry_after=retry_after,
        reason=reason,
    )


async def statuses(store: Store, incident: str = "i1") -> list[str]:
    return [outcome.status.value for outcome in await store.list_deliveries(incident)]


async def lapse(store: Store) -> None:
    """The lease of everything that is claimed is over, by whatever clock."""
    long_ago = sa.update(OUTBOX).where(OUTBOX.c.claimed_until.is_not(None))
    async with store._backend.writing() as connection:
        await connection.execute(long_ago.values(claimed_until=NOW - timedelta(days=9999)))
