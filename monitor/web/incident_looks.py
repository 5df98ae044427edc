"""The looks while an incident lasted: single ones while they are kept, before them by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from monitor.core.findings import LOOKED
from monitor.core.incidents import Incident
from monitor.sinks.past_looks import HOUR, Run, Stretch
from monitor.web.answers import EarlierLooksAnswer, LookRunAnswer
from monitor.web.view import View

RUNS: Final = 200
"""Runs of alike looks that are told, the newest: at a database that flaps each look is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLooks:
    """The looks while an incident lasted.

    Attributes:
        runs: single looks, those that saw as much as each other in one; the newest first.
        are_whole: whether they are all that there were.
        earlier: of those before them the sums of whole hours, the newest first. The hour in
            which single looks begin is among them, and so is what was before the incident
            in the hour in which it began.
    """

    runs: tuple[LookRunAnswer, ...] = ()
    are_whole: bool = True
    earlier: tuple[EarlierLooksAnswer, ...] = ()


async def load_incident_looks(view: View, incident: Incident) -> IncidentLooks:
    """The looks while an incident lasted; of other checks than looks none are kept.

    Raises:
        StoreError: the ledger cannot be read.
    """
    if incident.finding_class not in LOOKED:
        return IncidentLooks()
    place = incident.environment, incident.database
    since, until = incident.first_seen, incident.resolved_at
    runs = await view.store.list_runs(*place, RUNS + 1, since=since, until=until)
    shown, oldest = runs[:RUNS], await view.store.find_oldest(*place)
    are_whole = len(runs) <= RUNS and oldest is not None and oldest <= since
    earlier: Sequence[Stretch] = ()
    if not are_whole:
        end = shown[-1].first if shown else until
        earlier = await view.store.sum_up_looks(*place, since, HOUR, until=end)
    return IncidentLooks(
        runs=tuple(map(_describe_run, shown)), are_whole=are_whole, earlier=gather_hours(earlier)
    )


def _describe_run(run: Run) -> LookRunAnswer:
    return LookRunAnswer(
        first=run.first.astimezone(UTC),
        last=run.last.astimezone(UTC),
        looks=run.looks,
        state=run.state,
        findings=run.findings,
    )


def gather_hours(stretches: Sequence[Stretch]) -> tuple[EarlierLooksAnswer, ...]:
    """Hours of one state, the newest first; those one after another that are alike in one.

    Args:
        stretches: by hours, the oldest first.
    """
    gathered: dict[tuple[datetime, object], EarlierLooksAnswer] = {}
    for one in stretches:
        alike = (one.state, one.least, one.most)
        before = gathered.pop((one.since, alike), None)
        until = one.since + HOUR
        gathered[until, alike] = EarlierLooksAnswer(
            since=before.since if before else one.since,
            until=until,
            looks=one.looks + (before.looks if before else 0),
            state=one.state,
            findings_least=one.least,
            findings_most=one.most,
        )
    newest = sorted(gathered.values(), key=lambda one: (one.until, one.since), reverse=True)
    return tuple(newest)
