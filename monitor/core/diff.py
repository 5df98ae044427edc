"""One keyed comparison of two snapshots, whatever the kind of object.

Differences that are not drift (the order of columns, another spelling of the same)
are notes, apart from the changes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from monitor.core.diff_declared import OWNER, Declarations, read_declarations
from monitor.core.diff_mentions import follow_renames, list_moves
from monitor.core.diff_renames import match_renames
from monitor.core.difference import Change, Difference, Note, sort_difference
from monitor.core.findings import Evidence, Severity
from monitor.core.folding import fold_columns
from monitor.core.homes import (
    WHOLES,
    Home,
    find_home,
    find_parents,
    find_top,
    is_partition,
    take_sparse,
)
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value
from monitor.core.leftovers import is_leftover
from monitor.core.rules import INVALID_INDEX, ChangeKind, choose_rule
from monitor.core.snapshot import SchemaObject, Snapshot
from monitor.core.spelling import are_synonyms
from monitor.core.triggers import fold_triggers


def diff(expected: Snapshot, actual: Snapshot) -> Difference:
    """What has to be said about ``actual`` where ``expected`` was promised."""
    declared = read_declarations(expected, actual)
    renames = match_renames(expected, actual)
    moved, moves = {old.key: new for old, new in renames}, list_moves(renames)
    known = moved.keys() | actual.by_key.keys()
    taken = {new.key for new in moved.values()} | expected.by_key.keys()
    missing, unexpected = _pick(expected, without=known), _pick(actual, without=taken)
    bare = [(item, _strip(item)) for item in take_sparse(missing, expected, actual)]
    bare += [(_strip(item), item) for item in take_sparse(unexpected, expected, actual)]
    changes = [
        *_report_absent("missing", missing, declared),
        *_report_absent("unexpected", unexpected, declared),
    ]
    notes = list(_compare_others(expected, actual))
    for item, other in (*_pair(expected, actual, moved), *bare):
        # What is called the same on both sides may be two things when names went round.
        wanted = follow_renames(item, moves, like=other)
        if other.key != wanted.key or other.attributes != wanted.attributes:
            altered, remarks = _compare(wanted, other, declared)
            changes.extend(altered)
            notes.extend(remarks)
    folded = fold_columns(changes, expected, actual)
    return sort_difference(
        Difference(changes=tuple(fold_triggers(folded, expected, actual)), notes=tuple(notes))
    )


def _pair(
    expected: Snapshot, actual: Snapshot, moved: Mapping[ObjectKey, SchemaObject]
) -> Iterator[tuple[SchemaObject, SchemaObject]]:
    """What is on both sides, renamed or not."""
    for item in expected.objects:
        other = moved.get(item.key) or actual.by_key.get(item.key)
        if other is not None:
            yield item, other


def _strip(item: SchemaObject) -> SchemaObject:
    return SchemaObject(key=item.key, attributes={})


def _pick(snapshot: Snapshot, *, without: AbstractSet[ObjectKey]) -> dict[ObjectKey, SchemaObject]:
    return {item.key: item for item in snapshot.objects if item.key not in without}


def _report_absent(
    change: ChangeKind, items: Mapping[ObjectKey, SchemaObject], declared: Declarations
) -> Iterator[Change]:
    """One change for each object that is on one side only, its parts counted with it."""
    owners = {(key.schema, key.name): key for key in items if key.kind in WHOLES}
    wholes = {key: _find_whole(item, items, owners) for key, item in items.items()}
    tops = {key: find_top(key, wholes) for key in items}
    parts: dict[ObjectKey, list[SchemaObject]] = defaultdict(list)
    counts = Counter(tops.values())
    for key, top in tops.items():
        if top != key and not _is_in_partition(key, top, items, wholes):
            parts[top].append(items[key])
    for key, item in items.items():
        if tops[key] == key:
            code, severity = _judge_absent(change, item, declared)
            yield Change(
                change=change,
                key=key,
                attributes=tuple(_list_evidence(change, item)),
                code=code,
                severity=severity,
                contains=counts[key] - 1,
                parts=tuple(parts[key]),
            )


def _is_in_partition(
    key: ObjectKey,
    top: ObjectKey,
    items: Mapping[ObjectKey, SchemaObject],
    wholes: Mapping[ObjectKey, ObjectKey | None],
) -> bool:
    """Whether a partition stands between it and what speaks for it: those come and go."""
    place: ObjectKey | None = key
    while place is not None and place != top:
        if is_partition(items[place]):
            return True
        place = wholes[place]
    return False


def _judge_absent(
    change: ChangeKind, item: SchemaObject, declared: Declarations
) -> tuple[str, Severity]:
    rule = choose_rule(item.key.kind, change, frozenset())
    if change == "unexpected":
        if item.key.kind is Kind.INDEX and item.get("valid") is False:
            is_left = is_leftover(item.key.name)
            return INVALID_INDEX.code, Severity.INFO if is_left else INVALID_INDEX.severity
        if item.key.kind is Kind.DEFAULT_PRIVILEGE and not declared.covers_defaults(item.key):
            return rule.code, Severity.INFO
    return rule.code, rule.severity


def _find_whole(
    item: SchemaObject,
    items: Mapping[ObjectKey, SchemaObject],
    owners: Mapping[Home, ObjectKey],
) -> ObjectKey | None:
    """The table, view, domain, server or column that is gone as well, and took it along."""
    if is_partition(item):
        found = (owners.get(parent) for parent in find_parents(item))
        return next((owner for owner in found if owner is not None), None)
    home = find_home(item)
    if home is None:
        return None
    owner = item.attributes.get("owned_by")
    if item.key.kind is Kind.SEQUENCE and isinstance(owner, list):
        schema, table, column = owner
        mother = ObjectKey(kind=Kind.COLUMN, schema=schema, parent=table, name=column)
        return owners.get(home) or (mother if mother in items else None)
    return owners.get(home)


def _list_evidence(change: ChangeKind, item: SchemaObject) -> Iterator[Evidence]:
    for name, value in sorted(item.attributes.items()):
        if change == "missing":
            yield Evidence(name=name, expected=value, actual=None)
        else:
            yield Evidence(name=name, expected=None, actual=value)


def _compare(
    item: SchemaObject, other: SchemaObject, declared: Declarations
) -> tuple[list[Change], list[Note]]:
    """What differs between an expected object and the one that stands for it."""
    evidence: list[Evidence] = []
    undeclared: list[Evidence] = []
    notes: list[Note] = []
    for name in sorted(item.attributes.keys() | other.attributes.keys()):
        one = Evidence(name=name, expected=item.get(name), actual=other.get(name))
        if one.expected == one.actual:
            continue
        excuse = _excuse(item, one, declared)
        if excuse is not None:
            notes.extend(excuse)
        elif KINDS[item.key.kind][name].by_declaration and not declared.covers(item, name):
            undeclared.append(one)
        else:
            evidence.append(one)
    if other.key != item.key:
        names = Evidence(name="name", expected=item.key.name, actual=other.key.name)
        evidence.insert(0, names)
    return [
        *_report_altered(item.key, evidence),
        *_report_undeclared(item, undeclared, declared),
    ], notes


def _report_altered(key: ObjectKey, evidence: Sequence[Evidence]) -> Iterator[Change]:
    if evidence:
        rule = choose_rule(key.kind, "altered", frozenset(e.name for e in evidence))
        yield Change("altered", key, tuple(evidence), rule.code, rule.severity)


def _report_undeclared(
    item: SchemaObject, evidence: Iterable[Evidence], declared: Declarations
) -> Iterator[Change]:
    """Who owns what nobody gave an owner, and who may use it: information."""
    told = [one for one in evidence if declared.is_worth_telling(item, one)]
    for part in (
        [one for one in told if one.name == OWNER],
        [one for one in told if one.name != OWNER],
    ):
        for change in _report_altered(item.key, part):
            yield msgspec.structs.replace(change, severity=Severity.INFO)


def _excuse(item: SchemaObject, one: Evidence, declared: Declarations) -> list[Note] | None:
    """What is noted instead where a difference of one attribute is no drift; None where it is."""
    spec = KINDS[item.key.kind][one.name]
    if spec.is_note:
        return [*_note_order(item.key, one.expected, one.actual)]
    if are_synonyms(item.key.kind, one.name, one.expected, one.actual):
        return [note_spelling(item.key, one.name)]
    # A live database was promised, and what was built says nothing of it.
    is_unsaid = spec.by_declaration and declared.is_built and one.actual is None
    return [] if is_unsaid else None


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
        case "detach_pending":
            return value is True
        case "enabled":
            return value == "disabled"
        case "internal_triggers":
            return isinstance(value, list) and any("disabled" in pair for pair in value)
        case "partition_indexes":
            return isinstance(value, list) and any(one[2:] == ["valid", False] for one in value)
        case _:
            return False
