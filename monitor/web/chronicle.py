"""What happened at one database: incidents, deployments, moves of the stamp; the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from monitor.core.deployment import Deployment, Phase, concerns
from monitor.core.duration import describe_duration
from monitor.core.findings import FindingClass
from monitor.core.record import Record
from monitor.web.answers import DatabasePage, IncidentAnswer
from monitor.web.description import OVERDUE_INTERVALS
from monitor.web.plots import SPAN, Plots, begin_period, draw_plots
from monitor.web.view import Configured, View

HAPPENINGS: Final = 40
"""What a page lists."""

DEPLOYMENTS: Final = 100
"""Deployments that are read: of all databases, for a report may name none."""

_UNASKED: Final = timedelta(days=1)
"""How long the state of a database is taken to last that is looked at when somebody asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened.

    Attributes:
        at: when.
        tone: its colour and shape.
        kind: a word for it.
        text: what happened; a stranger's words may be in it.
        incident: the number of the incident that it is about.
        note: what is said besides.
    """

    at: datetime
    tone: str
    kind: str
    text: str
    incident: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chronicle:
    """The month of a database."""

    happenings: Sequence[Happening]
    more: int
    plots: Plots | None


async def load_chronicle(view: View, database: DatabasePage, record: Record | None) -> Chronicle:
    """What happened at a database.

    Raises:
        StoreError: the ledger cannot be read.
    """
    place, now = (database.environment, database.name), view.clock()
    stretches = await view.store.sum_up_looks(*place, begin_period(now), SPAN)
    services = _find_services(view.configured(), place)
    deployments = [
        one
        for one in await view.store.list_deployments(limit=DEPLOYMENTS)
        if concerns(one, database.name, database.environment, services)
    ]
    told = [
        *(found for incident in database.incidents for found in tell_incident(incident)),
        *(tell_deployment(one) for one in deployments),
        *(tell_record(record) if record else ()),
    ]
    told.sort(key=lambda one: one.at, reverse=True)
    return Chronicle(
        happenings=told[:HAPPENINGS],
        more=max(len(told) - HAPPENINGS, 0),
        plots=draw_plots(stretches, now, _choose_patience(database.interval)),
    )


def _choose_patience(interval: float | None) -> timedelta:
    return _UNASKED if interval is None else OVERDUE_INTERVALS * timedelta(seconds=interval)


def _find_services(configured: Sequence[Configured], place: tuple[str, str]) -> tuple[str, ...]:
    found = (one.services for one in configured if (one.environment, one.name) == place)
    return next(found, ())


def tell_incident(incident: IncidentAnswer) -> list[Happening]:
    """How it began, and how it ended."""
    if incident.finding_class is FindingClass.DEPLOY:
        tone = {"critical": "critical", "warning": "warning", "info": "good"}[incident.severity]
        return [
            Happening(
                at=incident.first_seen,
                tone=tone,
                kind="deployment looked at",
                text=incident.headline,
                incident=incident.id,
            )
        ]
    tone = {"critical": "critical", "warning": "warning", "info": "moving"}[incident.severity]
    begun = Happening(
        at=incident.first_seen,
        tone=tone,
        kind="incident",
        text=incident.headline,
        incident=incident.id,
        note="" if incident.resolved_at else incident.status.value,
    )
    if incident.resolved_at is None:
        return [begun]
    lasted = describe_duration(incident.resolved_at - incident.first_seen)
    over = Happening(
        at=incident.resolved_at,
        tone="good",
        kind="resolved",
        text=incident.headline,
        incident=incident.id,
        note=f"after {lasted}",
    )
    return [over, begun]


def tell_deployment(deployment: Deployment) -> Happening:
    """What was deployed, as far as somebody said."""
    parts = [
        deployment.service and f"of {deployment.service}",
        deployment.commit and f"at {deployment.commit[:12]}",
    ]
    has_failed = deployment.phase is Phase.FAILED
    return Happening(
        at=deployment.at,
        tone="warning" if has_failed else "moving",
        kind="deployment failed" if has_failed else "deployment",
        text=" ".join(part for part in parts if part),
    )


def tell_record(record: Record) -> list[Happening]:
    """The last change of the stamp and of the schema."""
    told = []
    if record.move is not None:
        before = ", ".join(record.move.before) or "nothing"
        now = ", ".join(record.revisions or ()) or "nothing"
        told.append(
            Happening(
                at=record.move.at, tone="moving", kind="stamp moved", text=f"{before} → {now}"
            )
        )
    if record.schema_changed is not None:
        told.append(
            Happening(at=record.schema_changed, tone="moving", kind="schema changed", text="")
        )
    return told
