from datetime import timedelta

import pytest

from monitor.core.incidents import EventKind
from monitor.sinks.channel import FailureReason
from monitor.sinks.delivery import DeliveryStatus
from monitor.sinks.store import Store
from monitor.web.answers import DeliveryAnswer, EventAnswer
from monitor.web.telling import Telling, describe_telling
from tests.web.builders import NOW, a_view, client_of

EVENT = EventAnswer(version=1, kind=EventKind.OPENED, at=NOW - timedelta(minutes=5))
INCIDENT = "5e1f00d5ea11"


def tell(status: DeliveryStatus, **changes: object) -> Telling:
    fields = {
        "channel": "slack",
        "version": 1,
        "kind": EventKind.OPENED,
        "status": status,
        "attempts": 1,
        "due": None,
        "ended": None,
        "reason": None,
        "receipt": None,
        "may_have_arrived": False,
    }
    return describe_telling(EVENT, DeliveryAnswer.model_validate(fields | changes), NOW)


def test_what_was_delivered_says_what_was_answered() -> None:
    told = tell(DeliveryStatus.DELIVERED, receipt="HTTP 200", ended=NOW)
    assert (told.standing, told.tone, told.outcome) == ("delivered", "good", "HTTP 200")
    assert told.decided == EVENT.at


def test_what_waits_says_why_and_until_when() -> None:
    later = NOW + timedelta(minutes=2)
    slow = tell(DeliveryStatus.PENDING, due=later, reason=FailureReason.RATE_LIMITED, attempts=3)
    assert (slow.outcome, slow.due, slow.tries) == ("the channel asked to be slower", later, 3)
    assert (
        tell(DeliveryStatus.PENDING, due=later, attempts=0).outcome == "held back until its time"
    )
    turn = tell(DeliveryStatus.PENDING, due=NOW, attempts=0)
    assert (turn.outcome, turn.due) == ("its turn has not come", None)


def test_what_may_have_arrived_is_said() -> None:
    dead = tell(DeliveryStatus.DEAD, reason=FailureReason.TIMEOUT, may_have_arrived=True)
    assert (dead.standing, dead.tone) == ("given up", "critical")
    assert dead.outcome == "no answer in time, it may have arrived all the same"
    left = tell(DeliveryStatus.SUPERSEDED)
    assert left.outcome == "what came after it was told instead"


@pytest.mark.parametrize("reason", FailureReason)
def test_every_reason_is_said_in_words(reason: FailureReason) -> None:
    told = tell(DeliveryStatus.DEAD, reason=reason)
    assert told.outcome
    assert "_" not in told.outcome


async def test_the_page_of_an_incident_tells_every_message_with_its_receipt(
    full: Store,
) -> None:
    incident = "decade000001"
    for outcome in await full.list_deliveries(incident):
        delivery = outcome.delivery
        if delivery.channel == "slack":
            await full.complete([delivery], "HTTP 200 <b>", NOW)
    async with client_of(a_view(full)) as client:
        page = " ".join((await client.get(f"/incidents/{incident}")).text.split())
        document = (await client.get(f"/api/incidents/{incident}")).json()
    assert "HTTP 200 &lt;b&gt;" in page
    assert "its turn has not come" in page
    receipts = {one["channel"]: one["receipt"] for one in document["deliveries"]}
    assert receipts == {"pager": None, "slack": "HTTP 200 <b>"}
    assert [(one["state"], one["looks"]) for one in document["looks"]] == [("drifted", 1)]
    assert document["looks_are_whole"] is True


async def test_an_open_incident_offers_a_look_and_a_closed_one_does_not(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        still = (await client.get(f"/incidents/{INCIDENT}")).text
        over = (await client.get("/incidents/01dd0c5eafed")).text
    assert 'action="/databases/billing/look?environment=production"' in still
    assert "What you can do" not in over
