"""One keyed comparison of two snapshots, whatever the kind of object.

Differences that are not drift (the order of columns, privileges that nobody
declared) are notes, apart from the changes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from monitor.core.diff_renames import follow_renames, match_renames
from monitor.core.findings import Evidence, Severity
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.rules import ChangeKind, choose_rule
from monitor.core.snapshot import SchemaObject, Snapshot
from monitor.core.spelling import are_synonyms

_WHOLES: Final = frozenset(
    {
        Kind.TABLE,
        Kind.FOREIGN_TABLE,
        Kind.VIEW,
        Kind.MATERIALIZED_VIEW,
        Kind.COMPOSITE,
        Kind.DOMAIN,
        Kind.FOREIGN_SERVER,
    }
)
"""Kinds that have parts; no two of them share a name in one schema."""


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
        inside: a digest of these objects; empty when there are none.
        undecided: the major version of a server that could tell whether more than the
            spelling differs, where none is at hand; None where that is known.
    """

    change: ChangeKind
    key: ObjectKey
    attributes: tuple[Evidence, ...]
    code: str
    severity: Severity
    contains: int = 0
    inside: str = ""
    undecided: int | None = None


class Note(msgspec.Struct, frozen=True):
    """A difference that is not drift.

    Attributes:
        note: a bounded word: ``column_order``, ``spelling``, ``undeclared``,
            ``unstable``, ``unproven``, ``not_modelled``, ``other_major``.
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


def diff(expected: Snapshot, actual: Snapshot) -> Difference:
    """What has to be said about ``actual`` where ``expected`` was promised."""
    missing = _pick(expected, without=actual)
    unexpected = _pick(actual, without=expected)
    renames = match_renames(missing.values(), unexpected.values())
    for old, new in renames:
        del missing[old.key], unexpected[new.key]
    changes = [
        *_report_absent("missing", missing),
        *_report_absent("unexpected", unexpected),
        *(_report_rename(old, new) for old, new in renames),
    ]
    notes = list(_compare_others(expected, actual))
    known_as = {old.key: new.key.name for old, new in renames}
    for item in expected.objects:
        other = actual.by_key.get(item.key)
        if other is not None and other.attributes != item.attributes:
            followed = follow_renames(item, known_as)
            altered, remarks = _compare(followed, other, expected=expected, actual=actual)
            changes.extend(altered)
            notes.extend(remarks)
    return Difference(
        changes=tuple(sorted(changes, key=lambda c: (c.key.order, c.change))),
        notes=sort_notes(notes),
    )


def sort_notes(notes: Iterable[Note]) -> tuple[Note, ...]:
    """The notes by object."""
    return tuple(sorted(notes, key=lambda n: (n.key.order if n.key else (), n.note, n.message)))


def add_notes(difference: Difference, notes: Iterable[Note]) -> Difference:
    """The difference with more notes."""
    return Difference(difference.changes, sort_notes([*difference.notes, *notes]))


def keep_evidence(change: Change, left: tuple[Evidence, ...]) -> Change:
    """The change with a part of its evidence, under the rule for what is left."""
    if left == change.attributes or change.undecided is not None:
        return msgspec.structs.replace(change, attributes=left)
    rule = choose_rule(change.key.kind, "altered", frozenset(e.name for e in left))
    return msgspec.structs.replace(change, attributes=left, code=rule.code, severity=rule.severity)


def _pick(snapshot: Snapshot, *, without: Snapshot) -> dict[ObjectKey, SchemaObject]:
    known = without.by_key
    return {key: item for key, item in snapshot.by_key.items() if key not in known}


def _report_rename(old: SchemaObject, new: SchemaObject) -> Change:
    rule = choose_rule(old.key.kind, "altered", frozenset({"name"}))
    evidence = Evidence(name="name", expected=old.key.name, actual=new.key.name)
    return Change(
        change="altered",
        key=old.key,
        attributes=(evidence,),
        code=rule.code,
        severity=rule.severity,
    )


def _report_absent(
    change: ChangeKind, items: Mapping[ObjectKey, SchemaObject]
) -> Iterator[Change]:
    """One change for each object that is on one side only, its parts counted with it."""
    owners = {(key.schema, key.name): key for key in items if key.kind in _WHOLES}
    parts: dict[ObjectKey, list[SchemaObject]] = defaultdict(list)
    tops: list[SchemaObject] = []
    for item in items.values():
        whole = _find_whole(item, items, owners)
        if whole is None:
            tops.append(item)
        else:
            parts[whole].append(item)
    for item in tops:
        rule = choose_rule(item.key.kind, change, frozenset())
        yield Change(
            change=change,
            key=item.key,
            attributes=tuple(_list_evidence(change, item)),
            code=rule.code,
            severity=rule.severity,
            contains=len(parts[item.key]),
            inside=_digest_parts(parts[item.key]),
        )


def _digest_parts(parts: list[SchemaObject]) -> str:
    """What of an object is not listed, so that a change of it can be noticed all the same."""
    if not parts:
        return ""
    ordered = sorted(parts, key=lambda item: item.key.order)
    return hashlib.sha256(msgspec.json.encode(ordered, order="deterministic")).hexdigest()[:16]


def _find_whole(
    item: SchemaObject,
    items: Mapping[ObjectKey, SchemaObject],
    owners: Mapping[tuple[str | None, str], ObjectKey],
) -> ObjectKey | None:
    """The table, view, domain, server or column that is gone as well, and took it along."""
    key = item.key
    if key.kind is Kind.SEQUENCE:
        owner = item.attributes.get("owned_by")
        if not isinstance(owner, list):
            return None
        schema, table, column = owner
        mother = ObjectKey(kind=Kind.COLUMN, schema=schema, parent=table, name=column)
        return owners.get((schema, table)) or (mother if mother in items else None)
    if key.parent is None:
        return None
    schema = item.attributes.get("table_schema") if key.kind is Kind.STATISTICS else None
    return owners.get((schema if isinstance(schema, str) else key.schema, key.parent))


def _list_evidence(change: ChangeKind, item: SchemaObject) -> Iterator[Evidence]:
    for name, value in sorted(item.attributes.items()):
        if change == "missing":
            yield Evidence(name=name, expected=value, actual=None)
        else:
            yield Evidence(name=name, expected=None, actual=value)


def _compare(
    item: SchemaObject, other: SchemaObject, *, expected: Snapshot, actual: Snapshot
) -> tuple[list[Change], list[Note]]:
    evidence: list[Evidence] = []
    notes: list[Note] = []
    for name in sorted(item.attributes.keys() | other.attributes.keys()):
        wanted, found = item.get(name), other.get(name)
        if wanted == found:
            continue
        excuse = _excuse(item, name, other, expected=expected, actual=actual)
        if excuse is None:
            evidence.append(Evidence(name=name, expected=wanted, actual=found))
        else:
            notes.extend(excuse)
    if not evidence:
        return [], notes
    rule = choose_rule(item.key.kind, "altered", frozenset(e.name for e in evidence))
    change = Change(
        change="altered",
        key=item.key,
        attributes=tuple(evidence),
        code=rule.code,
        severity=rule.severity,
    )
    return [change], notes


def _excuse(
    item: SchemaObject, name: str, other: SchemaObject, *, expected: Snapshot, actual: Snapshot
) -> list[Note] | None:
    """What is noted instead where a difference of one attribute is no drift; None where it is."""
    wanted, found = item.get(name), other.get(name)
    spec = KINDS[item.key.kind][name]
    if spec.is_note:
        return [*_note_order(item.key, wanted, found)]
    if are_synonyms(item.key.kind, name, wanted, found):
        return [note_spelling(item.key, name)]
    if not spec.by_declaration:
        return None
    if expected.builder is not None and name not in item.attributes:
        return [*_note_undeclared(item.key, name)]
    return [] if actual.builder is not None and found is None else None


def _note_order(key: ObjectKey, wanted: Value, found: Value) -> Iterator[Note]:
    """The order alone is worth a note; missing columns speak for themselves."""
    assert isinstance(wanted, list)  # noqa: S101  # column_order is a list on every table
    assert isinstance(found, list)  # noqa: S101  # as above
    if sorted(wanted) == sorted(found):
        yield Note(
            note="column_order",
            key=key,
            message=f"The columns of {key} stand in another order.",
        )


def note_spelling(key: ObjectKey, attribute: str) -> Note:
    """Two texts that mean the same."""
    return Note(
        note="spelling",
        key=key,
        message=f"The {attribute.replace('_', ' ')} of {key} is written in another way than "
        "expected, and means the same.",
    )


def _note_undeclared(key: ObjectKey, attribute: str) -> Iterator[Note]:
    """Who owns an object is an environment's business; privileges deserve a word."""
    if attribute != "owner":
        yield Note(
            note="undeclared",
            key=key,
            message=f"The {attribute} of {key} are not declared by what is expected.",
        )


def _compare_others(expected: Snapshot, actual: Snapshot) -> Iterator[Note]:
    for kind in sorted(expected.others.keys() | actual.others.keys()):
        wanted, found = expected.others.get(kind, 0), actual.others.get(kind, 0)
        if wanted != found:
            yield Note(
                note="not_modelled",
                key=None,
                message=(
                    f"Objects of the kind {kind!r}, which is counted but not compared: "
                    f"{wanted} expected, {found} found."
                ),
            )


def find_flaws(snapshot: Snapshot) -> tuple[Change, ...]:
    """What is wrong with a schema by itself: NOT VALID, NOT ENFORCED, invalid, disabled.

    For a database of which nothing is expected; sorted by object.
    """
    flaws = []
    for item in snapshot.objects:
        evidence = tuple(
            Evidence(name=name, expected=KINDS[item.key.kind][name].default, actual=value)
            for name, value in sorted(item.attributes.items())
            if _is_flaw(name, value)
        )
        if evidence:
            rule = choose_rule(item.key.kind, "altered", frozenset(e.name for e in evidence))
            flaws.append(Change("altered", item.key, evidence, rule.code, rule.severity))
    return tuple(flaws)


def _is_flaw(attribute: str, value: Value) -> bool:
    match attribute:
        case "valid" | "not_null_valid" | "enforced":
            return value is False
        case "enabled":
            return value == "disabled"
        case "internal_triggers":
            return isinstance(value, list) and any("disabled" in pair for pair in value)
        case _:
            return False
