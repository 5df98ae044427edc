"""Proving that texts which differ mean the same: a server reads both and writes them anew.

Only where a difference has such texts is a shadow started, one scratch for all texts of one
comparison, and what was proven once is remembered. What cannot be proven stays as it is; where
no server at hand could prove it, that is said.
"""

import asyncio
import hashlib
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import batched, islice
from typing import Final, NamedTuple

import msgspec

from monitor.core.difference import Difference, Note, add_notes
from monitor.core.doubts import Doubt, Place, Verdict, find_doubts, settle_doubts
from monitor.core.errors import AnchorwatchError, EngineError, StatementFailed, TooSlow
from monitor.core.probes import Play, list_equals, write_play
from monitor.core.respelt import Respelt, find_respelt
from monitor.core.script import split_script
from monitor.core.snapshot import Snapshot
from monitor.sources.build import BuildOptions
from monitor.sources.engine import SUPPORTED_MAJORS
from monitor.sources.extensions import admit_extensions
from monitor.sources.postgres import PINNED, Deadlines, Session, connect
from monitor.sources.shadow import Scratch
from monitor.sources.shadows import Shadows, open_shadows

BATCH: Final = 1000
"""Texts in one scratch: few schemas have more of them, and a failure loses no more than these."""
BATCH_SECONDS: Final = 120.0
"""The shadow of a slow machine makes twenty objects a second at the very least."""
STATEMENT_SECONDS: Final = 10.0
"""Making an empty object takes milliseconds, an extension like PostGIS some seconds."""
RETRY_SECONDS: Final = 600.0
"""How long a proof that failed on the way, not by its texts, is not tried again."""
MOST_REMEMBERED: Final = 10_000
"""Digests of 16 bytes: more texts than any fleet has doubts about at a time."""

_SETTINGS: Final = "; ".join(
    f"SET {name} = '{value}'" for name, value in (*PINNED, ("check_function_bodies", "off"))
)


class Spellings:
    """What is known of texts that differ, for the run of an agent or a command.

    Args:
        options: where shadows are made.
        shadows: servers that are there already; else one is started where it is needed, and
            stopped again.
    """

    def __init__(self, options: BuildOptions, shadows: Shadows | None = None) -> None:
        self._options = options
        self._shadows = shadows
        self._known: dict[bytes, _Known] = {}
        self._proving = asyncio.Lock()

    async def settle(
        self, expected: Snapshot, actual: Snapshot, difference: Difference
    ) -> Difference:
        """The difference, with texts that are proven to mean the same as notes.

        Raises nothing of ours: what cannot be proven stays a change.
        """
        doubts = find_doubts(difference)
        if not doubts:
            return difference
        major = _choose_major(expected, actual)
        known = await self._judge(expected, doubts, major)
        verdicts = {place: one.verdict for place, one in known.items()}
        settled = settle_doubts(difference, verdicts, major=major)
        return add_notes(settled, _note_failures(known.values()))

    async def find_renames(
        self, expected: Snapshot, actual: Snapshot, difference: Difference
    ) -> tuple[Respelt, ...]:
        """What is missing and unexpected in it, and proven to be renamed and respelled alone."""
        pairs = find_respelt(expected, actual, difference)
        doubts = [doubt for pair in pairs for doubt in pair.doubts]
        if not doubts:
            return pairs
        # All at once: what is settled later is tried on the same stage.
        everything = [*doubts, *find_doubts(difference)]
        known = await self._judge(expected, everything, _choose_major(expected, actual))
        equal = {place for place, one in known.items() if one.verdict is Verdict.EQUAL}
        return tuple(pair for pair in pairs if all(d.place in equal for d in pair.doubts))

    async def _judge(
        self, expected: Snapshot, doubts: Sequence[Doubt], major: int
    ) -> dict[Place, "_Known"]:
        """What is known of each text, tried out where it is not."""
        names = {doubt.place: _digest(expected, doubt, major) for doubt in doubts}
        async with self._proving:
            open_ones = [doubt for doubt in doubts if self._is_open(names[doubt.place])]
            if open_ones:
                self._remember(names, await self._prove(expected, open_ones, major))
            return {place: self._known[name] for place, name in names.items()}

    def _is_open(self, name: bytes) -> bool:
        known = self._known.get(name)
        return known is None or known.until < asyncio.get_running_loop().time()

    def _remember(self, names: Mapping[Place, bytes], known: Mapping[Place, "_Known"]) -> None:
        self._known |= {names[place]: one for place, one in known.items()}
        kept = max(MOST_REMEMBERED, len(names))
        for name in [*self._known][: max(0, len(self._known) - kept)]:
            del self._known[name]

    async def _prove(
        self, expected: Snapshot, doubts: Sequence[Doubt], major: int
    ) -> dict[Place, "_Known"]:
        """What can be known of each text, and for how long."""
        again = asyncio.get_running_loop().time() + RETRY_SECONDS
        known: dict[Place, _Known] = {}
        rest = _Known(Verdict.UNDECIDED, again)
        try:
            async with self._open() as shadows:
                reader = await shadows.find_reader(major)
                if reader is not None:
                    # An older server may not know what a newer one writes.
                    unequal = rest if reader < major else _Known(Verdict.DIFFERENT)
                    for batch in batched(doubts, BATCH):
                        equals = await _try_out(shadows, expected, batch, reader)
                        known |= {
                            doubt.place: _EQUAL if doubt.place in equals else unequal
                            for doubt in batch
                        }
        except EngineError as error:
            rest = _Known(Verdict.UNDECIDED, again, str(error))
        except AnchorwatchError as error:
            rest = _Known(Verdict.DIFFERENT, again, str(error))
        return {doubt.place: known.get(doubt.place, rest) for doubt in doubts}

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Shadows]:
        if self._shadows is not None:
            yield self._shadows
            return
        async with open_shadows(self._options) as shadows:
            yield shadows


def _choose_major(expected: Snapshot, actual: Snapshot) -> int:
    """Of the newer server of both."""
    majors = [side.server.major for side in (expected, actual) if side.server is not None]
    return max(majors, default=SUPPORTED_MAJORS[-1])


class _Known(NamedTuple):
    """A verdict, the moment of the loop's clock up to which it holds, and what went wrong."""

    verdict: Verdict
    until: float = math.inf
    failure: str = ""


_EQUAL: Final = _Known(Verdict.EQUAL)


def _note_failures(known: Iterable[_Known]) -> Iterator[Note]:
    failures = Counter(one.failure for one in known if one.failure)
    for failure, count in failures.items():
        yield Note(
            note="unproven",
            key=None,
            message=f"Whether {count} text{'s' if count > 1 else ''} differ in more than the "
            f"spelling could not be tried: {failure}",
        )


def _digest(expected: Snapshot, doubt: Doubt, major: int) -> bytes:
    """What a verdict depends on: the texts, and what they are read in."""
    seen = msgspec.json.encode((expected.fingerprint, major, doubt), order="deterministic")
    return hashlib.sha256(seen).digest()[:16]


async def _try_out(
    shadows: Shadows, expected: Snapshot, doubts: Sequence[Doubt], major: int
) -> frozenset[Place]:
    """Where both texts mean the same.

    Raises:
        AnchorwatchError: the shadow failed, or took too long.
    """
    play = await asyncio.to_thread(write_play, expected, doubts)

    async def perform(scratch: Scratch) -> None:
        await _perform(scratch, play)

    try:
        async with asyncio.timeout(BATCH_SECONDS) as scope:
            built = await shadows.build_at(perform, major=major)
    except TimeoutError:
        if not scope.expired():
            raise
        raise TooSlow(
            f'The shadow took longer than {BATCH_SECONDS:g} s (deadline "spellings").',
            next_step="They are tried again by themselves.",
        ) from None
    return list_equals(play, built)


async def _perform(scratch: Scratch, play: Play) -> None:
    """Make the stage and what is tried on it, as the builder; each statement by itself."""
    deadlines = Deadlines(script_seconds=STATEMENT_SECONDS)
    async with connect(scratch.dsn, deadlines=deadlines) as session:
        for statement in play.extensions:
            with suppress(StatementFailed):
                await session.execute(await admit_extensions(scratch, statement))
        await session.execute(_SETTINGS)
        for statement in play.statements:
            await _try(session, statement)


async def _try(session: Session, statement: str) -> None:
    """Run what is one statement indeed; one that is refused leaves its text unproven."""
    if len([*islice(split_script(statement), 2)]) == 1:
        with suppress(StatementFailed):
            await session.execute(statement)
