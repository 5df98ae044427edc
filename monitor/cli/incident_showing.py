"""What `anchorwatch incidents` prints."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from monitor.agent.choices import choose_environment
from monitor.cli.choices import Format
from monitor.cli.loop import run_loop
from monitor.cli.output import describe_finding, print_json, print_text, write_time
from monitor.cli.settings import load_settings
from monitor.config.load import LoadedConfig
from monitor.core.cause import find_cause
from monitor.core.duration import describe_duration
from monitor.core.errors import UsageError
from monitor.core.incidents import Event, Incident, Status
from monitor.core.message import choose_command, describe_class
from monitor.core.message import describe_finding as write_finding
from monitor.core.printing import clean
from monitor.sinks.delivery import DeliveryStatus, Outcome
from monitor.sinks.visit import visit_store


class Told(NamedTuple):
    """An incident with all that was told of it."""

    incident: Incident
    events: Sequence[Event]
    outcomes: Sequence[Outcome]


def show_incidents(
    which: str | None, *, include_resolved: bool, limit: int, form: Format, config: str | None
) -> None:
    """Print the incidents, or the one that is named.

    Raises:
        AnchorwatchError: the ledger cannot be read, or nothing is called that.
    """
    loaded = load_settings(config)
    now = datetime.now(UTC)
    if which is None or which in loaded.settings.databases:
        found = run_loop(_list(loaded, which, include_resolved=include_resolved, limit=limit))
        if form is Format.JSON:
            print_json({"incidents": [describe_incident(one) for one in found]})
        else:
            print_text("\n".join(_write_list(found, now)) or "Nothing is open.")
        return
    told = run_loop(_load(loaded, which))
    if form is Format.JSON:
        print_json(_describe_told(told))
    else:
        print_text("\n".join(_write_told(told, now)))


async def _list(
    loaded: LoadedConfig, database: str | None, *, include_resolved: bool, limit: int
) -> list[Incident]:
    environment = None
    if database is not None:
        environment = choose_environment(loaded.settings, loaded.settings.databases[database])
    async with visit_store(loaded.settings.store_url.get_secret_value()) as store:
        return await store.list_incidents(
            environment, database, include_resolved=include_resolved, limit=limit
        )


async def _load(loaded: LoadedConfig, which: str) -> Told:
    async with visit_store(loaded.settings.store_url.get_secret_value()) as store:
        incident = await store.load_incident(which)
        if incident is None:
            raise make_unknown(which)
        return Told(
            incident,
            await store.list_events(incident.id),
            await store.list_deliveries(incident.id),
        )


def make_unknown(which: str) -> UsageError:
    """Nothing is called that."""
    return UsageError(
        f"{clean(which[:100])!r} is neither a configured database nor an incident.",
        next_step="`anchorwatch incidents --all` lists what there is.",
    )


def describe_incident(incident: Incident) -> dict[str, Any]:
    """An incident as JSON has it."""
    known = incident.acknowledged
    return {
        "id": incident.id,
        "environment": incident.environment,
        "database": incident.database,
        "class": incident.finding_class.value,
        "status": incident.status.value,
        "severity": incident.severity.value,
        "headline": describe_class(incident),
        "cause": find_cause(incident),
        "command": choose_command(incident),
        "first_seen": incident.first_seen,
        "last_seen": incident.last_seen,
        "opened_at": incident.opened_at,
        "resolved_at": incident.resolved_at,
        "flapping_since": incident.flapping_since,
        "acknowledged": {"by": known.by, "at": known.at, "note": known.note} if known else None,
        "findings": [describe_finding(finding) for finding in incident.findings],
    }


def _describe_told(told: Told) -> dict[str, Any]:
    return {
        "incident": describe_incident(told.incident),
        "events": [
            {"version": event.version, "kind": event.kind.value, "at": event.at}
            for event in told.events
        ],
        "deliveries": [
            {
                "channel": one.delivery.channel,
                "version": one.delivery.version,
                "kind": one.delivery.kind.value,
                "status": one.status.value,
                "attempts": one.delivery.attempts,
                "due": one.due if one.status is DeliveryStatus.PENDING else None,
                "ended": one.ended,
                "held": one.delivery.held.value if one.delivery.held else None,
                "reason": one.reason.value if one.reason else None,
            }
            for one in told.outcomes
        ],
    }


def _write_list(incidents: Sequence[Incident], now: datetime) -> Iterator[str]:
    for incident in incidents:
        yield f"{incident.id}  {_write_state(incident, now)}"
        yield f"  {clean(describe_class(incident))}"


def _write_state(incident: Incident, now: datetime) -> str:
    place = f"{clean(incident.database)} ({clean(incident.environment)})"
    ended = incident.resolved_at
    lasted = describe_duration((ended or now) - incident.first_seen)
    when = f"for {lasted}" if ended is None else f"over at {write_time(ended)} after {lasted}"
    flaps = ", comes and goes" if incident.flapping_since else ""
    return (
        f"{incident.severity.value:8}  {incident.status.value}{flaps}  {place}  "
        f"{incident.finding_class.value}, {when}"
    )


def _write_told(told: Told, now: datetime) -> Iterator[str]:
    incident = told.incident
    yield from _write_list([incident], now)
    for finding in incident.findings:
        yield f"    {clean(write_finding(finding))}  [{finding.code}]  {finding.id}"
    if incident.status is not Status.RESOLVED:
        if cause := find_cause(incident):
            yield f"  likely cause: {cause}"
        yield f"  next: {clean(choose_command(incident))}"
    if (known := incident.acknowledged) is not None:
        note = f": {clean(known.note)}" if known.note else ""
        yield f"  acknowledged by {clean(known.by)} at {write_time(known.at)}{note}"
    for event in told.events:
        yield f"  {write_time(event.at)}  {event.kind.value}"
        for one in told.outcomes:
            if one.delivery.version == event.version:
                yield f"    {clean(one.delivery.channel)}: {_write_outcome(one)}"


def _write_outcome(one: Outcome) -> str:
    tries = one.delivery.attempts
    tried = f", {tries} attempts" if tries > 1 else ""
    if one.status is not DeliveryStatus.PENDING:
        when = f" at {write_time(one.ended)}" if one.ended else ""
        why = f" ({one.reason.value})" if one.reason else ""
        return f"{one.status.value}{when}{why}{tried}"
    if one.delivery.held is not None:
        return f"kept back, {one.delivery.held.value}"
    why = f" after {one.reason.value}" if one.reason else ""
    return f"waits until {write_time(one.due)}{why}{tried}"
