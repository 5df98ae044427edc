"""A channel works again: what is said of it ends, and what it lost is told."""

from collections.abc import Collection
from datetime import datetime

from monitor.core.channel_health import mend_channel, name_channel
from monitor.sinks.store import Store


async def mend(
    store: Store, environment: str, channel: str, others: Collection[str], at: datetime
) -> bool:
    """Note in the ledger that a channel takes messages; whether it was said to be broken.

    Args:
        store: the ledger.
        environment: of the agent whose channel it is.
        channel: its name.
        others: the channels on which it is told that it works again.
        at: when it was seen to.

    Raises:
        StoreError: the ledger cannot be read or written.
    """
    broken = await store.list_broken(environment)
    incident = next((one for one in broken if name_channel(one) == channel), None)
    if incident is None:
        # It may have lost something a moment ago, of which nobody has said anything yet.
        await store.revive_lost(channel, at)
        return False
    over, event = mend_channel(incident, at)
    return await store.end_channel_incident(over, event, [one for one in others if one != channel])
