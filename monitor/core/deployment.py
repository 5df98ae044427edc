"""Deployments, as platforms and pipelines report them.

Railway posts its project's events and signs nothing, and its own example says `failed` in the
type and `SUCCESS` in the details: the type alone is trusted. Environments that live for one pull
request concern nobody. https://docs.railway.com/reference/webhooks
"""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from monitor.core.errors import UsageError
from monitor.core.printing import flatten

MAX_WORD: Final = 200
"""Characters of a name or an id."""
_REPEATED: Final = timedelta(minutes=10)
"""Who names no id and reports the same within that time reports it twice."""


class Phase(StrEnum):
    """How far a deployment came."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment of one service.

    Attributes:
        id: the same however often it is reported.
        at: when it was reported.
        phase: how it ended.
        commit: what is deployed; empty where nobody says.
        service: which one; empty where nobody says.
        environment: where; empty where nobody says.
        databases: the configured names that it concerns, where the report says so.
    """

    id: str
    at: datetime
    phase: Phase
    commit: str = ""
    service: str = ""
    environment: str = ""
    databases: tuple[str, ...] = ()


class _Named(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    is_ephemeral: bool | None = msgspec.field(default=False, name="isEphemeral")


class _Resource(msgspec.Struct):
    environment: _Named | None = None
    service: _Named | None = None
    deployment: _Named | None = None


class _Details(msgspec.Struct):
    id: str | None = None
    commit: str | None = msgspec.field(default=None, name="commitHash")


class _Railway(msgspec.Struct):
    type: str
    details: _Details | None = None
    resource: _Resource | None = None


class _Generic(msgspec.Struct, forbid_unknown_fields=True):
    commit: str = ""
    id: str = ""
    status: Phase = Phase.SUCCEEDED
    service: str = ""
    environment: str = ""
    databases: tuple[str, ...] = ()


_RAILWAY: Final = msgspec.json.Decoder(_Railway)
_GENERIC: Final = msgspec.json.Decoder(_Generic)
_SUBJECT: Final = "deployment"
_PHASES: Final = {
    "success": Phase.SUCCEEDED,
    "succeeded": Phase.SUCCEEDED,
    "deployed": Phase.SUCCEEDED,
    "failed": Phase.FAILED,
    "crashed": Phase.FAILED,
}


def read_railway(body: bytes, at: datetime) -> Deployment | None:
    """The deployment that a webhook of Railway reports; None where it reports no end of one.

    Raises:
        UsageError: the body is none of Railway's.
    """
    try:
        report = _RAILWAY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _refuse("a webhook of Railway") from None
    subject, _, word = report.type.lower().partition(".")
    phase = _PHASES.get(word)
    resource = report.resource or _Resource()
    environment = resource.environment or _Named()
    if subject != _SUBJECT or phase is None or environment.is_ephemeral:
        return None
    details = report.details or _Details()
    named = (resource.deployment.id if resource.deployment else None) or details.id
    return Deployment(
        id=_make_id("railway", named or hashlib.sha256(body).hexdigest(), phase.value),
        at=at,
        phase=phase,
        commit=_cut(details.commit),
        service=_cut(resource.service.name if resource.service else None),
        environment=_cut(environment.name),
    )


def read_report(body: bytes, at: datetime) -> Deployment:
    """The deployment that a pipeline reports; an empty body is one of whatever is deployed.

    Raises:
        UsageError: the body is no such report.
    """
    try:
        report = _GENERIC.decode(body) if body.strip() else _Generic()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _refuse("a report of a deployment") from None
    parts = (report.commit, report.service, report.environment, *report.databases)
    named = report.id or "\0".join((*parts, str(int(at.timestamp() // _REPEATED.total_seconds()))))
    return Deployment(
        id=_make_id("report", named, report.status.value),
        at=at,
        phase=report.status,
        commit=_cut(report.commit),
        service=_cut(report.service),
        environment=_cut(report.environment),
        databases=tuple(map(_cut, report.databases[:MAX_WORD])),
    )


def _make_id(kind: str, named: str, phase: str) -> str:
    """Twelve letters, so that nothing of a stranger's becomes a key."""
    seen = msgspec.json.encode((kind, named, phase))
    return hashlib.sha256(seen).hexdigest()[:12]


def _cut(text: str | None) -> str:
    """Short, and on one line."""
    return flatten(text or "")[:MAX_WORD].strip()


def _refuse(what: str) -> UsageError:
    return UsageError(
        f"This is not {what}.",
        next_step='Send JSON: {"commit": "3f2a1c", "service": "web"}; see docs/how-to/deploys.md.',
    )


def concerns(
    deployment: Deployment, database: str, environment: str, services: tuple[str, ...]
) -> bool:
    """Whether a deployment concerns a database.

    Args:
        deployment: what was reported.
        database: its configured name.
        environment: where it runs.
        services: those whose deployments concern it; none for all.
    """
    if deployment.databases:
        return database in deployment.databases
    is_here = not deployment.environment or _is_same(deployment.environment, environment)
    is_mine = not services or not deployment.service or deployment.service in services
    return is_here and is_mine


def _is_same(named: str, environment: str) -> bool:
    """Nobody who set no environment is anywhere else."""
    return environment == _ANYWHERE or named.casefold() == environment.casefold()


_ANYWHERE: Final = "default"
