from datetime import timedelta

import msgspec

from monitor.core.deployment import Deployment, Phase
from monitor.core.incidents import Status
from monitor.core.release import Move
from monitor.core.verdict import State
from monitor.sinks.store import Store
from monitor.web.chronicle import HAPPENINGS, Chronicle, load_chronicle
from monitor.web.overview import load_database
from monitor.web.view import Configured
from tests.web.builders import (
    HOSTILE,
    NOW,
    a_finding,
    a_record,
    a_report,
    a_view,
    an_incident,
    client_of,
    commit,
)

HOUR = timedelta(hours=1)


def a_deployment(name: str, hours: float, **changes: object) -> Deployment:
    made = Deployment(id=name, at=NOW - hours * HOUR, phase=Phase.SUCCEEDED, service="web")
    return msgspec.structs.replace(made, **changes)


async def load(store: Store, name: str = "billing", services: tuple[str, ...] = ()) -> Chronicle:
    configured = Configured(
        name=name,
        environment="production",
        expected=None,
        interval_seconds=60.0,
        services=services,
    )
    view = a_view(store, configured=lambda: [configured])
    found = await load_database(view, name)
    return await load_chronicle(view, found, await store.load("production", name))


async def test_incidents_and_deployments_stand_in_one_line_the_newest_first(store: Store) -> None:
    await store.add_deployment(a_deployment("d1", 0.9, commit="3f2a1c" + "0" * 34))
    await store.add_deployment(a_deployment("d2", 30, phase=Phase.FAILED, service=""))
    told = (await load(store)).happenings
    assert [(one.kind, one.text, one.note) for one in told] == [
        ("incident", "4 schema differences", "open"),
        ("deployment", "of web at 3f2a1c000000", ""),
        ("deployment failed", "", ""),
        ("resolved", "1 schema difference", "after 1 d"),
        ("incident", "1 schema difference", ""),
    ]


async def test_a_deployment_of_something_else_did_not_happen_here(store: Store) -> None:
    await store.add_deployment(a_deployment("d1", 1, service="mailer"))
    await store.add_deployment(a_deployment("d2", 2, environment="staging"))
    await store.add_deployment(a_deployment("d3", 3, databases=("orders",)))
    await store.add_deployment(a_deployment("d4", 4))
    told = (await load(store, services=("web",))).happenings
    assert [one.at for one in told if one.kind == "deployment"] == [NOW - 4 * HOUR]


async def test_a_stamp_that_moved_and_a_schema_that_changed_are_told(store: Store) -> None:
    moved = a_record(
        a_report("young", State.IN_SYNC),
        move=Move(NOW - 2 * HOUR, ("a1", "b2")),
        schema_changed=NOW - 3 * HOUR,
    )
    await commit(store, moved)
    told = (await load(store, "young")).happenings
    assert [(one.kind, one.text) for one in told] == [
        ("stamp moved", "a1, b2 → 4f0c2a9d71be"),
        ("schema changed", ""),
    ]


async def test_what_is_not_listed_is_counted(store: Store) -> None:
    for number in range(HAPPENINGS + 3):
        await store.add_deployment(a_deployment(f"d{number}", number + 1, service=HOSTILE))
    chronicle = await load(store, "search")
    assert (len(chronicle.happenings), chronicle.more) == (HAPPENINGS, 3)
    async with client_of(a_view(store)) as client:
        page = (await client.get("/databases/search")).text
    assert "3 earlier" in page
    assert "<img" not in page


async def test_a_month_of_looks_is_a_small_picture_with_a_sentence(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        page = (await client.get("/databases/billing")).text
    assert page.count('role="img"') == 3
    assert 'aria-label="How it stood: 1 look: drifted."' in page
    assert '<rect class="warning"' in page
    assert "0.18 s on average, 0.18 s at the longest." in page


async def test_an_incident_that_goes_on_says_how_it_stands(store: Store) -> None:
    record = a_record(a_report("quiet", State.DRIFTED))
    incident = an_incident((a_finding("quiet"),), id="cafe", status=Status.RECOVERING)
    await commit(store, record, incident)
    (told,) = (await load(store, "quiet")).happenings
    assert (told.note, told.incident, told.tone) == ("recovering", "cafe", "warning")
