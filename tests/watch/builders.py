"""A watch over one real database with a real ledger, and time that the test tells."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from monitor.core.checkup import CheckName
from monitor.core.errors import AnchorwatchError
from monitor.core.incidents import EventKind
from monitor.core.patience import DEFAULT_POLICY
from monitor.core.source import Scheme, parse_source
from monitor.core.verdict import State
from monitor.core.waivers import IgnoreRule, Waivers
from monitor.sinks.store import Store, open_store
from monitor.sources.dsn import parse_dsn
from monitor.sources.expected import BuildOptions
from monitor.sources.postgres import DEADLINES
from monitor.watch.checkup import Checkup
from monitor.watch.expectation import Expectations, LateLock
from monitor.watch.kept_locks import KeptLocks
from monitor.watch.memory import Memory
from monitor.watch.orphans import OrphanCheck
from monitor.watch.pipeline import Checked, Decided, Pipeline
from monitor.watch.target import Target

START = datetime(2026, 1, 1, tzinfo=UTC)
SHORT = replace(DEADLINES, connect_seconds=2.0, close_seconds=0.5)


class Watch:
    """Looks at one database at the minutes that the test says.

    Attributes:
        kinds: of every event so far.
        faults: exceptions that nobody expected.
    """

    def __init__(
        self, url: str, store: Store, expectations: Expectations, shadow: str | None
    ) -> None:
        self.url = url
        self.store = store
        self.kinds: list[EventKind] = []
        self.faults: list[BaseException] = []
        self._memory = Memory()
        self._expectations = expectations
        self._expected: str | None = None
        self.kept: KeptLocks | None = None
        self._options = BuildOptions(shadow_url=shadow)
        self._waivers = Waivers()
        self.pipeline = Pipeline(
            store=store,
            policy=DEFAULT_POLICY,
            channels=("chat",),
            on_fault=self.faults.append,
        )

    def expect(self, source: str | None, *, commit: str = "") -> None:
        """Compare with this from now on."""
        self._expected = source
        self._options = replace(self._options, commit=commit)

    def find_lock(self) -> LateLock:
        """Where what is expected is, when that is a lock."""
        return self._expectations.find_lock(parse_source(self._expected or ""), self._options)

    def ignore(self, *rules: IgnoreRule) -> None:
        """Ignore by these rules from now on."""
        self._waivers = Waivers(rules=rules)

    @property
    def target(self) -> Target:
        """What is looked at."""
        expectation, locks = None, None
        source = parse_source(self._expected) if self._expected else None
        if source is not None and source.scheme is Scheme.LOCK:
            locks = self.find_lock()
        elif source is not None:
            expectation = self._expectations.find(source, self._options)
        return Target(
            environment="test",
            database="app",
            dsn=parse_dsn(self.url)[0],
            deadlines=SHORT,
            expectation=expectation,
            locks=locks,
            kept=self.kept,
            spellings=self._expectations.find_spellings(self._options),
            memory=self._memory,
            waivers=self._waivers,
        )

    async def look(self, minutes: float) -> Decided:
        """One look, so many minutes after the start."""
        at = START + timedelta(minutes=minutes)
        return await self._follow(self.pipeline.look(self.target, at))

    async def count(
        self, minutes: float, check: OrphanCheck, *, target: Target | None = None
    ) -> Checked:
        """One check for rows without a parent."""
        at, target = START + timedelta(minutes=minutes), target or self.target
        checkup = Checkup(
            "test",
            "app",
            CheckName.ORPHANS,
            lambda at, before: check.run(target, at, before),
            target.waivers,
        )
        checked = await self.pipeline.check(checkup, at)
        assert checked is not None
        self.kinds += [event.kind for event in checked.events]
        return checked

    async def break_down(self, minutes: float, error: AnchorwatchError) -> Decided:
        """What a look comes to where nobody can even try one."""
        at = START + timedelta(minutes=minutes)
        return await self._follow(self.pipeline.fail("test", "app", at, error))

    async def _follow(self, look: Awaitable[Decided | None]) -> Decided:
        decided = await look
        assert decided is not None
        self.kinds += [event.kind for event in decided.events]
        return decided

    async def see(self, minutes: float) -> State:
        """The state that one look finds."""
        return (await self.look(minutes)).record.state

    async def run(self, sql: str) -> None:
        """Change the database."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@asynccontextmanager
async def opened_watch(
    url: str, ledger: Path, *, shadow: str | None = None
) -> AsyncIterator[Watch]:
    """A watch on a ledger that stays when it is closed; a given shadow spares starting one."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(f"sqlite:///{ledger}"))
        yield Watch(url, store, Expectations(stack), shadow)


async def until(check: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Return once something holds."""
    async with asyncio.timeout(seconds):
        while not check():  # noqa: ASYNC110  # what others do sets no event of ours
            await asyncio.sleep(0.01)
