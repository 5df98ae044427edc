"""A channel works again: what is said of it ends, and what it lost is told."""

from collections.abc import Collection
from datetime import datetime

from monitor.core.channel_health import mend_channel, name_channel
from monitor.core.incidents import Incident
from monitor.sinks.claims import Carrier
from monitor.sinks.store import Store


async def mend(
    store: Store, carrier: Carrier, channel: str, others: Collection[str], at: datetime
) -> bool:
    """Note in the ledger that a channel takes messages; whether it was said to be broken.

    Args:
        store: the ledger.
        carrier: the agent whose channel it is.
        channel: its name.
        others: the channels on which it is told that it works again.
        at: when it was seen to.

    Raises:
        StoreError: the ledger cannot be read or written.
    """
    broken = await store.list_broken(carrier.environment)
    incident = next((one for one in broken if name_channel(one) == channel), None)
    if incident is None:
        # It may have lost something a moment ago, of which nobody has said anything yet.
        await store.revive_lost(carrier, channel, at)
        return False
    rest = [one for one in others if one != channel]
    return await end_trouble(store, carrier, incident, rest, at)


async def end_trouble(
    store: Store, carrier: Carrier, incident: Incident, others: Collection[str], at: datetime
) -> bool:
    """End what is said of a channel, and tell it what it lost; False where another was first.

    Args:
        store: the ledger.
        carrier: the agent whose channel it is.
        incident: what is said of it.
        others: the channels on which it is told that it works again, without itself.
        at: when it was seen to.

    Raises:
        StoreError: the ledger cannot be written.
    """
    over, event = mend_channel(incident, at)
    return await store.end_channel_incident(over, event, others, served=carrier.served)
