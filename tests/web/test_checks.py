import msgspec

from monitor.core.checkup import CheckName
from monitor.sinks.store import Decision, Store
from monitor.web.checks import describe_checks
from tests.web.builders import HOSTILE, a_view, client_of
from tests.web.checked import list_checks, plant_checks


async def test_a_database_tells_each_check_as_it_was_done_last(store: Store) -> None:
    await plant_checks(store, "billing")
    async with client_of(a_view(store)) as client:
        document = (await client.get("/api/databases/billing")).json()
        page = " ".join((await client.get("/databases/billing")).text.split())
    data, orphans, smoke = document["checks"]
    assert (data["name"], data["problem"], data["last_success"]) == ("data", HOSTILE, None)
    assert [one["holds"] for one in data["assertions"]] == [True, None]
    assert [(one["orphans"], one["complete"]) for one in orphans["relations"]] == [
        (3, True),
        (0, True),
        (None, False),
    ]
    assert orphans["relations"][0]["name"] == "public.orders(customer_id) -> public.customers(id)"
    (suite,) = smoke["suites"]
    assert (suite["status"], suite["failures"]) == ("fail", 2)
    assert [one["http_status"] for one in suite["steps"]] == [200, 503, 0, None]
    assert "Checks <span" in page
    assert "certificate ends" in page
    assert "It never worked so far." in page
    assert HOSTILE not in page
    assert "<img" not in page


def test_a_check_is_as_bad_as_the_worst_that_it_found() -> None:
    told = describe_checks(list_checks("app"))
    assert [one.severity and one.severity.value for one in told] == [None, "warning", "critical"]
    assert describe_checks(()) == ()


def test_what_nobody_could_look_at_is_not_known_to_be_right() -> None:
    told = {one.name.value: one for one in describe_checks(list_checks("app"))}
    assert [told[name].complete for name in ("data", "orphans", "smoke")] == [False, False, True]


async def test_of_what_a_role_may_not_count_nobody_says_that_nothing_is_wrong(
    store: Store,
) -> None:
    (uncounted,) = [one for one in list_checks("billing") if one.check is CheckName.ORPHANS]
    tallies = tuple(one for one in uncounted.report.tallies if one.orphans is None)
    report = msgspec.structs.replace(uncounted.report, tallies=tallies, findings=())
    record = msgspec.structs.replace(uncounted, report=report)
    assert await store.commit(Decision(record=record, looks_before=None))
    async with client_of(a_view(store)) as client:
        page = " ".join((await client.get("/databases/billing")).text.split())
    shown = page.partition('id="check-orphans"')[2].partition("</h3>")[0]
    assert "not all is known" in shown
    assert "nothing wrong" not in shown


async def test_a_database_without_checks_shows_none(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        page = (await client.get("/databases/billing")).text
    assert 'id="checks"' not in page
