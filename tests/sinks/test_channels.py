"""What the ledger knows of channels, on each of its two servers."""

from datetime import timedelta

from monitor.core.channel_health import Trouble, break_channel, mend_channel
from monitor.core.incidents import EventKind
from monitor.sinks.channel import FailureReason
from monitor.sinks.claims import Carrier, Claim
from monitor.sinks.delivery import Delivery
from monitor.sinks.store import Store
from tests.sinks.builders import NOW, an_incident, statuses, told

MINUTE = timedelta(minutes=1)


async def claim(store: Store, channel: str) -> Delivery:
    claim = Claim(now=NOW + 60 * MINUTE, holder="us", lease=MINUTE, channel=channel)
    (delivery,) = await store.claim_due(claim, 1)
    return delivery


async def test_how_each_channel_is(store: Store) -> None:
    await store.commit(told(1, EventKind.OPENED, "fine", "lost", "waits", "untried"))
    await store.complete([await claim(store, "fine")], "HTTP 200", NOW + MINUTE)
    await store.bury([await claim(store, "lost")], FailureReason.GONE, NOW + 2 * MINUTE)
    await store.postpone([await claim(store, "waits")], NOW + 90 * MINUTE, FailureReason.CONNECT)
    names = ("fine", "lost", "waits", "untried")
    found = await store.list_health(Carrier("production"), names, NOW + 3 * MINUTE)
    assert found["fine"].taken == NOW + MINUTE
    assert (found["lost"].lost, found["lost"].reason) == (NOW + 2 * MINUTE, "gone")
    assert (found["waits"].waiting, found["waits"].reason) == (NOW, "connect")
    untried = found["untried"]
    assert (untried.taken, untried.lost, untried.waiting) == (None, None, None)
    later = await store.list_health(Carrier("production"), names, NOW + timedelta(days=2))
    assert later["lost"].lost is None


async def test_it_is_written_and_ended_once_whoever_is_first(store: Store) -> None:
    incident, event = break_channel("production", "chat", Trouble(NOW, "Gone."), NOW)
    assert await store.open_channel_incident(incident, event, ["hook"])
    assert not await store.open_channel_incident(incident, event, ["hook"])
    assert await store.list_broken("production") == [incident]
    assert await store.list_broken("staging") == []
    assert [one.id for one in await store.list_incidents()] == [incident.id]
    over, last = mend_channel(incident, NOW + MINUTE)
    assert await store.end_channel_incident(over, last, ["hook"])
    assert not await store.end_channel_incident(over, last, ["hook"])
    assert await store.list_broken("production") == []
    assert await statuses(store, incident.id) == ["pending", "pending"]
    assert await store.list_incidents() == []


async def test_what_a_channel_was_told_and_nothing_else(store: Store) -> None:
    """Of what is open, and of what ended lately."""
    await store.commit(told(1, EventKind.OPENED, "chat", "hook"))
    assert await store.list_told("chat", since=NOW) == []
    await store.complete([await claim(store, "chat")], "HTTP 200", NOW)
    assert [one.id for one in await store.list_told("chat", since=NOW)] == ["i1"]
    assert await store.list_told("hook", since=NOW) == []
    # It may have arrived, so that its end has to be told as well.
    late = await claim(store, "hook")
    await store.postpone([late], NOW + 90 * MINUTE, FailureReason.TIMEOUT)
    assert [one.id for one in await store.list_told("hook", since=NOW)] == ["i1"]
    await store.commit(told(2, EventKind.RESOLVED, "chat", incident=an_incident()))
    assert [one.id for one in await store.list_told("chat", since=NOW)] == ["i1"]
    assert await store.list_told("chat", since=NOW + MINUTE) == []
