"""`incidents`, `ack` and `silence` on the ledger of an agent."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.core.findings import FindingClass
from monitor.core.incidents import EventKind, Status
from monitor.sinks.claims import Claim
from monitor.sinks.store import Store, open_store
from tests.cli.conftest import Done, RunCommand
from tests.sinks.builders import HOSTILE, NOW, a_finding, an_incident, told

URL = "postgresql://watch:x@localhost/app"


class Ledger:
    """A ledger with two incidents of one database, one of them over."""

    def __init__(self, store: Store, run: RunCommand, url: str) -> None:
        self.store = store
        self._run = run
        self._environ = {
            "ANCHORWATCH_ENVIRONMENT": "production",
            "ANCHORWATCH_DATABASES__APP__URL": URL,
            "ANCHORWATCH_STORE_URL": url,
        }

    async def run(self, *arguments: str) -> Done:
        return (await self._run(*arguments, **self._environ)).assert_kind()


@pytest.fixture
async def ledger(run_inside: RunCommand, tmp_path: Path) -> AsyncIterator[Ledger]:
    url = f"sqlite:///{tmp_path}/ledger.db"
    async with open_store(url) as store:
        over = an_incident("over", finding_class=FindingClass.ORPHANS)
        assert await store.commit(told(1, EventKind.OPENED, "chat", incident=over))
        assert await store.commit(told(2, EventKind.RESOLVED, "chat", incident=over))
        drift = an_incident("drift", findings=(a_finding(), a_finding(HOSTILE)))
        assert await store.commit(told(3, EventKind.OPENED, "chat", "hook", incident=drift))
        yield Ledger(store, run_inside, url)


async def test_incidents_lists_what_is_open(ledger: Ledger) -> None:
    done = await ledger.run("incidents")
    assert done.code == 0
    assert "drift  critical  open  app (production)  drift, for " in done.out
    assert "2 schema differences" in done.out
    assert "over" not in done.out
    assert "over at 2026-03-01" in (await ledger.run("incidents", "--all")).out
    [listed] = (await ledger.run("incidents", "app", "--format", "json")).document["incidents"]
    assert (listed["id"], listed["class"], listed["status"]) == ("drift", "drift", "open")
    assert listed["command"] == "anchorwatch check app"
    assert listed["cause"].startswith("dropped by hand")
    assert [one["id"] for one in listed["findings"]] == [a_finding().id, a_finding(HOSTILE).id]


async def test_one_incident_is_shown_with_all_that_was_told_of_it(ledger: Ledger) -> None:
    later, lease = NOW + timedelta(hours=1), timedelta(minutes=2)
    claim = Claim(now=later, holder="us", lease=lease, channel="hook")
    claimed = await ledger.store.claim_due(claim, 1)
    await ledger.store.complete(claimed, "HTTP 200", NOW + timedelta(hours=1))
    done = await ledger.run("incidents", "drift")
    assert "table public.orders is missing" in done.out
    assert "next: anchorwatch check app" in done.out
    assert "hook: delivered at 2026-03-01 13:00:00 UTC" in done.out
    assert "chat: waits until 2026-03-01 12:02:00 UTC" in done.out
    assert "\u202e" not in done.out
    document = (await ledger.run("incidents", "drift", "--format", "json")).document
    assert [event["kind"] for event in document["events"]] == ["opened"]
    assert {one["channel"]: one["status"] for one in document["deliveries"]} == {
        "chat": "pending",
        "hook": "delivered",
    }


@pytest.mark.parametrize("which", ["nothing", "a\0b", ""])
@pytest.mark.parametrize("command", ["incidents", "ack"])
async def test_what_there_is_not_is_said(ledger: Ledger, command: str, which: str) -> None:
    done = await ledger.run(command, which)
    assert done.code == 2
    assert "anchorwatch incidents" in done.err


async def test_ack_says_who_is_at_it(ledger: Ledger) -> None:
    done = await ledger.run("ack", "drift", "--note", "on it\nnow")
    assert done.code == 0
    assert done.out.startswith("Acknowledged drift, 2 schema differences of app (production).")
    found = await ledger.store.load_incident("drift")
    assert found is not None
    assert (found.status, found.is_acknowledged) == (Status.ACKNOWLEDGED, True)
    shown = (await ledger.run("incidents", "drift")).out
    assert "acknowledged by " in shown
    assert ": on it now" in shown
    [listed] = (await ledger.run("incidents", "--format", "json")).document["incidents"]
    assert (listed["status"], listed["acknowledged"]["note"]) == ("acknowledged", "on it now")
    done = await ledger.run("ack", "drift", "--withdraw", "--format", "json")
    assert done.document["incident"]["acknowledged"] is None
    found = await ledger.store.load_incident("drift")
    assert found is not None
    assert found.status is Status.OPEN


async def test_what_is_over_needs_nobody(ledger: Ledger) -> None:
    done = await ledger.run("ack", "over")
    assert (done.code, "is over" in done.err) == (2, True)


async def test_a_silence_is_made_listed_and_ended(ledger: Ledger) -> None:
    done = await ledger.run(
        "silence", "app*", "--for", "2h", "--reason", "repairs", "--class", "drift"
    )
    assert done.code == 0, done
    [made] = await ledger.store.list_silences()
    assert (made.database, made.finding_class) == ("app*", FindingClass.DRIFT)
    assert made.until - made.at == timedelta(hours=2)
    assert abs(made.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert f"{made.id}  drift of app*, until " in (await ledger.run("silence", "--list")).out
    [listed] = (await ledger.run("silence", "--list", "--format", "json")).document["silences"]
    assert (listed["id"], listed["class"], listed["object"]) == (made.id, "drift", "*")
    done = await ledger.run("silence", "--end", made.id)
    assert "Ended" in done.out
    assert "Nothing is silenced." in (await ledger.run("silence", "--list")).out
    assert (await ledger.run("silence", "--end", made.id)).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("app",),
        ("app", "--for", "2h"),
        ("app", "--reason", "why"),
        ("app", "--reason", "why", "--for", "2h", "--until", "2099-01-01"),
        ("app", "--reason", "why", "--for", "soon"),
        ("app", "--reason", "why", "--for", "60d"),
        ("app", "--reason", "why", "--until", "2020-01-01"),
        ("app", "--reason", "why", "--until", "2099-01-01T00:00"),
        ("app", "--reason", "why", "--until", "9999-12-31"),
        ("app", "--reason", "why", "--for", "2h", "--class", "nothing"),
        ("app", "--reason", "why", "--for", "2h", "--object", "no kind"),
        ("app", "--reason", " ", "--for", "2h"),
        ("app", "--list"),
        ("--list", "--end", "x"),
        ("--end", "a\0b"),
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused(
    ledger: Ledger, arguments: tuple[str, ...]
) -> None:
    done = await ledger.run("silence", *arguments)
    assert done.code == 2, done
    assert done.err.count("\n") >= 2
    assert await ledger.store.list_silences() == []


async def test_a_day_ends_when_it_is_over(ledger: Ledger) -> None:
    day = (datetime.now(UTC) + timedelta(days=2)).date()
    until = ("--until", day.isoformat())
    assert (await ledger.run("silence", "app", "--reason", "why", *until)).code == 0
    [made] = await ledger.store.list_silences()
    assert made.until.date() == day + timedelta(days=1)


async def test_without_a_ledger_it_is_said_where_one_is_looked_for(
    run_inside: RunCommand, tmp_path: Path
) -> None:
    done = await run_inside(
        "incidents",
        ANCHORWATCH_DATABASES__APP__URL=URL,
        ANCHORWATCH_STORE_URL=f"sqlite:///{tmp_path}/none.db",
    )
    assert done.code == 3
    assert "anchorwatch run" in done.err
