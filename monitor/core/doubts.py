"""Texts that differ and may still mean the same: found in a difference, settled there.

A doubt is settled by a server that reads both texts. Without one it stays in the difference
as information: neither a false alarm nor silence.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from monitor.core.diff import note_spelling
from monitor.core.difference import Change, Difference, Note, keep_evidence, sort_notes
from monitor.core.findings import Evidence
from monitor.core.keys import ObjectKey
from monitor.core.kinds import Value
from monitor.core.rules import SPELLING
from monitor.core.spelling import may_be_synonyms

type Place = tuple[ObjectKey, str]
"""Where a text stands: an object and an attribute."""


class Doubt(NamedTuple):
    """Two texts of one object that only a server can tell apart."""

    key: ObjectKey
    attribute: str
    wanted: Value
    found: Value

    @property
    def place(self) -> Place:
        """Where they stand."""
        return self.key, self.attribute


class Verdict(StrEnum):
    """What is known of two texts.

    DIFFERENT is also what could not be proven: drift is never hidden because a proof
    failed. UNDECIDED is what no server at hand can tell.
    """

    EQUAL = "equal"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


def find_doubts(difference: Difference) -> tuple[Doubt, ...]:
    """Every pair of texts in it that only a server can tell apart."""
    return tuple(
        Doubt(change.key, evidence.name, evidence.expected, evidence.actual)
        for change in difference.changes
        if change.change == "altered"
        for evidence in change.attributes
        if may_be_synonyms(change.key.kind, evidence.name, evidence.expected, evidence.actual)
    )


def settle_doubts(
    difference: Difference, verdicts: Mapping[Place, Verdict], *, major: int
) -> Difference:
    """The difference with what is known by now.

    Args:
        difference: what differs.
        verdicts: what is not among them differs.
        major: of a server that could tell what is undecided.
    """
    changes: list[Change] = []
    notes: list[Note] = list(difference.notes)
    for change in difference.changes:
        known = {e.name: verdicts.get((change.key, e.name)) for e in change.attributes}
        notes += _note_equals(change, known)
        settled = _settle(change, known, major)
        if settled is not None:
            changes.append(settled)
    return Difference(changes=tuple(changes), notes=sort_notes(notes))


def _note_equals(change: Change, known: Mapping[str, Verdict | None]) -> Iterator[Note]:
    for name, verdict in known.items():
        if verdict is Verdict.EQUAL:
            yield note_spelling(change.key, name)


def _settle(change: Change, known: Mapping[str, Verdict | None], major: int) -> Change | None:
    """The change without what is equal; None when nothing is left of it."""
    left = tuple(e for e in change.attributes if known[e.name] is not Verdict.EQUAL)
    if not left:
        return None
    if all(known[e.name] is Verdict.UNDECIDED for e in left):
        return _doubt(change, left, major)
    return keep_evidence(change, left)


def _doubt(change: Change, left: tuple[Evidence, ...], major: int) -> Change:
    return msgspec.structs.replace(
        change,
        attributes=left,
        code=SPELLING.code,
        severity=SPELLING.severity,
        undecided=major,
    )
