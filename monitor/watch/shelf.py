"""The last snapshot of each database, packed: most are never asked for."""

import asyncio
import zlib

from monitor.core.snapshot import Snapshot, dump_snapshot

type _Place = tuple[str, str]


class Shelf:
    """Keeps one snapshot for each environment and database."""

    def __init__(self) -> None:
        self._packed: dict[_Place, tuple[str, bytes]] = {}

    async def put(self, environment: str, database: str, snapshot: Snapshot) -> None:
        """Keep this one in place of the one before; nothing when it is the same."""
        place = (environment, database)
        if self._packed.get(place, ("", b""))[0] != snapshot.fingerprint:
            packed = await asyncio.to_thread(_pack, snapshot)
            self._packed[place] = (snapshot.fingerprint, packed)

    async def load(self, environment: str, database: str) -> bytes | None:
        """The last snapshot of a database as JSON; None before its first look."""
        packed = self._packed.get((environment, database))
        return await asyncio.to_thread(zlib.decompress, packed[1]) if packed else None


def _pack(snapshot: Snapshot) -> bytes:
    return zlib.compress(dump_snapshot(snapshot), 1)
