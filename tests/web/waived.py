"""A database at which something is accepted and ignored, for the web tests."""

from datetime import date, timedelta

import msgspec

from monitor.core.findings import Evidence, Severity
from monitor.core.keys import Kind, ObjectKey
from monitor.core.rules import UNUSED_RULE
from monitor.core.verdict import State
from monitor.core.waivers import Accepted, Ignored, IgnoreRule
from monitor.sinks.store import Store
from tests.web.builders import (
    NOW,
    a_column,
    a_finding,
    a_record,
    a_report,
    an_acceptance,
    commit,
    drifted_findings,
)


async def plant_waived(store: Store) -> None:
    """One database with something told, accepted in every standing, and ignored by two rules."""
    unique, amount, view, index = (
        msgspec.structs.replace(finding, database="orders") for finding in drifted_findings()
    )
    gone = a_finding("orders", key=a_column("note"), title="column public.invoices.note is there")
    changed = msgspec.structs.replace(amount, evidence=())
    await store.accept(
        (
            an_acceptance(index, until=date(2026, 12, 31)),
            an_acceptance(changed, at=NOW - timedelta(days=2)),
            an_acceptance(gone, at=NOW - timedelta(days=1)),
            an_acceptance(unique, at=NOW - timedelta(seconds=5), by="ops"),
        )
    )
    tables = [
        a_finding(
            "orders",
            code="AW205",
            key=ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name=name),
            title=f"table public.{name} is there, nothing expects it",
        )
        for name in ("spatial_ref_sys", "tmp_import_1", "tmp_import_2")
    ]
    postgis = IgnoreRule(object="table:public.spatial_ref_sys", reason="PostGIS brings it.")
    imports = IgnoreRule(
        code="AW205",
        object="table:public.tmp_*",
        reason="The nightly import leaves them for a day.",
        until=date(2027, 1, 31),
    )
    upkeep = a_finding(
        "orders",
        key=None,
        code="AW904",
        severity=Severity.INFO,
        title="an ignore rule matches nothing: AW225 on index:app.*",
        evidence=(Evidence("AW225 on index:app.*", "Built by the DBA at night.", None),),
        remedy=UNUSED_RULE.fix,
    )
    report = a_report(
        "orders",
        State.DRIFTED,
        findings=(unique, amount, view, upkeep),
        accepted=(Accepted(index, an_acceptance(index, until=date(2026, 12, 31))),),
        ignored=(
            Ignored(tables[0], postgis),
            Ignored(tables[1], imports),
            Ignored(tables[2], imports),
        ),
        summary="3 differences (1 accepted, 3 ignored)",
    )
    await commit(store, a_record(report))
