"""What is known of the rows without a parent, one relation at a time, and what is told of it.

A count is kept until another one is whole: a scan of a large table goes on for several looks,
and what could not be counted is no zero.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from monitor.core.findings import Evidence, Finding, Severity
from monitor.core.relation import Origin, Relation
from monitor.core.relation_text import write_relation
from monitor.core.rule import Rule
from monitor.core.rules_data import (
    BROKEN_KEY,
    BROKEN_RELATION,
    ORPHANS,
    UNCOUNTED,
)

TOLD_AFTER: Final = 2
"""Looks in a row that could not count before people are told: the next one may well be able to."""

type Key = tuple[str | None, ...]
"""The values of a row's key, as text."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """A whole count.

    Attributes:
        orphans: rows without a parent.
        at: when it ended.
        is_momentary: whether all rows were looked at in one snapshot.
        samples: keys of some of them, where these may leave the database.
    """

    orphans: int
    at: datetime
    is_momentary: bool = True
    samples: tuple[Key, ...] = ()


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A count that goes on with the next look.

    Attributes:
        after: the key of the last row that was looked at.
        rows: how many were.
        orphans: how many of them have no parent.
        begun: when it began.
        key: the columns of the key with their types: another key begins another scan.
        is_private: whether ``after`` may not be written down: a key may be anything, an
            address of somebody. It is empty where it was left out therefore.
    """

    after: Key
    rows: int
    orphans: int
    begun: datetime
    key: tuple[str, ...] = ()
    is_private: bool = False


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a relation could not be counted.

    Attributes:
        code: a bounded word: ``refused``, ``too_slow``, ``missing``...
        message: one sentence for a person.
        next_step: what to do about it.
        is_expected: whether it is no surprise: nobody asked for this relation, and the role may
            only read the schema.
    """

    code: str
    message: str
    next_step: str
    is_expected: bool = False


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one relation.

    Attributes:
        relation: which.
        count: the last whole count; None before there was one.
        scan: a count that goes on.
        problem: why the last look could not count.
        failures: how many looks in a row could not.
        is_indexed: whether the parent can be searched by its columns.
        seen: orphans that a scan had seen that was begun anew: none of them is gone before a
            count is whole.
    """

    relation: Relation
    count: Count | None = None
    scan: Scan | None = None
    problem: Problem | None = None
    failures: int = 0
    is_indexed: bool = True
    seen: int = 0

    @property
    def orphans(self) -> int | None:
        """How many there are, at least; None where nobody has ever counted."""
        counts = [one.orphans for one in (self.count, self.scan) if one is not None]
        return max([*counts, self.seen]) if counts or self.seen else None

    @property
    def is_complete(self) -> bool:
        """Whether the last look has looked at every row."""
        return self.count is not None and self.scan is None and self.problem is None


def begin_tally(relation: Relation, before: Mapping[str, Tally]) -> Tally:
    """What is known of a relation when a look begins: nothing of one that is another by now."""
    known = before.get(name_relation(relation))
    if known is None or _strip(known.relation) != _strip(relation):
        return Tally(relation=relation)
    return msgspec.structs.replace(known, relation=relation)


def _strip(relation: Relation) -> Relation:
    """What is counted, whatever holds it."""
    return msgspec.structs.replace(relation, origin=Origin.CONFIGURED)


def name_relation(relation: Relation) -> str:
    """A name that no other relation of the database has."""
    key = relation.key
    return msgspec.json.encode((key.schema, key.parent, key.name)).decode()


def hide_keys(tally: Tally) -> Tally:
    """The tally as it may be written down."""
    if tally.scan is None or not tally.scan.is_private:
        return tally
    return msgspec.structs.replace(tally, scan=msgspec.structs.replace(tally.scan, after=()))


def restore_key(tally: Tally, scan: Scan | None) -> Tally:
    """The tally with the scan as it was before its key was hidden; begun anew without one."""
    if tally.scan is None or tally.scan.after:
        return tally
    if scan is not None and msgspec.structs.replace(scan, after=()) == tally.scan:
        return msgspec.structs.replace(tally, scan=scan)
    return drop_scan(tally)


def drop_scan(tally: Tally) -> Tally:
    """The tally without its scan, which is begun anew; what it had seen is not forgotten."""
    return msgspec.structs.replace(tally, scan=None, seen=tally.orphans or 0)


def conclude(tally: Tally, count: Count) -> Tally:
    """The tally after a whole count."""
    return msgspec.structs.replace(tally, count=count, scan=None, seen=0)


def forget_keys(tally: Tally) -> Tally:
    """The tally without keys of rows, where none may leave the database any more."""
    if tally.count is None or not tally.count.samples:
        return tally
    count = msgspec.structs.replace(tally.count, samples=())
    return msgspec.structs.replace(tally, count=count)


def is_due(
    relation: Relation, tally: Tally | None, at: datetime, validated_every: timedelta | None
) -> bool:
    """Whether a relation is counted now: a key that holds is counted seldom, or never."""
    if relation.origin is not Origin.VALIDATED:
        return True
    if tally is not None and tally.relation.origin is not relation.origin:
        return True
    if validated_every is None:
        return False
    if tally is None or tally.count is None or tally.scan is not None or tally.count.orphans:
        return True
    return at - tally.count.at >= validated_every


def summarise_tallies(tallies: Iterable[Tally]) -> str:
    """One sentence for a person."""
    listed = [*tallies]
    orphans = sum(tally.orphans or 0 for tally in listed)
    uncounted = sum(tally.problem is not None for tally in listed)
    scanning = sum(tally.scan is not None for tally in listed)
    noun = "relation" if len(listed) == 1 else "relations"
    said = f"{orphans} rows without a parent in {len(listed)} {noun}"
    said += f", {uncounted} of which cannot be counted" if uncounted else ""
    return said + (f", {scanning} of which take more than one look" if scanning else "")


def find_orphans(
    tallies: Iterable[Tally], *, environment: str, database: str
) -> tuple[Finding, ...]:
    """A finding for each relation with rows that have no parent, and for what nobody can count.

    What a role that may only read the schema cannot count is one remark for all.
    """
    listed = [*tallies]
    found = [_make_orphans(tally, environment, database) for tally in listed if tally.orphans]
    found += (
        _make_uncounted(tally, tally.problem, environment, database)
        for tally in listed
        if tally.problem is not None and not tally.problem.is_expected
    )
    hidden = [one.problem for one in listed if one.problem and one.problem.is_expected]
    if hidden:
        found.append(_make_hidden(hidden, environment, database))
    return tuple(sorted(found, key=lambda finding: finding.identity))


def _make_orphans(tally: Tally, environment: str, database: str) -> Finding:
    relation, count = tally.relation, tally.orphans or 0
    rule = _RULES[relation.origin]
    return Finding(
        code=rule.code,
        severity=rule.severity,
        environment=environment,
        database=database,
        key=relation.key,
        title=_describe(tally, count),
        evidence=(Evidence(name="orphan_rows", expected=0, actual=_round(count)),),
        remedy=f"anchorwatch orphans repair {database} --relation "
        f"{shlex.quote(write_relation(relation))} --strategy quarantine",
    )


def _make_uncounted(tally: Tally, problem: Problem, environment: str, database: str) -> Finding:
    relation, is_told = tally.relation, tally.failures >= TOLD_AFTER
    return Finding(
        code=UNCOUNTED.code,
        severity=UNCOUNTED.severity if is_told else Severity.INFO,
        environment=environment,
        database=database,
        key=relation.key,
        title=f"the rows of {_name(relation.child)} without a parent cannot be counted "
        f"({relation.name}): {problem.message}",
        evidence=(Evidence(name="reason", expected=None, actual=problem.code),),
        remedy=problem.next_step,
    )


def _make_hidden(hidden: Sequence[Problem], environment: str, database: str) -> Finding:
    count = len(hidden)
    noun = "one foreign key" if count == 1 else f"{count} foreign keys"
    return Finding(
        code=UNCOUNTED.code,
        severity=Severity.INFO,
        environment=environment,
        database=database,
        key=None,
        title=f"the rows of {noun} are not counted: this role may only read the schema",
        remedy=hidden[0].next_step,
    )


_RULES: Final[Mapping[Origin, Rule]] = {
    Origin.MISSING: ORPHANS,
    Origin.NOT_VALID: ORPHANS,
    Origin.NOT_ENFORCED: ORPHANS,
    Origin.VALIDATED: BROKEN_KEY,
    Origin.CONFIGURED: BROKEN_RELATION,
}

_REMARKS: Final[Mapping[Origin, str]] = {
    Origin.MISSING: ": the foreign key {name} is missing, and adding it would fail",
    Origin.NOT_VALID: ": the foreign key {name} is NOT VALID, and validating it would fail",
    Origin.NOT_ENFORCED: ": the foreign key {name} is NOT ENFORCED, and enforcing it would fail",
    Origin.VALIDATED: ", though the foreign key {name} is held for valid",
    Origin.CONFIGURED: "",
}


def _describe(tally: Tally, count: int) -> str:
    """As in `37 rows of public.orders have no row in public.users (user_id -> id)`."""
    relation = tally.relation
    at_least = "" if tally.is_complete else "at least "
    noun, verb = ("row", "has") if count == 1 else ("rows", "have")
    pairs = ", ".join(
        f"{own} -> {other}"
        for own, other in zip(relation.columns, relation.referenced, strict=True)
    )
    where = f" where {relation.where}" if relation.where else ""
    remark = _REMARKS[relation.origin].format_map({"name": relation.name})
    return (
        f"{at_least}{count} {noun} of {_name(relation.child)}{where} {verb} no row in "
        f"{_name(relation.parent)} ({pairs}){remark}{_write_samples(tally)}"
    )


def _name(table: tuple[str | None, str]) -> str:
    schema, name = table
    return f"{schema}.{name}"


def _write_samples(tally: Tally) -> str:
    samples = tally.count.samples if tally.count else ()
    keys = ", ".join("/".join(str(value) for value in key) for key in samples)
    return f"; among them {keys}" if keys else ""


def _round(count: int) -> str:
    """As in `32 or more` for 37: a few rows more or less are no news, twice as many are."""
    return f"{1 << (count.bit_length() - 1)} or more"
