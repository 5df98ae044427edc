"""What Prometheus scrapes: the agent's own series, and fragments of text a database.

A fragment is rendered when its database was looked at and joined on a scrape,
so that a thousand databases do not hold up the event loop.
"""

import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.utils import floatToGoString

from monitor.core.checkup import CheckName, CheckRecord
from monitor.core.findings import INCIDENT_CLASSES, FindingClass, Severity
from monitor.core.incidents import EventKind
from monitor.core.record import Record
from monitor.core.smoke import Reason, StepStatus
from monitor.sinks.families import (
    AGENT_FAMILIES,
    CHECK,
    DATABASE_FAMILIES,
    Sample,
    Watched,
    describe_check,
    describe_interval,
    describe_record,
    describe_watched,
    render_metrics_reference,
)

__all__ = ["Metrics", "Watched", "render_metrics_reference"]

_DEPLOYS: Final = "deploys"
UNKNOWN: Final = "unknown"
FAILURE_REASONS: Final = ("unreachable", UNKNOWN)


class Metrics:
    """Every series of the agent; one object a process.

    Args:
        version: of the agent.
        revision: the commit it was built from, if that is known.
        is_compact: whether differences that there are none of are left out.
    """

    def __init__(self, version: str, revision: str = "", *, is_compact: bool = False) -> None:
        self._is_compact = is_compact
        # They would double every counter in the text format.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        own = _Own(self._registry)
        build = own.gauge("anchorwatch_build_info")
        build.labels(version, revision, platform.python_version()).set(1)
        self._duration = own.histogram("anchorwatch_check_duration_seconds")
        for check in (CHECK, *CheckName):
            self._duration.labels(check)
        self._tick = own.gauge("anchorwatch_scheduler_last_tick_timestamp_seconds")
        self._reload = own.gauge("anchorwatch_config_last_reload_successful")
        self._heartbeat = own.gauge("anchorwatch_heartbeat_last_success_timestamp_seconds")
        self._notifications = _Notifications(own)
        self._watched: dict[str, Watched] = {}
        self._intervals: dict[tuple[str, CheckName], float | None] = {}
        self._counts: dict[str, _Counts] = {}
        self._fragments: dict[str, dict[str, dict[str, bytes]]] = {}
        # By family and database: a scrape joins them, and does nothing else to them.
        self._pages: dict[str, dict[str, bytes]] = {}

    def watch(self, database: str, watched: Watched) -> None:
        """Begin the series of one database, so that its first failure is an increase."""
        self._watched[database] = watched
        counts = self._counts[database] = _Counts()
        self._keep(database, CHECK, {**describe_watched(watched), **counts.describe()})

    def watch_check(self, database: str, check: CheckName, interval: float | None) -> None:
        """Begin the series of one check of a database."""
        self._counts[database].watch(check)
        self._intervals[database, check] = interval
        self._keep(database, CHECK, self._counts[database].describe())
        self._keep(database, check, describe_interval(check, interval))

    def expect(self, database: str, expected: str) -> None:
        """Say what a database is compared with from its next look on."""
        watched = self._watched[database]
        self._watched[database] = msgspec.structs.replace(watched, expected=expected)

    def set_configuration(self, *, is_whole: bool) -> None:
        """Whether every entry of the configuration could be used."""
        self._reload.set(1 if is_whole else 0)

    def set_tick(self, at: datetime) -> None:
        """The scheduler ticked."""
        self._tick.set(at.timestamp())

    def set_heartbeat(self, target: str, at: datetime | None) -> None:
        """A target took the word that the agent lives; None before the first one."""
        self._heartbeat.labels(target=target).set(at.timestamp() if at else 0)

    @property
    def notifications(self) -> "_Notifications":
        """What the outbox counts."""
        return self._notifications

    def see(self, record: Record, open_incidents: Mapping[Severity, int]) -> None:
        """Render the series of one database anew, after a look at it."""
        self._counts[record.database].add_look(record)
        self._duration.labels(CHECK).observe(record.report.seconds)
        self.restore(record, open_incidents)

    def restore(self, record: Record, open_incidents: Mapping[Severity, int]) -> None:
        """Render the series of one database as the ledger remembers it, at the start."""
        watched = self._watched[record.database]
        described = describe_record(record, watched, is_compact=self._is_compact)
        self._keep(
            record.database,
            CHECK,
            {
                **described,
                **self._counts[record.database].describe(),
                "anchorwatch_incidents_open": _count_open(open_incidents),
            },
        )

    def see_check(self, record: CheckRecord, open_incidents: Mapping[Severity, int]) -> None:
        """Render the series of one check of a database anew, after it was done."""
        counts = self._counts[record.database]
        counts.add_check(record)
        self._keep(record.database, CheckName.SMOKE, counts.describe_suites())
        self._duration.labels(record.check).observe(record.report.seconds)
        self.restore_check(record)
        self._keep(
            record.database,
            CHECK,
            {
                **counts.describe(),
                "anchorwatch_incidents_open": _count_open(open_incidents),
            },
        )

    def watch_suite(self, database: str, suite: str, interval: float | None) -> None:
        """Begin the series of one smoke suite of a database; None for only when asked."""
        if (database, CheckName.SMOKE) not in self._intervals:
            self.watch_check(database, CheckName.SMOKE, None)
        self._counts[database].watch_suite(suite, interval)
        self._keep(database, CheckName.SMOKE, self._counts[database].describe_suites())

    def see_deployment(self, database: str, at: datetime) -> None:
        """A deployment that concerns a database was reported."""
        self._keep(
            database, _DEPLOYS, {"anchorwatch_deploy_timestamp_seconds": [((), at.timestamp())]}
        )

    def restore_check(self, record: CheckRecord) -> None:
        """Render the series of one check as the ledger remembers it, at the start."""
        place = record.database, record.check
        if place in self._intervals:
            self._keep(*place, describe_check(record, self._intervals[place]))

    def count_event(self, database: str, finding_class: FindingClass, kind: EventKind) -> None:
        """An incident was opened or resolved."""
        self._counts[database].add_event(finding_class, kind)

    def _keep(self, database: str, check: str, described: Mapping[str, Iterable[Sample]]) -> None:
        fragments = {
            family: _format(family, database, samples) for family, samples in described.items()
        }
        # Unknown is not zero: what was counted last stays until it is counted again.
        known = self._fragments.setdefault(database, {})
        known[check] = known.get(check, {}) | fragments
        for family in fragments:
            parts = (kept.get(family, b"") for kept in known.values())
            self._pages.setdefault(family, {})[database] = b"".join(parts)

    def render(self, databases: Sequence[str] | None = None) -> bytes:
        """The whole page in the text format 0.0.4, or that of some databases.

        https://prometheus.io/docs/instrumenting/exposition_formats/
        """
        names = sorted(set(self._fragments if databases is None else databases))
        parts = [generate_latest(self._registry)] if databases is None else []
        for name, family in DATABASE_FAMILIES.items():
            pages = self._pages.get(name, {})
            samples = b"".join(pages[database] for database in names if database in pages)
            if samples:
                head = f"# HELP {name} {family.text}\n# TYPE {name} {family.kind}\n"
                parts += [head.encode(), samples]
        return b"".join(parts)


class _Own:
    """Makes the families of the agent itself, as the table of families has them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def gauge(self, name: str) -> Gauge:
        family = AGENT_FAMILIES[name]
        return Gauge(name, family.text, family.labels, registry=self._registry)

    def counter(self, name: str) -> Counter:
        family = AGENT_FAMILIES[name]
        return Counter(name, family.text, family.labels, registry=self._registry)

    def histogram(self, name: str) -> Histogram:
        family = AGENT_FAMILIES[name]
        return Histogram(name, family.text, family.labels, registry=self._registry)


class _Notifications:
    """What the outbox did, by channel."""

    def __init__(self, own: _Own) -> None:
        self._delivered = own.counter("anchorwatch_notifications_total")
        self._failed = own.counter("anchorwatch_notification_failures_total")
        self._suppressed = own.counter("anchorwatch_notifications_suppressed_total")
        self._up = own.gauge("anchorwatch_channel_up")
        self._pending = own.gauge("anchorwatch_outbox_pending")
        self._oldest = own.gauge("anchorwatch_outbox_oldest_timestamp_seconds")
        self._dead = own.gauge("anchorwatch_outbox_dead")

    def begin(self, channel: str, *, reasons: Iterable[str], suppressed: Iterable[str]) -> None:
        """Begin every counter of a channel, so that the first failure is an increase.

        How its outbox and the channel stand has no series until the ledger was read: a zero
        before what was given up long ago would be news, and a broken channel would be mended.
        """
        for event in EventKind:
            self._delivered.labels(channel=channel, event=event.value)
        for reason in reasons:
            self._failed.labels(channel=channel, reason=reason)
        for reason in suppressed:
            self._suppressed.labels(channel=channel, reason=reason)

    def set_up(self, channel: str, *, is_up: bool) -> None:
        """Whether a channel takes messages."""
        self._up.labels(channel=channel).set(int(is_up))

    def add_delivered(self, channel: str, event: str) -> None:
        """A channel took a message."""
        self._delivered.labels(channel=channel, event=event).inc()

    def add_failed(self, channel: str, reason: str) -> None:
        """A channel did not take a message."""
        self._failed.labels(channel=channel, reason=reason).inc()

    def add_suppressed(self, channel: str, reason: str) -> None:
        """Something was kept back on purpose, or told in a message about something else."""
        self._suppressed.labels(channel=channel, reason=reason).inc()

    def set_outbox(
        self, channel: str, *, pending: int, oldest: datetime | None, dead: int
    ) -> None:
        """How the outbox of a channel stands."""
        self._pending.labels(channel=channel).set(pending)
        self._oldest.labels(channel=channel).set(oldest.timestamp() if oldest else 0)
        self._dead.labels(channel=channel).set(dead)


class _Counts:
    """The counters of one database since the agent started."""

    def __init__(self) -> None:
        self._looks: dict[str, int] = {CHECK: 0}
        self._failures = dict.fromkeys([(CHECK, reason) for reason in FAILURE_REASONS], 0)
        self._runs: dict[str, int] = {}
        self._suite_intervals: dict[str, float | None] = {}
        self._broken: dict[tuple[str, str], int] = {}
        self._opened = dict.fromkeys(INCIDENT_CLASSES, 0)
        self._resolved = dict.fromkeys(INCIDENT_CLASSES, 0)

    def add_look(self, record: Record) -> None:
        self._looks[CHECK] += 1
        if (CHECK, record.state.value) in self._failures:
            self._failures[CHECK, record.state.value] += 1

    def watch(self, check: CheckName) -> None:
        self._looks[check] = self._failures[check, UNKNOWN] = 0

    def add_check(self, record: CheckRecord) -> None:
        self._looks[record.check] += 1
        self._failures[record.check, UNKNOWN] += record.report.unknown is not None
        if record.check is CheckName.SMOKE:
            self._add_runs(record)

    def watch_suite(self, suite: str, interval: float | None) -> None:
        self._runs[suite] = 0
        self._suite_intervals[suite] = interval
        self._broken |= dict.fromkeys([(suite, reason.value) for reason in Reason], 0)

    def _add_runs(self, record: CheckRecord) -> None:
        """The run that this record came of."""
        ran = record.report.ran
        state = next((one for one in record.report.suites if one.name == ran), None)
        if state is None or state.name not in self._runs:
            return
        self._runs[state.name] += 1
        worst = state.outcome.worst
        if worst is not None and worst.reason and worst.status is not StepStatus.WARN:
            self._broken[state.name, worst.reason.value] += 1

    def describe_suites(self) -> dict[str, list[Sample]]:
        return {
            "anchorwatch_smoke_interval_seconds": [
                ((("suite", suite),), interval)
                for suite, interval in self._suite_intervals.items()
                if interval is not None
            ],
            "anchorwatch_smoke_runs_total": [
                ((("suite", suite),), count) for suite, count in self._runs.items()
            ],
            "anchorwatch_smoke_failures_total": [
                ((("suite", suite), ("reason", reason)), count)
                for (suite, reason), count in self._broken.items()
            ],
        }

    def add_event(self, finding_class: FindingClass, kind: EventKind) -> None:
        if kind is EventKind.OPENED:
            self._opened[finding_class] += 1
        elif kind is EventKind.RESOLVED:
            self._resolved[finding_class] += 1

    def describe(self) -> dict[str, list[Sample]]:
        return {
            "anchorwatch_checks_total": [
                ((("check", check),), count) for check, count in self._looks.items()
            ],
            "anchorwatch_check_failures_total": [
                ((("check", check), ("reason", reason)), count)
                for (check, reason), count in self._failures.items()
            ],
            "anchorwatch_incidents_opened_total": [
                ((("kind", c.value),), count) for c, count in self._opened.items()
            ],
            "anchorwatch_incidents_resolved_total": [
                ((("kind", c.value),), count) for c, count in self._resolved.items()
            ],
        }


def _count_open(open_incidents: Mapping[Severity, int]) -> list[Sample]:
    return [((("severity", s.value),), open_incidents.get(s, 0)) for s in Severity]


def _format(family: str, database: str, samples: Iterable[Sample]) -> bytes:
    """The lines as `generate_latest` would write them, byte for byte."""
    lines = []
    for labels, value in samples:
        pairs = sorted((("database", database), *labels))
        text = ",".join(f'{name}="{_escape(part)}"' for name, part in pairs)
        number = floatToGoString(value)  # type: ignore[no-untyped-call]  # as above
        lines.append(f"{family}{{{text}}} {number}\n")
    return "".join(lines).encode(errors="backslashreplace")


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
