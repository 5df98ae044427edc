"""What Prometheus scrapes: the agent's own series, and fragments of text a database.

A fragment is rendered when its database was looked at and joined on a scrape,
so that a thousand databases do not hold up the event loop. Names follow
https://prometheus.io/docs/practices/naming/; labels are bounded: a database's
name comes from the configuration, never from the database.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from monitor.core.findings import FindingClass, Severity
from monitor.core.incidents import EventKind
from monitor.core.keys import Kind
from monitor.core.record import Record
from monitor.core.rules import RULES
from monitor.core.verdict import State

type Labels = tuple[tuple[str, str], ...]
type Sample = tuple[Labels, float]

FAMILIES: Final[Mapping[str, tuple[str, str]]] = {
    "anchorwatch_database_info": ("gauge", "Static facts about a watched database."),
    "anchorwatch_database_up": (
        "gauge",
        "Whether the last connection attempt succeeded (1) or failed (0).",
    ),
    "anchorwatch_database_state": ("gauge", "The state of the database: exactly one is 1."),
    "anchorwatch_database_state_code": ("gauge", "The state as its number, 0 for in_sync."),
    "anchorwatch_database_state_changed_timestamp_seconds": (
        "gauge",
        "When the current state was entered.",
    ),
    "anchorwatch_alembic_revision_info": (
        "gauge",
        "Revisions in force, one series for each.",
    ),
    "anchorwatch_alembic_pending_revisions": (
        "gauge",
        "Revisions that the expected history has and the database does not.",
    ),
    "anchorwatch_alembic_heads": ("gauge", "How many revisions are stamped, or are heads."),
    "anchorwatch_schema_differences": (
        "gauge",
        "Differences between the actual and the expected schema.",
    ),
    "anchorwatch_schema_changed_timestamp_seconds": (
        "gauge",
        "When the schema was last seen to change.",
    ),
    "anchorwatch_incidents_open": ("gauge", "Open incidents."),
    "anchorwatch_incidents_opened_total": ("counter", "Incidents that were opened."),
    "anchorwatch_incidents_resolved_total": ("counter", "Incidents that were resolved."),
    "anchorwatch_checks_total": ("counter", "Looks at the database."),
    "anchorwatch_check_failures_total": (
        "counter",
        "Looks that could not be carried out; a finding is not a failure.",
    ),
    "anchorwatch_check_last_duration_seconds": ("gauge", "How long the last look took."),
    "anchorwatch_check_last_success_timestamp_seconds": (
        "gauge",
        "When the schema was last read.",
    ),
    "anchorwatch_check_interval_seconds": ("gauge", "How often the database is looked at."),
}
"""Type and help of every family that has a series a database."""

_GROUPS: Final[Mapping[Kind, str]] = {
    Kind.TABLE: "table",
    Kind.FOREIGN_TABLE: "table",
    Kind.COLUMN: "column",
    Kind.PRIMARY_KEY: "constraint",
    Kind.UNIQUE: "constraint",
    Kind.FOREIGN_KEY: "constraint",
    Kind.CHECK: "constraint",
    Kind.EXCLUSION: "constraint",
    Kind.INDEX: "index",
    Kind.VIEW: "view",
    Kind.MATERIALIZED_VIEW: "view",
}
KIND_GROUPS: Final = ("table", "column", "constraint", "index", "view", "other")
CHANGES: Final = ("missing", "unexpected", "altered")
FAILURE_REASONS: Final = ("unreachable", "unknown")
_CHECK: Final = "schema"


class Watched(msgspec.Struct, frozen=True):
    """What the configuration says about one database.

    Attributes:
        environment: where it runs.
        expected: what it is compared with, in one word: ``alembic``, ``baseline``.
        host: host and port, without credentials.
        interval: seconds between two looks.
    """

    environment: str
    expected: str
    host: str
    interval: float


class Metrics:
    """Every series of the agent; one object a process."""

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._build = Gauge(
            "anchorwatch_build_info",
            "Version of the running agent.",
            ("version", "python_version"),
            registry=self._registry,
        )
        self._build.labels(version=version, python_version=platform.python_version()).set(1)
        self._duration = Histogram(
            "anchorwatch_check_duration_seconds",
            "How long looks took, over all databases.",
            ("check",),
            registry=self._registry,
        )
        self._duration.labels(check=_CHECK)
        self._tick = Gauge(
            "anchorwatch_scheduler_last_tick_timestamp_seconds",
            "When the scheduler last ticked.",
            registry=self._registry,
        )
        self._reload = Gauge(
            "anchorwatch_config_last_reload_successful",
            "Whether the configuration was read without a problem.",
            registry=self._registry,
        )
        self._notifications = _Notifications(self._registry)
        self._watched: dict[str, Watched] = {}
        self._counts: dict[str, _Counts] = {}
        self._fragments: dict[str, dict[str, bytes]] = {}

    def watch(self, database: str, watched: Watched) -> None:
        """Begin the series of one database."""
        self._watched[database] = watched
        self._counts[database] = _Counts()

    def set_configuration(self, *, is_whole: bool) -> None:
        """Whether every entry of the configuration could be used."""
        self._reload.set(1 if is_whole else 0)

    def set_tick(self, at: datetime) -> None:
        """The scheduler ticked."""
        self._tick.set(at.timestamp())

    @property
    def notifications(self) -> "_Notifications":
        """What the outbox counts."""
        return self._notifications

    def see(self, record: Record, open_incidents: Mapping[Severity, int]) -> None:
        """Render the series of one database anew, after a look at it."""
        counts = self._counts[record.database]
        counts.add_look(record)
        self._duration.labels(check=_CHECK).observe(record.report.seconds)
        self._render(record, open_incidents)

    def restore(self, record: Record, open_incidents: Mapping[Severity, int]) -> None:
        """Render the series of one database as the ledger remembers it, at the start."""
        self._render(record, open_incidents)

    def count_event(self, database: str, finding_class: FindingClass, kind: EventKind) -> None:
        """An incident was opened or resolved."""
        self._counts[database].add_event(finding_class, kind)

    def _render(self, record: Record, open_incidents: Mapping[Severity, int]) -> None:
        watched, counts = self._watched[record.database], self._counts[record.database]
        families: dict[str, Iterable[Sample]] = {
            **_describe_record(record, watched),
            **counts.describe(),
            "anchorwatch_incidents_open": [
                ((("severity", s.value),), open_incidents.get(s, 0)) for s in Severity
            ],
        }
        fragments = {
            family: _format(family, record.database, samples)
            for family, samples in families.items()
        }
        # Unknown is not zero: what was counted last stays until it is counted again.
        self._fragments[record.database] = self._fragments.get(record.database, {}) | fragments

    def render(self, databases: Sequence[str] | None = None) -> bytes:
        """The whole page in the text format 0.0.4, or that of some databases.

        https://prometheus.io/docs/instrumenting/exposition_formats/
        """
        names = sorted(self._fragments if databases is None else databases)
        parts = [generate_latest(self._registry)] if databases is None else []
        for family, (kind, text) in FAMILIES.items():
            samples = [self._fragments.get(name, {}).get(family, b"") for name in names]
            if any(samples):
                parts.append(f"# HELP {family} {text}\n# TYPE {family} {kind}\n".encode())
                parts.extend(samples)
        return b"".join(parts)


class _Notifications:
    """What the outbox did, by channel."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._delivered = Counter(
            "anchorwatch_notifications",
            "Messages that a channel took.",
            ("channel", "event"),
            registry=registry,
        )
        self._failed = Counter(
            "anchorwatch_notification_failures",
            "Attempts that a channel did not take.",
            ("channel", "reason"),
            registry=registry,
        )
        self._pending = Gauge(
            "anchorwatch_outbox_pending", "Messages that wait.", ("channel",), registry=registry
        )
        self._oldest = Gauge(
            "anchorwatch_outbox_oldest_timestamp_seconds",
            "When the oldest waiting message was decided, 0 for none.",
            ("channel",),
            registry=registry,
        )
        self._dead = Gauge(
            "anchorwatch_outbox_dead",
            "Messages that were given up.",
            ("channel",),
            registry=registry,
        )

    def begin(self, channel: str, reasons: Iterable[str]) -> None:
        """Begin every series of a channel, so that the first failure is an increase."""
        for event in EventKind:
            self._delivered.labels(channel=channel, event=event.value)
        for reason in reasons:
            self._failed.labels(channel=channel, reason=reason)
        self.set_outbox(channel, pending=0, oldest=None, dead=0)

    def add_delivered(self, channel: str, event: str) -> None:
        """A channel took a message."""
        self._delivered.labels(channel=channel, event=event).inc()

    def add_failed(self, channel: str, reason: str) -> None:
        """A channel did not take a message."""
        self._failed.labels(channel=channel, reason=reason).inc()

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
        self._looks = 0
        self._failures = dict.fromkeys(FAILURE_REASONS, 0)
        self._opened = dict.fromkeys(FindingClass, 0)
        self._resolved = dict.fromkeys(FindingClass, 0)

    def add_look(self, record: Record) -> None:
        self._looks += 1
        if record.state.value in self._failures:
            self._failures[record.state.value] += 1

    def add_event(self, finding_class: FindingClass, kind: EventKind) -> None:
        if kind is EventKind.OPENED:
            self._opened[finding_class] += 1
        elif kind is EventKind.RESOLVED:
            self._resolved[finding_class] += 1

    def describe(self) -> dict[str, list[Sample]]:
        check = ("check", _CHECK)
        return {
            "anchorwatch_checks_total": [((check,), self._looks)],
            "anchorwatch_check_failures_total": [
                ((check, ("reason", reason)), count) for reason, count in self._failures.items()
            ],
            "anchorwatch_incidents_opened_total": [
                ((("kind", c.value),), count) for c, count in self._opened.items()
            ],
            "anchorwatch_incidents_resolved_total": [
                ((("kind", c.value),), count) for c, count in self._resolved.items()
            ],
        }


def _describe_record(record: Record, watched: Watched) -> dict[str, list[Sample]]:
    report = record.report
    check = (("check", _CHECK),)
    described: dict[str, list[Sample]] = {
        "anchorwatch_database_info": [(_list_facts(record, watched), 1)],
        "anchorwatch_database_up": [((), 0 if record.state is State.UNREACHABLE else 1)],
        "anchorwatch_database_state": [
            ((("state", state.value),), 1 if state is record.state else 0) for state in State
        ],
        "anchorwatch_database_state_code": [((), record.state.meaning.code)],
        "anchorwatch_database_state_changed_timestamp_seconds": _stamp((), record.state_since),
        "anchorwatch_alembic_revision_info": list(_list_revisions(record)),
        "anchorwatch_alembic_heads": list(_count_heads(record)),
        "anchorwatch_schema_changed_timestamp_seconds": _stamp((), record.schema_changed),
        "anchorwatch_check_last_duration_seconds": [(check, report.seconds)],
        "anchorwatch_check_last_success_timestamp_seconds": _stamp(check, record.last_success),
        "anchorwatch_check_interval_seconds": [(check, watched.interval)],
    }
    if report.pending is not None:
        described["anchorwatch_alembic_pending_revisions"] = [((), len(report.pending))]
    if record.state.meaning.is_looked:
        described["anchorwatch_schema_differences"] = list(_count_differences(record))
    return described


def _list_facts(record: Record, watched: Watched) -> Labels:
    version = record.report.server_version
    shown = f"{version // 10000}.{version % 10000}" if version else ""
    return (
        ("app_environment", watched.environment),
        ("expected", watched.expected),
        ("host", watched.host),
        ("server_version", shown),
    )


def _stamp(labels: Labels, at: datetime | None) -> list[Sample]:
    return [(labels, at.timestamp())] if at else []


def _list_revisions(record: Record) -> Iterator[Sample]:
    for side, revisions in _sides(record):
        for revision in revisions or ():
            yield (("side", side), ("revision", revision)), 1


def _count_heads(record: Record) -> Iterator[Sample]:
    for side, revisions in _sides(record):
        if revisions is not None:
            yield (("side", side),), len(revisions)


def _sides(record: Record) -> tuple[tuple[str, tuple[str, ...] | None], ...]:
    return ("database", record.revisions), ("expected", record.report.expected_revisions)


def _count_differences(record: Record) -> Iterator[Sample]:
    """Eighteen cells: zero is said aloud, so that an alert can tell it from nothing."""
    cells = {(group, change): 0 for group in KIND_GROUPS for change in CHANGES}
    for finding in record.report.findings:
        if RULES[finding.code].finding_class is FindingClass.DRIFT and finding.key is not None:
            group = _GROUPS.get(finding.key.kind, "other")
            cells[group, _name_change(finding.code)] += 1
    for (group, change), count in cells.items():
        yield (("kind", group), ("change", change)), count


def _name_change(code: str) -> str:
    """Missing and unexpected objects have codes of their own, everything else is altered."""
    title = RULES[code].title
    if title.endswith("is missing"):
        return "missing"
    return "unexpected" if title.endswith("nothing expects") else "altered"


def _format(family: str, database: str, samples: Iterable[Sample]) -> bytes:
    lines = []
    for labels, value in samples:
        pairs = (("database", database), *labels)
        text = ",".join(f'{name}="{_escape(part)}"' for name, part in pairs)
        lines.append(f"{family}{{{text}}} {value!r}\n")
    return "".join(lines).encode()


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
