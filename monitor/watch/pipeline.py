"""One look at one database, from top to bottom: read this file first.

    load what is remembered -> look -> step -> ONE transaction -> tell

Nothing else calls across these. A retry, a restart or a second agent
re-enters at a row of the ledger, never in the middle of a function.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from monitor.checks.history import has_tables
from monitor.core.checkup import CheckRecord, advance_check, keep_known
from monitor.core.errors import AnchorwatchError, DamagedFile, LookError
from monitor.core.fault import locate_fault
from monitor.core.findings import FindingClass
from monitor.core.flapping import WITHIN
from monitor.core.incidents import Event, Incident, Status
from monitor.core.patience import Policy
from monitor.core.record import Record, advance
from monitor.core.snapshot import Snapshot, dump_snapshot, load_snapshot
from monitor.core.step import step
from monitor.sinks.store import Decision, Store
from monitor.watch.bulkhead import contain
from monitor.watch.checkup import Checkup, fail_check
from monitor.watch.inspection import begin_look, finish_look, read_database
from monitor.watch.reports import fail_look, report_failure
from monitor.watch.target import Look, Target, add_locks

_log = structlog.get_logger()


class Decided(NamedTuple):
    """What a look came to, once it is written.

    Attributes:
        record: the database as the look left it.
        snapshot: the schema, if it was read.
        is_superuser: whether the role that read it may do anything.
        unresolved: the incidents that go on.
        incidents: those that the look made or changed.
        events: what is to be told.
    """

    record: Record
    snapshot: Snapshot | None
    is_superuser: bool
    unresolved: Mapping[FindingClass, Incident]
    incidents: tuple[Incident, ...]
    events: tuple[Event, ...]


class Checked(NamedTuple):
    """What a check came to, once it is written; the fields of `Decided` that it has."""

    record: CheckRecord
    unresolved: Mapping[FindingClass, Incident]
    incidents: tuple[Incident, ...]
    events: tuple[Event, ...]


class _Seen(NamedTuple):
    """A look, and the snapshot that is the baseline from now on, if it is another one."""

    look: Look
    baseline: Snapshot | None


class Pipeline(msgspec.Struct, frozen=True):
    """Everything a look needs besides its target.

    Attributes:
        store: the ledger.
        policy: how patient to be.
        channels: names of the channels that every event goes to.
        on_fault: told of an exception that nobody expected.
    """

    store: Store
    policy: Policy
    channels: tuple[str, ...]
    on_fault: Callable[[BaseException], None]

    async def look(self, target: Target, at: datetime) -> Decided | None:
        """Look at ``target`` once; None when another agent decided meanwhile.

        Raises:
            StoreError: the ledger could not be read or written: nothing was
                decided, so the next look decides.
        """
        before = await self.store.load(target.environment, target.database)
        target = await self._add_acceptances(target)
        target = await add_locks(target, at)
        seen = await self._see(target, at, before)
        return await self._decide(before, seen, deployed_at=target.deployed_at)

    async def fail(
        self, environment: str, database: str, at: datetime, error: AnchorwatchError
    ) -> Decided | None:
        """The same where nobody can look, as `error` says: unknown is never fine.

        Raises:
            StoreError: as for `look`.
        """
        before = await self.store.load(environment, database)
        look = Look(report_failure(environment, database, at, error), None)
        return await self._decide(before, _Seen(look, None))

    async def check(self, checkup: Checkup, at: datetime) -> Checked | None:
        """Do one check of a database; None when another agent did meanwhile.

        Raises:
            StoreError: as for `look`.
        """
        place = checkup.environment, checkup.database
        before = await self.store.load_check(*place, checkup.check)
        accepted = await self.store.list_acceptances(*place)
        report = await contain(
            checkup.run(at, before),
            instead=lambda error: fail_check(checkup, at, error),
            on_fault=partial(self._tell_fault, checkup.database),
        )
        report = keep_known(before, report)
        waivers = msgspec.structs.replace(checkup.waivers, acceptances=tuple(accepted))
        judged = waivers.judge(report.findings, at)
        report = msgspec.structs.replace(
            report, findings=judged.told, ignored=judged.ignored, accepted=judged.accepted
        )
        record = advance_check(before, report)
        unresolved, ended = await self.store.load_recent(*place, at - WITHIN)
        decided = step(
            unresolved, report, policy=self.policy, is_first_look=before is None, ended=ended
        )
        decision = Decision(
            record=record,
            looks_before=before.looks if before else None,
            incidents=decided.incidents,
            events=decided.events,
            channels=self.channels,
        )
        if not await self.store.commit(decision):
            _log.info("another agent checked at the same moment", database=checkup.database)
            return None
        left = _list_unresolved(unresolved, decided.incidents)
        return Checked(record, left, decided.incidents, decided.events)

    async def _decide(
        self, before: Record | None, seen: _Seen, *, deployed_at: datetime | None = None
    ) -> Decided | None:
        """What follows from a look, written in one transaction."""
        look, chosen = seen
        report = look.report
        record = advance(
            before,
            report,
            policy=self.policy,
            baseline=chosen.fingerprint if chosen else None,
            deployed_at=deployed_at,
        )
        unresolved, ended = await self.store.load_recent(
            report.environment, report.database, report.at - WITHIN
        )
        decided = step(
            unresolved,
            report,
            policy=self.policy,
            window_until=record.window_until,
            baseline_since=record.baseline_since,
            is_first_look=before is None,
            ended=ended,
        )
        decision = Decision(
            record=record,
            looks_before=before.looks if before else None,
            incidents=decided.incidents,
            events=decided.events,
            channels=self.channels,
            snapshot=await _write_down(chosen) if chosen else None,
        )
        if not await self.store.commit(decision):
            _log.info("another agent looked at the same moment", database=report.database)
            return None
        return Decided(
            record,
            look.snapshot,
            look.is_superuser,
            _list_unresolved(unresolved, decided.incidents),
            decided.incidents,
            decided.events,
        )

    async def _add_acceptances(self, target: Target) -> Target:
        accepted = await self.store.list_acceptances(target.environment, target.database)
        waivers = msgspec.structs.replace(target.waivers, acceptances=tuple(accepted))
        return msgspec.structs.replace(target, waivers=waivers)

    async def _see(self, target: Target, at: datetime, before: Record | None) -> _Seen:
        """What is there, and what it is compared with from now on."""
        baseline = await self._load_baseline(target, before)
        return await contain(
            self._inspect(target, at, before, baseline),
            instead=lambda error: _Seen(fail_look(target, at, error), None),
            on_fault=partial(self._tell_fault, target.database),
        )

    async def _inspect(
        self, target: Target, at: datetime, before: Record | None, baseline: Snapshot | None
    ) -> _Seen:
        last = before.report if before else None
        look = await begin_look(target, at, before=last)
        chosen = await self._choose_baseline(target, before, look, baseline=baseline)
        after = advance(before, look.report, policy=self.policy, deployed_at=target.deployed_at)
        look = await finish_look(
            target, look, baseline=chosen or baseline, before=last, move=after.move
        )
        return _Seen(look, chosen)

    def _tell_fault(self, database: str, error: Exception) -> None:
        self.on_fault(error)
        _log.error(
            "a look failed in a way nobody foresaw", database=database, fault=locate_fault(error)
        )

    async def _load_baseline(self, target: Target, before: Record | None) -> Snapshot | None:
        if target.has_expectation or before is None or before.baseline is None:
            return None
        blob = await self.store.load_snapshot_blob(before.baseline)
        # One that an older release wrote can be none any more: then a new one is taken.
        with suppress(DamagedFile):
            if blob is not None:
                place = "the baseline in the ledger"
                return await asyncio.to_thread(load_snapshot, blob, place=place)
        _log.warning("the baseline is lost, a new one is taken", database=target.database)
        return None

    async def _choose_baseline(
        self, target: Target, before: Record | None, look: Look, *, baseline: Snapshot | None
    ) -> Snapshot | None:
        """The snapshot that becomes the expectation where nothing else is expected.

        The first one that is settled, that is seen twice alike; a database
        without tables has none yet. When the stamp moves, the baseline goes
        along with whatever changes until the deploy window ends: what a
        deployment does is meant to be, and nobody is told of it. Drift that
        was there when the deployment came is taken along too, for nothing
        says what of it the deployment meant: its incident ends with the window,
        and the message says that the baseline moved, not that it was repaired.
        """
        snapshot = look.snapshot
        if target.has_expectation or snapshot is None or not has_tables(snapshot):
            return None
        if before is None or baseline is None:
            is_settled = await _is_settled(target, snapshot, look.report.at)
            return snapshot if is_settled else None
        after = advance(before, look.report, policy=self.policy, deployed_at=target.deployed_at)
        in_window = after.window_until is not None and look.report.at < after.window_until
        return snapshot if in_window and baseline.fingerprint != snapshot.fingerprint else None


def _list_unresolved(
    before: Mapping[FindingClass, Incident], changed: tuple[Incident, ...]
) -> dict[FindingClass, Incident]:
    after = {**before, **{incident.finding_class: incident for incident in changed}}
    return {c: incident for c, incident in after.items() if incident.status is not Status.RESOLVED}


async def _write_down(snapshot: Snapshot) -> tuple[str, bytes]:
    """Fingerprint and bytes; away from the event loop, for a schema may be large."""
    return snapshot.fingerprint, await asyncio.to_thread(dump_snapshot, snapshot)


async def _is_settled(target: Target, snapshot: Snapshot, at: datetime) -> bool:
    """Whether a second read, at once, sees the same."""
    try:
        again = await read_database(target, at)
    except LookError:
        return False
    return again.snapshot.fingerprint == snapshot.fingerprint
