"""Records, incidents and views for the web tests: a small fleet with a bit of everything."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI
from msgspec import structs

from monitor.core.deployment import Deployment, Phase
from monitor.core.findings import Evidence, Finding, FindingClass, Severity, Unknown
from monitor.core.graph import GraphRow
from monitor.core.incidents import Event, EventKind, Incident, Status
from monitor.core.keys import Kind, ObjectKey
from monitor.core.record import Record
from monitor.core.release import Move
from monitor.core.report import Report
from monitor.core.verdict import State
from monitor.core.waivers import Acceptance, Accepted, Ignored, IgnoreRule
from monitor.sinks.locks import Keeping
from monitor.sinks.store import Decision, Store, open_store
from monitor.sinks.trial import Tried
from monitor.web.app import make_app
from monitor.web.view import Configured, Ledger, View

NOW: Final = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

HOSTILE: Final = """</script><img src=x onerror=alert(1)>"' \u202edrow\u200b {{7*7}} 🚀\n--"""
"""What a name or a value of a watched database may hold."""

SECRET: Final = "correct-horse-battery-staple"  # noqa: S105  # planted, so that tests can look for it


def a_column(name: str, table: str = "invoices") -> ObjectKey:
    return ObjectKey(kind=Kind.COLUMN, schema="public", parent=table, name=name)


def a_finding(database: str = "billing", **changes: Any) -> Finding:
    key = changes.pop("key", a_column("amount"))
    fields: dict[str, Any] = {
        "code": "AW209",
        "severity": Severity.WARNING,
        "environment": "production",
        "database": database,
        "key": key,
        "title": f"{key} differs in type",
        "evidence": (Evidence("type", "numeric(12,2)", "double precision"),),
        "remedy": "Compare expected and actual below. Change it back, or write a migration.",
    }
    return Finding(**fields | changes)


def a_report(database: str, state: State, **changes: Any) -> Report:
    fields: dict[str, Any] = {
        "environment": "production",
        "database": database,
        "at": NOW - timedelta(seconds=22),
        "seconds": 0.182,
        "state": state,
        "revisions": ("4f0c2a9d71be",),
        "expected_revisions": ("4f0c2a9d71be",),
        "fingerprint": "c0ffee",
        "server_version": 160004,
        "summary": "The schema is what revision 4f0c2a9d71be promises.",
    }
    return Report(**fields | changes)


def a_record(report: Report, **changes: Any) -> Record:
    fields: dict[str, Any] = {
        "environment": report.environment,
        "database": report.database,
        "report": report,
        "state_since": NOW - timedelta(days=12, hours=3),
        "last_success": report.at if report.fingerprint else NOW - timedelta(hours=3),
        "revisions": report.revisions,
        "fingerprint": report.fingerprint,
    }
    return Record(**fields | changes)


def an_incident(findings: tuple[Finding, ...], **changes: Any) -> Incident:
    fields: dict[str, Any] = {
        "id": "5e1f00d5ea11",
        "environment": findings[0].environment,
        "database": findings[0].database,
        "finding_class": FindingClass.DRIFT,
        "status": Status.OPEN,
        "severity": max((f.severity for f in findings), key=lambda s: s.rank),
        "findings": findings,
        "first_seen": NOW - timedelta(minutes=44),
        "last_seen": NOW - timedelta(seconds=22),
        "opened_at": NOW - timedelta(minutes=43),
        "version": 1,
    }
    return Incident(**fields | changes)


VIEW_BEFORE: Final = """ SELECT i.id,
    i.customer_id,
    sum(l.amount) AS total
   FROM invoices i
     JOIN lines l ON l.invoice_id = i.id
  WHERE i.voided_at IS NULL
  GROUP BY i.id, i.customer_id;"""


def drifted_findings() -> tuple[Finding, ...]:
    view = ObjectKey(kind=Kind.VIEW, schema="public", parent=None, name="open_invoices")
    unique = ObjectKey(
        kind=Kind.UNIQUE, schema="public", parent="invoices", name="invoices_number_key"
    )
    index = ObjectKey(
        kind=Kind.INDEX, schema="public", parent="invoices", name="invoices_customer_id_idx"
    )
    return (
        a_finding(
            key=unique,
            code="AW213",
            severity=Severity.CRITICAL,
            title=f"{unique} is missing",
            evidence=(Evidence("columns", ["tenant_id", "number"], None),),
            remedy="Create it: run the migration that does, or `anchorwatch diff`.",
        ),
        a_finding(),
        a_finding(
            key=view,
            code="AW233",
            title=f"{view} differs in definition",
            evidence=(
                Evidence(
                    "definition", VIEW_BEFORE, VIEW_BEFORE.replace("IS NULL", "IS NULL OR true")
                ),
            ),
        ),
        a_finding(
            key=index,
            code="AW282",
            title=f"{index} differs in valid",
            evidence=(Evidence("valid", expected=True, actual=False),),
            remedy="`REINDEX INDEX CONCURRENTLY ...`, or drop it and create it again.",
        ),
    )


def list_fleet() -> list[Record]:
    """Seven databases, most states among them."""
    refused = Unknown(
        FindingClass.DRIFT,
        "refused",
        'The version table "public"."alembic_version" cannot be read by this role.',
        'GRANT SELECT ON "public"."alembic_version" TO watcher;',
    )
    down = a_finding(
        "ledger",
        key=a_column("x"),
        code="AW901",
        severity=Severity.CRITICAL,
        title="Nothing listens on port 5432 of ledger.internal.",
        evidence=(),
        remedy="Check the host, the port and whether the server runs.",
    )
    return [
        a_record(a_report("accounts", State.IN_SYNC)),
        a_record(
            a_report(
                "billing",
                State.DRIFTED,
                findings=drifted_findings(),
                notes=("The columns of table public.customers stand in another order.",),
                summary="4 differences that no revision explains.",
            ),
            state_since=NOW - timedelta(minutes=44),
        ),
        a_record(
            a_report(
                "catalogue",
                State.PENDING,
                expected_revisions=("9b3d44aa10c7",),
                summary="Two revisions are still to come.",
            ),
            state_since=NOW - timedelta(minutes=3),
            window_until=NOW + timedelta(minutes=7),
        ),
        a_record(
            a_report(
                "ledger",
                State.UNREACHABLE,
                findings=(down,),
                fingerprint=None,
                revisions=None,
                server_version=None,
                expected_revisions=None,
                summary="Nothing listens on port 5432 of ledger.internal.",
            ),
            state_since=NOW - timedelta(hours=2),
        ),
        a_record(a_report("search", State.UNCHANGED, revisions=(), expected_revisions=None)),
        a_record(
            a_report(
                "warehouse",
                State.UNKNOWN,
                unknowns=(refused,),
                fingerprint=None,
                summary=refused.message,
            )
        ),
    ]


def list_configured() -> list[Configured]:
    sources = {
        "accounts": "alembic:/srv/accounts/alembic.ini",
        "billing": "alembic:/srv/billing/alembic.ini",
        "catalogue": "models:shop.models:Base",
        "ledger": "sql:schema.sql",
    }
    names = ["accounts", "billing", "catalogue", "ledger", "search", "warehouse"]
    seen = [
        Configured(
            name=name,
            environment="production",
            expected=sources.get(name),
            interval_seconds=60.0,
        )
        for name in names
    ]
    broken = Configured(
        name="archive",
        environment="production",
        expected=None,
        interval_seconds=300.0,
        problem="databases.archive.url: the variable ARCHIVE_URL is not set.",
    )
    return [*seen, broken]


def an_acceptance(finding: Finding, **changes: Any) -> Acceptance:
    fields: dict[str, Any] = {
        "environment": finding.environment,
        "database": finding.database,
        "finding": finding.id,
        "digest": finding.digest,
        "code": finding.code,
        "key": finding.key,
        "title": finding.title,
        "reason": "The vendor's installer made it; ticket OPS-77.",
        "until": None,
        "by": "the page",
        "at": NOW - timedelta(days=3),
    }
    return Acceptance(**fields | changes)


async def commit(store: Store, record: Record, *incidents: Incident) -> None:
    events = tuple(
        Event(
            one.id,
            version,
            EventKind.OPENED if version == 1 else EventKind.RESOLVED,
            one.first_seen,
        )
        for one in incidents
        for version in range(1, one.version + 1)
    )
    decision = Decision(
        record=record,
        looks_before=None,
        incidents=incidents,
        events=events,
        channels=("slack", "pager"),
    )
    assert await store.commit(decision)


async def plant_fleet(store: Store) -> None:
    for record in list_fleet():
        incidents: list[Incident] = []
        if record.database == "billing":
            incidents.append(an_incident(record.report.findings))
            incidents.append(
                an_incident(
                    (a_finding(),),
                    id="01dd0c5eafed",
                    status=Status.RESOLVED,
                    first_seen=NOW - timedelta(days=9),
                    last_seen=NOW - timedelta(days=8),
                    resolved_at=NOW - timedelta(days=8),
                    version=2,
                )
            )
        if record.database == "ledger":
            incidents.append(
                an_incident(
                    record.report.findings,
                    id="0ff11ce0ff1c",
                    finding_class=FindingClass.UNREACHABLE,
                    first_seen=NOW - timedelta(hours=2),
                )
            )
        await commit(store, record, *incidents)


async def plant_month(store: Store) -> None:
    """Looks of a month at a database that drifted twice, and what was deployed meanwhile."""
    wrong = tuple(structs.replace(one, database="month") for one in drifted_findings())
    graph = (
        GraphRow("*  ", "9b3d44aa10c7", ("head",)),
        GraphRow("*  ", "4f0c2a9d71be", ("stamped", "schema")),
        GraphRow("| *", "77d0e1b2c3a4"),
        GraphRow(":", folded=12),
        GraphRow("*  ", "3e9d01c77a20"),
    )
    moved = Move(NOW - timedelta(days=20), ("3e9d01c77a20",))
    for number in range(1, 241):
        day = number / 8
        state = State.DRIFTED if 9 < day < 10 or day > 29.5 else State.IN_SYNC
        state = State.UNREACHABLE if 19.9 < day < 20.1 else state
        findings = wrong if state is State.DRIFTED else ()
        report = a_report(
            "month",
            state,
            at=NOW - timedelta(days=30) + timedelta(hours=3 * number),
            seconds=0.2 + 0.1 * (number % 7) + (number == 100),
            findings=findings,
            graph=graph,
            summary="4 differences that no revision explains." if findings else "As expected.",
        )
        record = a_record(report, looks=number, move=moved)
        incidents = (an_incident(findings, id="decade000001"),) if number == 240 else ()
        opened = [
            Event(one.id, 1, EventKind.OPENED, NOW - timedelta(minutes=43)) for one in incidents
        ]
        assert await store.commit(
            Decision(
                record=record,
                looks_before=number - 1 or None,
                incidents=incidents,
                events=tuple(opened),
                channels=("slack", "pager"),
            )
        )
    for number in range(3):
        deployment = Deployment(
            id=f"d{number}",
            at=NOW - timedelta(days=9 * number, minutes=50),
            phase=Phase.FAILED if number == 1 else Phase.SUCCEEDED,
            commit=f"{number}f2a1c9d4b7e",
            service="web",
        )
        await store.add_deployment(deployment)


async def plant_hostile(store: Store) -> None:
    """One database of which everything that can be a stranger's text is one."""
    key = ObjectKey(kind=Kind.FUNCTION, schema=HOSTILE, parent=None, name=HOSTILE)
    finding = a_finding(
        "hostile",
        key=key,
        title=HOSTILE,
        evidence=(
            Evidence(HOSTILE, HOSTILE, [HOSTILE, [HOSTILE, None]]),
            Evidence("body", HOSTILE * 40, None),
        ),
        remedy=HOSTILE,
    )
    unknown = Unknown(FindingClass.HISTORY, "refused", HOSTILE, HOSTILE)
    other = a_finding("hostile", key=a_column(HOSTILE), title=HOSTILE)
    rule = IgnoreRule(object="column:*." + HOSTILE, reason=HOSTILE)
    acceptance = an_acceptance(finding, reason=HOSTILE, by=HOSTILE)
    await store.accept((acceptance,))
    report = a_report(
        "hostile",
        State.DRIFTED,
        findings=(finding,),
        ignored=(Ignored(other, rule),),
        accepted=(Accepted(other, an_acceptance(other, reason=HOSTILE, by=HOSTILE)),),
        unknowns=(unknown,),
        notes=(HOSTILE,),
        revisions=(HOSTILE, "two"),
        expected_revisions=(HOSTILE,),
        summary=HOSTILE,
        graph=(GraphRow("*", HOSTILE, (HOSTILE,)),),
    )
    await commit(store, a_record(report), an_incident((finding,), id="ba5eba11dead"))


def a_view(store: Ledger, **changes: Any) -> View:
    async def is_ready() -> list[str]:
        return []

    async def load_snapshot(environment: str, database: str) -> bytes | None:
        return b'{"format":1}' if (environment, database) == ("production", "billing") else None

    async def push(place: tuple[str, str], body: bytes, commit: str, *, anew: bool) -> Keeping:
        raise AssertionError((place, body, commit, anew))

    async def deployed(deployment: Deployment) -> bool:
        raise AssertionError(deployment)

    async def try_channel(name: str) -> Tried | None:
        if name == "webhook:ops":
            return Tried(
                name=name,
                kind="webhook",
                failure="It answered 500.",
                reason="server",
                next_step="Look.",
            )
        return Tried(name=name, kind="slack", receipt="HTTP 200") if name == "slack" else None

    def render_metrics(databases: Sequence[str] | None) -> bytes:
        return f"anchorwatch_asked {len(databases) if databases else 0}\n".encode()

    fields: dict[str, Any] = {
        "store": store,
        "environment": "production",
        "api_token": None,
        "metrics_token": None,
        "push_token": None,
        "railway_secret": None,
        "deploy_secret": None,
        "is_loopback": True,
        "public_host": "watch.test",
        "render_metrics": render_metrics,
        "is_alive": lambda: True,
        "is_ready": is_ready,
        "configured": list_configured,
        "load_snapshot": load_snapshot,
        "deployed": deployed,
        "channels": [("slack", "slack"), ("webhook:ops", "webhook")],
        "try_channel": try_channel,
        "ask": lambda _environment, _database: True,
        "push": push,
        "version": "0.1.0",
        "clock": lambda: NOW,
    }
    return View(**fields | changes)


LEDGER: Final = "ledger.db"


def sqlite_url(directory: Path) -> str:
    return f"sqlite:///{directory / LEDGER}"


async def make_fleet(directory: Path) -> None:
    async with open_store(sqlite_url(directory)) as store:
        await plant_fleet(store)


def a_client(app: FastAPI, **options: Any) -> httpx.AsyncClient:
    """A client of the application itself; what it raises is answered as the server would."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport, base_url="http://watch.test", follow_redirects=False, **options
    )


def client_of(view: View, **options: Any) -> httpx.AsyncClient:
    return a_client(make_app(view), **options)
