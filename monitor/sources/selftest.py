"""Whether drift of every kind is seen here: planted in a shadow, one kind after the other.

A monitor that is green proves nothing until it has been seen red.
"""

import re
from collections.abc import Iterator
from importlib import resources
from typing import Final, NamedTuple

from monitor.core.diff import diff
from monitor.core.errors import StatementFailed
from monitor.core.keys import Kind
from monitor.core.snapshot import Snapshot
from monitor.sources.postgres import Session, connect
from monitor.sources.reading import take_snapshot
from monitor.sources.shadow import ShadowServer

_BLOCK: Final = re.compile(r"^-- ([a-z_]+)\n((?:(?!-- ).*\n)*)", re.MULTILINE)
_SETUP: Final = "setup"


class Planted(NamedTuple):
    """One drift that was planted.

    Attributes:
        kind: of the object that drifts.
        is_seen: whether the comparison told it.
        told: what it told, or why the drift could not be planted.
    """

    kind: Kind
    is_seen: bool
    told: str


def list_drifts() -> Iterator[tuple[Kind, str]]:
    """Each kind with the statements that make it drift, in the order in which they run."""
    return ((Kind(name), script) for name, script in _read_blocks() if name != _SETUP)


def _read_blocks() -> list[tuple[str, str]]:
    text = resources.files("monitor.sources").joinpath("selftest.sql").read_text("utf-8")
    return [(block[1], block[2]) for block in _BLOCK.finditer(text)]


async def plant_all(server: ShadowServer) -> list[Planted]:
    """Plant a drift of every kind on a shadow server, and look whether it is told.

    Raises:
        BuildError: the server refuses the schema that is to drift.
        LookError: the server cannot be read.
    """
    found: list[Planted] = []
    async with server.scratch() as scratch, connect(scratch.admin) as session:
        await session.execute(dict(_read_blocks())[_SETUP])
        before = await take_snapshot(session)
        for kind, script in list_drifts():
            planted, before = await _plant(session, kind, script, before)
            found.append(planted)
    return found


async def _plant(
    session: Session, kind: Kind, script: str, before: Snapshot
) -> tuple[Planted, Snapshot]:
    try:
        await session.execute(script)
    except StatementFailed as error:
        return Planted(kind, is_seen=False, told=error.message), before
    after = await take_snapshot(session)
    changes = diff(before, after).changes
    told = "; ".join(f"{change.change} {change.key}" for change in changes)
    is_seen = any(change.key.kind is kind for change in changes)
    return Planted(kind, is_seen=is_seen, told=told or "nothing"), after
