"""What goes out in one message, and the words of it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, final

import msgspec

from monitor.core.errors import StoreError
from monitor.core.findings import FindingClass
from monitor.core.grouped import Part, compose_several, keep_newest
from monitor.core.incidents import Incident
from monitor.core.message import UNKNOWN, Message, Surroundings, compose
from monitor.sinks.choice import Bundle, Told, choose_head
from monitor.sinks.store import Store

_OF_REVISIONS: Final = frozenset({FindingClass.DRIFT, FindingClass.HISTORY})
"""Of what else may be wrong, where the history is says nothing."""


@final
class Bundler:
    """Puts together what belongs together, and writes it.

    Args:
        store: the ledger, which knows the threads.
        link: the page of a database by its name; of all for None.
        find_deployment: when a deployment that concerns an incident was last reported.
    """

    def __init__(
        self,
        store: Store,
        *,
        link: Callable[[str | None], str | None],
        find_deployment: Callable[[Incident], datetime | None],
    ) -> None:
        self._store = store
        self._link = link
        self._find_deployment = find_deployment

    async def bundle(
        self, channel: str, told: Sequence[Told], *, has_threads: bool
    ) -> list[Bundle]:
        """What is sent in one message each: all of it, or what has a thread of its own there.

        Raises:
            StoreError: the ledger cannot be read.
        """
        threads: dict[str, str] = {}
        if told and has_threads:
            ids = [one.incident.id for one in told]
            threads = await self._store.list_threads(channel, ids)
        # By place as well: an older agent, still about to end, does not say it of its rows.
        grouped: dict[tuple[str | None, str, FindingClass], list[Told]] = {}
        for one in told:
            incident = one.incident
            key = (threads.get(incident.id), incident.environment, incident.finding_class)
            grouped.setdefault(key, []).append(one)
        return [
            Bundle(
                some,
                thread,
                await self._list_in_thread(channel, thread),
                await self._look_around([one.incident for one in some]),
            )
            for (thread, _, _), some in grouped.items()
        ]

    async def _look_around(self, incidents: Sequence[Incident]) -> Surroundings:
        """What is known beside incidents; nothing where several databases are told of."""
        first = incidents[0]
        place = first.environment, first.database
        if any((one.environment, one.database) != place for one in incidents):
            return UNKNOWN
        around = Surroundings(deployed_at=self._find_deployment(first))
        if first.finding_class not in _OF_REVISIONS:
            return around
        try:
            record = await self._store.load(*place)
        except StoreError:  # one that cannot be read keeps back no word about it
            return around
        if record is None:
            return around
        return msgspec.structs.replace(
            around,
            revisions=record.report.revisions,
            expected_revisions=record.report.expected_revisions,
        )

    async def _list_in_thread(self, channel: str, thread: str | None) -> list[Incident]:
        """All incidents that the head of a thread is about."""
        if thread is None:
            return []
        ids = await self._store.list_in_thread(channel, thread)
        return [*(await self._store.load_incidents(ids)).values()]

    def compose(self, bundle: Bundle) -> Message:
        """The message, and what stands at the head of its thread from now on."""
        message = self._compose(bundle.told, bundle.around)
        if bundle.thread is None:
            return message
        [first, *_] = bundle.told
        heads = [Told(first.delivery, one, choose_head(one)) for one in bundle.incidents]
        root = self._compose(heads, bundle.around) if heads else message
        return msgspec.structs.replace(message, thread=bundle.thread, root=root)

    def _compose(self, told: Sequence[Told], around: Surroundings) -> Message:
        parts = keep_newest(
            [Part(one.incident, one.kind, one.delivery.id, one.delivery.at) for one in told]
        )
        if len(parts) > 1:
            return compose_several(parts, url=self._link(None))
        [one] = parts
        return compose(
            one.incident,
            one.kind,
            delivery=one.delivery,
            at=one.at,
            url=self._link(one.incident.database),
            around=around,
        )
