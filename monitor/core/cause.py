"""The likely cause of an incident, in a sentence: what a person would look at first."""

from datetime import datetime, timedelta
from typing import Final

from monitor.core.duration import describe_duration
from monitor.core.findings import FindingClass
from monitor.core.incidents import Incident
from monitor.core.rules import name_change

SOON: Final = timedelta(hours=1)
"""So long after a deployment it is the first suspect."""


def find_cause(incident: Incident, deployed_at: datetime | None = None) -> str:
    """What has most likely led to it; empty where nothing suggests anything.

    Args:
        incident: what is wrong.
        deployed_at: when the last deployment that concerns the database was reported.
    """
    own = _guess(incident)
    if deployed_at is None or not timedelta(0) <= incident.first_seen - deployed_at <= SOON:
        return own
    before = describe_duration(incident.first_seen - deployed_at)
    came = f"a deployment was reported {before} before"
    return f"{came}; {own}" if own else came


def _guess(incident: Incident) -> str:
    match incident.finding_class:
        case FindingClass.DRIFT:
            changes = {name_change(finding.code) for finding in incident.findings}
            return _DRIFTS[changes.pop()] if len(changes) == 1 else _DRIFTS["altered"]
        case other:
            return _CAUSES.get(other, "")


_DRIFTS: Final = {
    "missing": "dropped by hand, or a migration that did not run to its end",
    "unexpected": "made by hand, or by code that is newer than what is expected here",
    "altered": "changed by hand, or by a migration that is not the one that was expected",
}
_CAUSES: Final = {
    FindingClass.UNREACHABLE: "the server is down or asleep, or its address or password changed",
    FindingClass.UNKNOWN: "a right is missing, a lock is held, or what it should be is not there",
    FindingClass.HISTORY: "a revision was stamped or run by hand, or a deployment ended halfway",
    FindingClass.ORPHANS: "rows were written or deleted while no foreign key was enforced",
    FindingClass.DATA: "rows were written past the application, or a migration missed some",
    FindingClass.SMOKE: "the application is down, or does not answer as it did",
    FindingClass.CHANNEL: "its address or token was withdrawn, or the service is down",
}
