"""What differs between what is expected and what is: values that the comparison returns."""

import hashlib
from collections.abc import Iterable

import msgspec

from monitor.core.findings import Evidence, Severity
from monitor.core.keys import ObjectKey
from monitor.core.rules import ChangeKind, choose_rule
from monitor.core.snapshot import SchemaObject


class Change(msgspec.Struct, frozen=True):
    """One object that is missing, unexpected or altered.

    Attributes:
        change: which of the three.
        key: the object, by its expected name.
        attributes: what differs; of a missing or unexpected object all that is
            known about it.
        code: the rule.
        severity: how bad it is.
        contains: how many objects that belong to it are missing or unexpected
            with it, and are not listed on their own.
        parts: these objects, as far as they are its own: not what is in partitions, which
            come and go.
        undecided: the major version of a server that could tell whether more than the
            spelling differs, where none is at hand; None where that is known.
    """

    change: ChangeKind
    key: ObjectKey
    attributes: tuple[Evidence, ...]
    code: str
    severity: Severity
    contains: int = 0
    parts: tuple[SchemaObject, ...] = ()
    undecided: int | None = None

    @property
    def inside(self) -> str:
        """What of it is not listed, in a digest, so that a change of it can be noticed."""
        if not self.parts:
            return ""
        ordered = sorted(self.parts, key=lambda part: part.key.order)
        return hashlib.sha256(msgspec.json.encode(ordered, order="deterministic")).hexdigest()[:16]


def keep_evidence(change: Change, left: tuple[Evidence, ...]) -> Change:
    """The change with a part of its evidence, under the rule for what is left."""
    if left == change.attributes or change.undecided is not None:
        return msgspec.structs.replace(change, attributes=left)
    rule = choose_rule(change.key.kind, "altered", frozenset(e.name for e in left))
    return msgspec.structs.replace(change, attributes=left, code=rule.code, severity=rule.severity)


class Note(msgspec.Struct, frozen=True):
    """A difference that is not drift.

    Attributes:
        note: a bounded word: ``column_order``, ``spelling``, ``unstable``, ``unproven``,
            ``not_modelled``, ``left_out``, ``partition``, ``owner``, ``public``,
            ``unlogged``, ``other_major``.
        key: the object, or None for the database as a whole.
        message: one sentence for a person.
    """

    note: str
    key: ObjectKey | None
    message: str


class Difference(msgspec.Struct, frozen=True):
    """All that differs between what is expected and what is, sorted by object."""

    changes: tuple[Change, ...]
    notes: tuple[Note, ...]

    def __bool__(self) -> bool:
        """Whether there is any change; notes do not count."""
        return bool(self.changes)


def sort_difference(difference: Difference) -> Difference:
    """The same, in the one order that the same things are always told in."""
    return Difference(
        changes=tuple(sorted(difference.changes, key=lambda c: (c.key.order, c.change, c.code))),
        notes=sort_notes(difference.notes),
    )


def sort_notes(notes: Iterable[Note]) -> tuple[Note, ...]:
    """The notes by object."""
    return tuple(sorted(notes, key=lambda n: (n.key.order if n.key else (), n.note, n.message)))


def add_notes(difference: Difference, notes: Iterable[Note]) -> Difference:
    """The difference with more notes."""
    return Difference(difference.changes, sort_notes([*difference.notes, *notes]))
