"""What becomes of rows that were claimed together: what is said of each as it stands now."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, final

from monitor.core.findings import Severity
from monitor.core.incidents import EventKind, Incident
from monitor.sinks.choice import Scene, Told, choose_word
from monitor.sinks.delivery import Delivery, Held
from monitor.sinks.store import Store


class Ear(NamedTuple):
    """Who is told: one channel.

    Attributes:
        channel: its name.
        minimum: how bad a thing must be to go there.
        keeps_apart: whether incidents of one class and database stay different ones there, as in
            threads, and to machines.
        hears_verdicts: whether the word about a deployment is sent there at all.
    """

    channel: str
    minimum: Severity
    keeps_apart: bool
    hears_verdicts: bool = True


class Sorted(NamedTuple):
    """What becomes of deliveries that were claimed together.

    Attributes:
        lost: the ledger knows nothing of what they are about.
        silent: of these nothing is said.
        held: these are kept back, and why.
        told: these are said.
    """

    lost: list[Delivery]
    silent: list[Delivery]
    held: dict[Held, list[Delivery]]
    told: list[Told]


@final
class Sorter:
    """Decides what is said of each delivery, by what the ledger holds.

    Args:
        store: the ledger.
        is_heard: whether people are told of what is in the environment of an incident.
    """

    def __init__(self, store: Store, is_heard: Callable[[Incident], bool]) -> None:
        self._store = store
        self._is_heard = is_heard

    async def sort(self, ear: Ear, deliveries: Sequence[Delivery], now: datetime) -> Sorted:
        """What becomes of each.

        Raises:
            StoreError: the ledger cannot be read.
        """
        incidents = await self._store.load_incidents([one.incident for one in deliveries])
        scene = await self._survey(ear, deliveries, incidents, now)
        found = Sorted([], [], {}, [])
        for delivery in deliveries:
            incident = incidents.get(delivery.incident)
            if incident is None:
                found.lost.append(delivery)
                continue
            is_said = ear.hears_verdicts or delivery.kind is not EventKind.VERDICT
            is_heard = is_said and self._is_heard(incident)
            word = choose_word(delivery.kind, incident, scene) if is_heard else None
            match word:
                case None:
                    found.silent.append(delivery)
                case Held():
                    found.held.setdefault(word, []).append(delivery)
                case EventKind():
                    found.told.append(Told(delivery, incident, word))
        return found

    async def _survey(
        self,
        ear: Ear,
        deliveries: Sequence[Delivery],
        incidents: Mapping[str, Incident],
        now: datetime,
    ) -> Scene:
        """What it is decided on what is said of each."""
        ended = [
            incidents[one.incident]
            for one in deliveries
            if one.kind is EventKind.RESOLVED and one.incident in incidents
        ]
        newer = {} if ear.keeps_apart else await self._store.find_newer(ended)
        ids = {*incidents, *(one.id for one in newer.values())}
        return Scene(
            minimum=ear.minimum,
            told=await self._store.find_told(ear.channel, ids),
            newer=newer,
            silences=await self._store.list_silences(after=now),
            unreachable=await self._store.list_unreachable(),
            now=now,
        )
