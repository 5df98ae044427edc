"""Looking for rows without a parent: small tables in one snapshot, large ones a chunk at a time.

A count that is not zero is counted again before it is told: between two reads a parent may come.
A large table is scanned in the order of its key, in chunks of which each is one snapshot; what
the budget of a look leaves over is looked at by the next one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from monitor.core.errors import LookError, Refused, TooSlow
from monitor.core.orphans import (
    Count,
    Problem,
    Scan,
    Tally,
    begin_tally,
    conclude,
    drop_scan,
    forget_keys,
)
from monitor.core.relation import Origin, Relation
from monitor.sources.dsn import Dsn
from monitor.sources.orphan_rows import (
    Chunk,
    Facts,
    Side,
    count_chunk,
    count_rows,
    describe_columns,
    is_harmless,
    read_facts,
    sample_keys,
)
from monitor.sources.postgres import Deadlines, Session, connect


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one look may do.

    Attributes:
        rows: of one relation that are looked at; the next look goes on.
        chunk: rows in one snapshot; tables with more than ten times as many are scanned.
        samples: keys that may be told; 0 where none may leave the database.
    """

    rows: int = 5_000_000
    chunk: int = 100_000
    samples: int = 0


_CHUNKS: Final = 10
"""A table of so many chunks is scanned: below that one snapshot is cheaper, and says more."""


async def count_orphans(  # noqa: PLR0913  # where, what, how far, and what is known
    dsn: Dsn,
    relations: Iterable[Relation],
    *,
    at: datetime,
    deadlines: Deadlines,
    limits: Limits,
    before: Mapping[str, Tally],
) -> tuple[Tally, ...]:
    """What is known of each relation after a look; what cannot be counted is a problem of its own.

    Args:
        dsn: the database.
        relations: what is counted.
        at: when the look began.
        deadlines: how long one statement may take.
        limits: how much the look may do.
        before: what was known, by `monitor.core.orphans.name_relation`.

    Raises:
        LookError: nobody can connect.
    """
    tallies = []
    lost: LookError | None = None
    async with connect(dsn, deadlines=deadlines) as session:
        for relation in relations:
            tally = begin_tally(relation, before)
            if not limits.samples:
                tally = forget_keys(tally)
            try:
                if lost is not None:
                    raise lost
                tallies.append(await _Counting(session, limits, at).count(tally))
            except LookError as error:
                tallies.append(_fail(tally, _explain(error, relation, is_lost=session.is_closed)))
                lost = error if session.is_closed else None
    return tuple(tallies)


def _fail(tally: Tally, problem: Problem) -> Tally:
    return msgspec.structs.replace(tally, problem=problem, failures=tally.failures + 1)


def _explain(error: LookError, relation: Relation, *, is_lost: bool = False) -> Problem:
    """Why it cannot be counted; a condition of the configuration is the first suspect."""
    message, step = error.message, error.next_step
    if relation.where and not is_lost and not isinstance(error, Refused | TooSlow):
        message = "The condition of the relation cannot be used, or the schema changed."
        step = f"Check the condition, where: {relation.where}"
    is_expected = isinstance(error, Refused) and relation.origin is not Origin.CONFIGURED
    return Problem(code=error.code, message=message, next_step=step, is_expected=is_expected)


class _Counting:
    """One look at one relation."""

    def __init__(self, session: Session, limits: Limits, at: datetime) -> None:
        self._session = session
        self._limits = limits
        self._at = at

    async def count(self, tally: Tally) -> Tally:
        """The tally after the look; raises LookError where it could not look."""
        relation = tally.relation
        async with self._session.reading() as reader:
            facts = await read_facts(reader, relation)
        problem = find_problem(relation, facts, self._limits)
        if problem is not None:
            return _fail(tally, problem)
        tally = msgspec.structs.replace(
            tally, problem=None, failures=0, is_indexed=facts.is_indexed
        )
        if _is_scanned(facts, self._limits):
            return await self._scan(tally, facts)
        orphans = await self._count_at_once(relation, facts)
        if orphans:
            orphans = await self._count_at_once(relation, facts)
        samples: tuple[tuple[str | None, ...], ...] = ()
        if orphans and self._limits.samples:
            samples = await self._sample(relation, facts, self._limits.samples)
        count = Count(orphans=orphans, at=self._at, samples=samples)
        return conclude(tally, count)

    async def _count_at_once(self, relation: Relation, facts: Facts) -> int:
        async with self._session.reading() as reader:
            return await count_rows(reader, relation, facts)

    async def _scan(self, tally: Tally, facts: Facts) -> Tally:
        """Go on with the scan, to the end of the table or of the budget.

        What it has seen before something goes wrong is kept.
        """
        limits, key = self._limits, describe_columns(facts.key)
        if tally.scan is not None and tally.scan.key != key:
            tally = drop_scan(tally)
        looked = 0
        while looked < limits.rows:
            try:
                chunk = await self._read_chunk(tally, facts)
            except LookError as error:
                return _fail(tally, _explain(error, tally.relation))
            looked += chunk.rows
            is_private = not limits.samples and not is_harmless(facts.key)
            scan = _advance(tally.scan, chunk, self._at, key=key, is_private=is_private)
            tally = msgspec.structs.replace(tally, scan=scan)
            if chunk.rows < limits.chunk:
                return await self._conclude(tally, facts)
        return tally

    async def _read_chunk(self, tally: Tally, facts: Facts) -> Chunk:
        after = tally.scan.after if tally.scan else None
        async with self._session.reading() as reader:
            chunk = await count_chunk(
                reader, tally.relation, facts, after=after, limit=self._limits.chunk
            )
        if after is not None and chunk.last == after:
            raise LookError(
                f"The rows of {_write(tally.relation.child)} cannot be read in the order of "
                "their key.",
                next_step="Please report the type of its key.",
            )
        return chunk

    async def _conclude(self, tally: Tally, facts: Facts) -> Tally:
        """The scan is whole; what it found is confirmed by keys that are orphans still.

        Where that takes too long, what was counted a moment ago stands.
        """
        orphans = tally.scan.orphans if tally.scan else 0
        samples: tuple[tuple[str | None, ...], ...] = ()
        if orphans:
            try:
                samples = await self._sample(tally.relation, facts, max(self._limits.samples, 1))
            except TooSlow:
                pass
            else:
                orphans = orphans if samples else 0
        count = Count(
            orphans=orphans,
            at=self._at,
            is_momentary=False,
            samples=samples[: self._limits.samples],
        )
        return conclude(tally, count)

    async def _sample(
        self, relation: Relation, facts: Facts, limit: int
    ) -> tuple[tuple[str | None, ...], ...]:
        async with self._session.reading() as reader:
            return await sample_keys(reader, relation, facts, limit=limit)


def _advance(
    scan: Scan | None, chunk: Chunk, at: datetime, *, key: tuple[str, ...], is_private: bool
) -> Scan | None:
    if chunk.last is None:
        return scan
    return Scan(
        after=chunk.last,
        rows=chunk.rows + (scan.rows if scan else 0),
        orphans=chunk.orphans + (scan.orphans if scan else 0),
        begun=scan.begun if scan else at,
        key=key,
        is_private=is_private,
    )


def _is_scanned(facts: Facts, limits: Limits) -> bool:
    return bool(facts.key) and _estimate(facts) > limits.chunk * _CHUNKS


def _estimate(facts: Facts) -> float:
    return facts.child.rows if facts.child else 0


def find_problem(relation: Relation, facts: Facts, limits: Limits) -> Problem | None:
    """Why it cannot be counted, as far as the catalog tells."""
    for table, side in ((relation.child, facts.child), (relation.parent, facts.parent)):
        if (problem := _find_absence(table, side, relation)) is not None:
            return problem
    for place, pair in enumerate(facts.pairs):
        for is_there, table, columns in (
            (pair.child, relation.child, relation.columns),
            (pair.parent, relation.parent, relation.referenced),
        ):
            if not is_there:
                name = columns[place]
                return _miss(f"The table {_write(table)} has no column {name}.", relation)
        if pair.operator is None:
            return Problem(
                code="not_comparable",
                message=f"Values of the column {relation.referenced[place]} of "
                f"{_write(relation.parent)} cannot be compared.",
                next_step="Relate columns of a type that has an order.",
            )
    if not facts.key and _estimate(facts) > limits.rows:
        return Problem(
            code="too_large",
            message=f"{_write(relation.child)} has about {_estimate(facts):.0f} rows, more than "
            f"one look may read, and no key by which it could be read in parts.",
            next_step="Give it a primary key, or raise `rows` of `orphans`.",
        )
    return None


def _find_absence(
    table: tuple[str | None, str], side: Side | None, relation: Relation
) -> Problem | None:
    if side is None:
        return _miss(f"There is no table {_write(table)}.", relation)
    if side.readable:
        return None
    return Problem(
        code=Refused.code,
        message=f"This role may not read {_write(table)}.",
        next_step="`anchorwatch grants --level 3` prints what lets it read rows.",
        is_expected=relation.origin is not Origin.CONFIGURED,
    )


def _miss(message: str, relation: Relation) -> Problem:
    if relation.origin is Origin.CONFIGURED:
        return Problem(
            code="missing",
            message=message,
            next_step="Correct the relation in the configuration: names are written as they "
            "are, with their schema where it is not public.",
        )
    return Problem(code="missing", message=message, next_step="Look again: the schema changed.")


def _write(table: tuple[str | None, str]) -> str:
    schema, name = table
    return f"{schema}.{name}"
