"""Which series there are, and what a look at a database says in them.

Names follow https://prometheus.io/docs/practices/naming/; labels are bounded:
a database's name comes from the configuration, never from the database.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from monitor.core.checkup import CheckRecord
from monitor.core.findings import FindingClass
from monitor.core.keys import Kind
from monitor.core.orphans import Tally
from monitor.core.record import Record
from monitor.core.relation import Origin
from monitor.core.rules import RULES, ChangeKind, name_change
from monitor.core.verdict import State

type Labels = tuple[tuple[str, str], ...]
type Sample = tuple[Labels, float]


class Family(msgspec.Struct, frozen=True):
    """One name, and what all its series have in common.

    Attributes:
        kind: ``gauge``, ``counter`` or ``histogram``.
        labels: their names.
        text: what it says, one sentence.
    """

    kind: str
    labels: tuple[str, ...]
    text: str


def _each(kind: str, text: str, *labels: str) -> Family:
    return Family(kind, ("database", *labels), text)


DATABASE_FAMILIES: Final[Mapping[str, Family]] = {
    "anchorwatch_database_info": _each(
        "gauge",
        "Static facts about a watched database.",
        "app_environment",
        "expected",
        "host",
        "server_version",
    ),
    "anchorwatch_database_up": _each(
        "gauge", "Whether the last connection attempt succeeded (1) or failed (0)."
    ),
    "anchorwatch_database_state": _each(
        "gauge", "The state of the database: exactly one is 1.", "state"
    ),
    "anchorwatch_database_state_code": _each("gauge", "The state as its number, 0 for in_sync."),
    "anchorwatch_database_state_changed_timestamp_seconds": _each(
        "gauge", "When the current state was entered."
    ),
    "anchorwatch_alembic_revision_info": _each(
        "gauge", "Revisions in force, one series for each.", "side", "revision"
    ),
    "anchorwatch_alembic_pending_revisions": _each(
        "gauge", "Revisions that the expected history has and the database does not."
    ),
    "anchorwatch_alembic_heads": _each(
        "gauge", "How many revisions are stamped, or are heads.", "side"
    ),
    "anchorwatch_schema_differences": _each(
        "gauge",
        "Differences between the actual and the expected schema, without what is waived.",
        "kind",
        "change",
    ),
    "anchorwatch_findings_waived": _each(
        "gauge", "Findings that are not told, for they are ignored or accepted.", "how"
    ),
    "anchorwatch_schema_changed_timestamp_seconds": _each(
        "gauge", "When the schema was last seen to change."
    ),
    "anchorwatch_incidents_open": _each("gauge", "Open incidents.", "severity"),
    "anchorwatch_incidents_opened_total": _each("counter", "Incidents that were opened.", "kind"),
    "anchorwatch_incidents_resolved_total": _each(
        "counter", "Incidents that were resolved.", "kind"
    ),
    "anchorwatch_orphan_rows": _each(
        "gauge",
        "Rows without a parent, of the relations that no valid foreign key holds and of those "
        "that have some; at least, where the scan is not complete.",
        "table",
        "constraint",
    ),
    "anchorwatch_orphan_scan_complete": _each(
        "gauge",
        "Whether every row was counted (1) or not (0).",
        "table",
        "constraint",
    ),
    "anchorwatch_assertion_holds": _each(
        "gauge",
        "Whether the assertion held (1) or not (0) when it was evaluated last; left out where "
        "that it does not is waived.",
        "assertion",
        "severity",
    ),
    "anchorwatch_assertion_evaluated": _each(
        "gauge",
        "Whether the assertion could be evaluated the last time (1) or not (0).",
        "assertion",
        "severity",
    ),
    "anchorwatch_smoke_success": _each(
        "gauge", "Whether the last run of the suite passed (1) or not (0).", "suite"
    ),
    "anchorwatch_smoke_broken": _each(
        "gauge",
        "Whether the suite failed as often in a row as it is told after (1), and has not passed "
        "as often since (0).",
        "suite",
    ),
    "anchorwatch_smoke_last_run_timestamp_seconds": _each(
        "gauge", "When the last run of the suite began.", "suite"
    ),
    "anchorwatch_smoke_last_success_timestamp_seconds": _each(
        "gauge", "When the last run that passed began.", "suite"
    ),
    "anchorwatch_smoke_interval_seconds": _each(
        "gauge", "How often the suite runs, where it does by itself.", "suite"
    ),
    "anchorwatch_smoke_certificate_expiry_timestamp_seconds": _each(
        "gauge", "When the first of the certificates expires that the last run saw.", "suite"
    ),
    "anchorwatch_smoke_step_duration_seconds": _each(
        "gauge", "How long the last try of the step took.", "suite", "step"
    ),
    "anchorwatch_smoke_step_status_code": _each(
        "gauge",
        "HTTP status of the last try of the step, 0 when no answer came.",
        "suite",
        "step",
    ),
    "anchorwatch_smoke_runs_total": _each("counter", "Runs of the suite.", "suite"),
    "anchorwatch_smoke_failures_total": _each(
        "counter", "Runs of the suite that did not pass.", "suite", "reason"
    ),
    "anchorwatch_deploy_timestamp_seconds": _each(
        "gauge", "When the last deployment that concerns the database was reported."
    ),
    "anchorwatch_checks_total": _each("counter", "Looks at the database.", "check"),
    "anchorwatch_check_failures_total": _each(
        "counter",
        "Looks that could not be carried out; a finding is not a failure.",
        "check",
        "reason",
    ),
    "anchorwatch_check_last_duration_seconds": _each(
        "gauge", "How long the last look took.", "check"
    ),
    "anchorwatch_check_last_success_timestamp_seconds": _each(
        "gauge", "When the schema was last read.", "check"
    ),
    "anchorwatch_check_interval_seconds": _each(
        "gauge", "How often the database is looked at, where it is by itself.", "check"
    ),
}
"""The families that have series for each database."""

AGENT_FAMILIES: Final[Mapping[str, Family]] = {
    "anchorwatch_build_info": Family(
        "gauge", ("version", "revision", "python_version"), "Version of the running agent."
    ),
    "anchorwatch_check_duration_seconds": Family(
        "histogram", ("check",), "How long looks took, over all databases."
    ),
    "anchorwatch_scheduler_last_tick_timestamp_seconds": Family(
        "gauge", (), "When the scheduler last ticked."
    ),
    "anchorwatch_config_last_reload_successful": Family(
        "gauge", (), "Whether the configuration was read without a problem."
    ),
    "anchorwatch_notifications_total": Family(
        "counter", ("channel", "event"), "Messages that a channel took."
    ),
    "anchorwatch_notifications_suppressed_total": Family(
        "counter",
        ("channel", "reason"),
        "What was kept back on purpose, or told in a message about something else.",
    ),
    "anchorwatch_notification_failures_total": Family(
        "counter", ("channel", "reason"), "Attempts that a channel did not take."
    ),
    "anchorwatch_channel_up": Family(
        "gauge", ("channel",), "Whether the channel takes messages (1) or is broken (0)."
    ),
    "anchorwatch_outbox_pending": Family("gauge", ("channel",), "Messages that wait."),
    "anchorwatch_outbox_oldest_timestamp_seconds": Family(
        "gauge", ("channel",), "When the oldest waiting message was decided, 0 for none."
    ),
    "anchorwatch_heartbeat_last_success_timestamp_seconds": Family(
        "gauge",
        ("target",),
        "When the heartbeat was last taken; of Sentry, when it was last handed to its library.",
    ),
    "anchorwatch_outbox_dead": Family("gauge", ("channel",), "Messages that were given up."),
}
"""The families of the agent itself."""

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
CHANGES: Final[tuple[ChangeKind, ...]] = ("missing", "unexpected", "altered")
CHECK: Final = "schema"
"""What a look checks; `monitor.core.checkup.CheckName` stands beside it."""


class Watched(msgspec.Struct, frozen=True):
    """What the configuration says about one database.

    Attributes:
        environment: where it runs.
        expected: what it is compared with, in one word: ``alembic``, ``baseline``.
        host: host and port, without credentials.
        interval: seconds between two looks; None when it is looked at only when asked.
    """

    environment: str
    expected: str
    host: str
    interval: float | None


def describe_watched(watched: Watched) -> dict[str, list[Sample]]:
    """What is known of a database before anybody looked at it."""
    return describe_interval(CHECK, watched.interval)


def describe_record(
    record: Record, watched: Watched, *, is_compact: bool = False
) -> dict[str, list[Sample]]:
    """What the last look at a database says.

    What could not be looked at is left out: unknown is not zero.

    Args:
        record: of the look.
        watched: what the configuration says about the database.
        is_compact: whether differences that there are none of are left out, but for one: that
            there are none at all is still said.
    """
    report = record.report
    check = (("check", CHECK),)
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
        **describe_watched(watched),
    }
    if report.pending is not None:
        described["anchorwatch_alembic_pending_revisions"] = [((), len(report.pending))]
    if FindingClass.DRIFT in report.judged:
        counted = list(_count_differences(record))
        there = [sample for sample in counted if sample[1]] or counted[-1:]
        described["anchorwatch_schema_differences"] = there if is_compact else counted
        described["anchorwatch_findings_waived"] = [
            ((("how", "ignored"),), len(report.ignored)),
            ((("how", "accepted"),), len(report.accepted)),
        ]
    return described


ORPHAN_SERIES: Final = 100
"""Relations of one database that have series: what a database calls its keys is not bounded."""


def describe_interval(check: str, interval: float | None) -> dict[str, list[Sample]]:
    """How often something is looked at; nothing where it is only when asked."""
    samples: list[Sample] = [] if interval is None else [((("check", check),), interval)]
    return {"anchorwatch_check_interval_seconds": samples}


def describe_check(record: CheckRecord, interval: float | None) -> dict[str, list[Sample]]:
    """What the last check of a database says; what nobody could count is left out."""
    labels = (("check", record.check.value),)
    shown = [tally for tally in record.report.tallies if _is_shown(tally)][:ORPHAN_SERIES]
    return {
        "anchorwatch_check_last_duration_seconds": [(labels, record.report.seconds)],
        "anchorwatch_check_last_success_timestamp_seconds": _stamp(labels, record.last_success),
        "anchorwatch_orphan_rows": [
            (_name_relation(tally), tally.orphans) for tally in shown if tally.orphans is not None
        ],
        "anchorwatch_orphan_scan_complete": [
            (_name_relation(tally), int(tally.is_complete)) for tally in shown
        ],
        **_describe_assertions(record),
        **_describe_suites(record),
        **describe_interval(record.check, interval),
    }


def _describe_assertions(record: CheckRecord) -> dict[str, list[Sample]]:
    """How each stands; what it is called is the configuration's word, and so is its severity."""
    waived = {finding.identity for finding in record.report.waived}
    states = [
        ((("assertion", state.name), ("severity", state.severity.value)), state)
        for state in record.report.assertions
    ]
    return {
        "anchorwatch_assertion_holds": [
            (labels, int(state.holds))
            for labels, state in states
            if state.holds is not None
            and (state.finding is None or state.finding.identity not in waived)
        ],
        "anchorwatch_assertion_evaluated": [
            (labels, int(not state.problem)) for labels, state in states
        ],
    }


def _describe_suites(record: CheckRecord) -> dict[str, list[Sample]]:
    """What the last runs say; suites and steps are named by the configuration."""
    states = record.report.suites
    steps = [
        ((("suite", state.name), ("step", step.name)), step)
        for state in states
        for step in state.outcome.steps
        if step.tries
    ]
    return {
        "anchorwatch_smoke_success": [
            ((("suite", state.name),), int(state.bad == 0)) for state in states
        ],
        "anchorwatch_smoke_broken": [
            ((("suite", state.name),), int(state.is_told)) for state in states
        ],
        "anchorwatch_smoke_last_run_timestamp_seconds": [
            ((("suite", state.name),), state.outcome.at.timestamp()) for state in states
        ],
        "anchorwatch_smoke_last_success_timestamp_seconds": [
            sample for state in states for sample in _stamp((("suite", state.name),), state.passed)
        ],
        "anchorwatch_smoke_certificate_expiry_timestamp_seconds": [
            sample
            for state in states
            for sample in _stamp((("suite", state.name),), state.outcome.first_expiry)
        ],
        "anchorwatch_smoke_step_duration_seconds": [
            (labels, step.seconds) for labels, step in steps
        ],
        "anchorwatch_smoke_step_status_code": [
            (labels, step.code) for labels, step in steps if step.code is not None
        ],
    }


def _is_shown(tally: Tally) -> bool:
    return bool(tally.orphans) or tally.relation.origin is not Origin.VALIDATED


def _name_relation(tally: Tally) -> Labels:
    schema, table = tally.relation.child
    return (("constraint", tally.relation.name), ("table", f"{schema}.{table}"))


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
    for side, revisions in _list_sides(record):
        for revision in dict.fromkeys(revisions or ()):  # two version tables may agree
            yield (("side", side), ("revision", revision)), 1


def _count_heads(record: Record) -> Iterator[Sample]:
    for side, revisions in _list_sides(record):
        if revisions is not None:
            yield (("side", side),), len(revisions)


def _list_sides(record: Record) -> tuple[tuple[str, tuple[str, ...] | None], ...]:
    return ("database", record.revisions), ("expected", record.report.expected_revisions)


def _count_differences(record: Record) -> Iterator[Sample]:
    """Eighteen cells: zero is said aloud, so that an alert can tell it from nothing."""
    cells = {(group, change): 0 for group in KIND_GROUPS for change in CHANGES}
    for finding in record.report.findings:
        rule = RULES.get(finding.code)
        if rule and rule.finding_class is FindingClass.DRIFT and finding.key is not None:
            group = _GROUPS.get(finding.key.kind, "other")
            cells[group, name_change(finding.code)] += 1
    for (group, change), count in cells.items():
        yield (("kind", group), ("change", change)), count


def render_metrics_reference() -> str:
    """Every family with its type, labels and help, as a page in Markdown."""
    families = sorted({**AGENT_FAMILIES, **DATABASE_FAMILIES}.items())
    rows = "".join(
        f"| `{name}` | {family.kind} | {', '.join(f'`{label}`' for label in family.labels)} "
        f"| {family.text} |\n"
        for name, family in families
    )
    return (
        "# Metrics\n\n"
        "What `/metrics` exposes, in Prometheus' text format 0.0.4, beside the `process_` "
        "families of the Prometheus client. `/metrics?database=NAME` gives the series of one "
        "database. Times are Unix times in seconds; a series is left out while nothing is "
        "known that it could say.\n\n"
        f"| name | type | labels | help |\n|---|---|---|---|\n{rows}"
    )
