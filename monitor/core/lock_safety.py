"""Whether code of an older release can run on what a newer one has made of the schema.

Judged from what revisions change alone: what only comes along is harmless, what goes away or
becomes stricter is not, and of the rest nobody knows without reading the code.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS
from monitor.core.lock import Delta, Lock
from monitor.core.row_writes import RowWrite, list_row_writes
from monitor.core.snapshot import SchemaObject

type Objects = Mapping[ObjectKey, SchemaObject]


class Safety(StrEnum):
    """Whether older code can run, the worst first."""

    NO = "no"
    UNKNOWN = "unknown"
    YES = "yes"


class Risk(NamedTuple):
    """What a revision does to older code.

    Attributes:
        safety: whether it can run.
        reason: what it is about; empty where it can.
    """

    safety: Safety
    reason: str = ""


SAFE: Final = Risk(Safety.YES)


def judge_safety(lock: Lock, revisions: Sequence[str], older: Objects, newer: Objects) -> Risk:
    """The worst that some revisions do to code that expects an older schema.

    Args:
        lock: has the revisions.
        revisions: what ran beyond that schema, in order.
        older: the schema that the code expects.
        newer: what they have made of it, all together: what one adds another may tighten.
    """
    found = [*_list_unknown(lock, revisions, older, newer)]
    names = _find_last(lock, revisions)
    for key in sorted(older.keys() | newer.keys(), key=lambda key: key.order):
        before, after = older.get(key), newer.get(key)
        if before != after:
            found += _judge(before, after, names.get(key, "a revision"), older, newer)
    order = [*Safety]
    return min(found, key=lambda risk: order.index(risk.safety), default=SAFE)


def _list_unknown(
    lock: Lock, revisions: Sequence[str], older: Objects, newer: Objects
) -> Iterator[Risk]:
    """What the schema does not show: a revision that nobody saw run, rows that are rewritten."""
    for name in revisions:
        delta = lock.by_id[name].delta
        if delta is None:
            yield Risk(Safety.UNKNOWN, f"what {name} changes is not known")
            continue
        writes = list_row_writes(statement.sql for statement in delta.statements)
        met = [write for write in writes if _meets(write, older, newer)]
        if met:
            yield Risk(Safety.UNKNOWN, f"{name} writes rows{_say_of(met[0])}")


def _meets(write: RowWrite, older: Objects, newer: Objects) -> bool:
    """Whether older code may read what is written: new tables and new columns it never sees."""
    if not _is_table(write.table, older):
        return not _is_table(write.table, newer)  # a view, say
    return write.columns is None or any(
        key.kind is Kind.COLUMN and key.parent == write.table and key.name in write.columns
        for key in older
    )


def _is_table(name: str | None, objects: Objects) -> bool:
    return any(key.kind is Kind.TABLE and key.name == name for key in objects)


def _say_of(write: RowWrite) -> str:
    return f" of {write.table}" if write.table else ""


def _find_last(lock: Lock, revisions: Sequence[str]) -> dict[ObjectKey, str]:
    """The last revision that touches each object."""
    return {
        lock.find_key(pair): name
        for name in revisions
        for pair in (lock.by_id[name].delta or Delta()).pairs
    }


def _judge(
    before: SchemaObject | None,
    after: SchemaObject | None,
    name: str,
    older: Objects,
    newer: Objects,
) -> Iterator[Risk]:
    if before is not None and after is None:
        yield _judge_removal(before, name)
    elif before is not None and after is not None:
        yield from _judge_change(before, after, name)
    elif after is not None and _is_on(after.key, older):
        yield _judge_addition(after, name, newer)
    elif after is not None and _holds_back(after, older):
        yield Risk(Safety.UNKNOWN, f"{name} adds {after.key}, which keeps rows from being deleted")
    elif after is not None and _has_namesake(after.key, older):
        yield Risk(Safety.UNKNOWN, f"{name} adds {after.key} beside another of the name")


def _has_namesake(key: ObjectKey, older: Objects) -> bool:
    """Whether a routine of the name is known already: a call may mean either now."""
    name = key.name.partition("(")[0]
    return "(" in key.name and any(
        other.kind is key.kind
        and other.schema == key.schema
        and other.name.partition("(")[0] == name
        for other in older
    )


def _is_on(key: ObjectKey, older: Objects) -> bool:
    """Whether it hangs on something that older code knows: what does not is none of its business.

    A new trigger, constraint or column of a new table never meets it.
    """
    if key.parent is None:
        return key.kind is Kind.EVENT_TRIGGER
    kinds = (Kind.TABLE, Kind.FOREIGN_TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.DOMAIN)
    return any(ObjectKey(kind, key.schema, None, key.parent) in older for kind in kinds)


def _holds_back(item: SchemaObject, older: Objects) -> bool:
    """Whether rows of a table that older code knows cannot be deleted any more."""
    referenced = item.attributes.get("references")
    if item.key.kind is not Kind.FOREIGN_KEY or not isinstance(referenced, list):
        return False
    schema, table = referenced
    is_known = ObjectKey(Kind.TABLE, schema, None, table) in older
    return is_known and item.get("on_delete") not in _ACTIONS


_ACTIONS: Final = frozenset({"cascade", "set null", "set default"})
"""What a foreign key does to other rows."""
_HARMLESS_GONE: Final = frozenset(
    {
        Kind.INDEX,
        Kind.CHECK,
        Kind.FOREIGN_KEY,
        Kind.EXCLUSION,
        Kind.STATISTICS,
        Kind.PUBLICATION,
    }
)
"""What older code does not ask for by name, and that only made it stricter or faster."""
_STRICTER: Final = frozenset(
    {Kind.CHECK, Kind.FOREIGN_KEY, Kind.EXCLUSION, Kind.UNIQUE, Kind.PRIMARY_KEY}
)
_ACTIVE: Final = frozenset({Kind.TRIGGER, Kind.RULE, Kind.POLICY, Kind.EVENT_TRIGGER})


def _judge_removal(item: SchemaObject, name: str) -> Risk:
    key = item.key
    if key.kind in _HARMLESS_GONE and not _is_unique(item) and not _acts(item):
        return SAFE
    if key.kind in _ACTIVE | _STRICTER or _is_unique(item):
        return Risk(Safety.UNKNOWN, f"{name} removes {key}")
    return Risk(Safety.NO, f"{name} removes {key}")


def _acts(item: SchemaObject) -> bool:
    """Whether it is a foreign key that takes other rows along: older code may rely on it."""
    actions = (item.attributes.get("on_delete"), item.attributes.get("on_update"))
    return item.key.kind is Kind.FOREIGN_KEY and not _ACTIONS.isdisjoint(actions)


def _is_unique(item: SchemaObject) -> bool:
    """Whether it is an index that ON CONFLICT may name, and that refuses rows."""
    return item.key.kind is Kind.INDEX and bool(item.get("unique"))


def _judge_addition(item: SchemaObject, name: str, newer: Objects) -> Risk:
    """What is added to something that older code writes."""
    key = item.key
    if key.kind is Kind.COLUMN:
        is_filled = any(item.get(a) is not None for a in ("default", "identity", "generated"))
        if not item.get("nullable") and not is_filled:
            return Risk(Safety.NO, f"{name} adds {key}, which must not be null")
        is_domain = any(
            other.kind is Kind.DOMAIN and str(item.get("type")) == f"{other.schema}.{other.name}"
            for other in newer
        )
        if is_domain and not is_filled:
            return Risk(Safety.UNKNOWN, f"{name} adds {key} of a domain")
        return SAFE
    is_strict = key.kind in _STRICTER | _ACTIVE or _is_unique(item) or _is_computed(item)
    return Risk(Safety.UNKNOWN, f"{name} adds {key}") if is_strict else SAFE


def _is_computed(item: SchemaObject) -> bool:
    """Whether it is an index that computes something of each row, which may fail."""
    return item.key.kind is Kind.INDEX and bool(item.get("expressions") or item.get("predicate"))


_HARMLESS: Final = frozenset(
    {
        "storage",
        "compression",
        "statistics_target",
        "options",
        "toast_options",
        "tablespace",
        "persistence",
        "cluster_index",
        "replica_identity",
        "fillfactor",
        "cost",
        "rows",
        "parallel",
    }
)
"""Attributes that change how fast something is, and not what it does."""


def _judge_change(before: SchemaObject, after: SchemaObject, name: str) -> Iterator[Risk]:
    spec = KINDS[after.key.kind]
    for attribute in sorted(before.attributes.keys() | after.attributes.keys()):
        told = spec[attribute]
        if before.get(attribute) == after.get(attribute) or attribute in _HARMLESS:
            continue
        if not (told.is_note or told.is_remark):
            yield _judge_attribute(before, after, attribute, name)


def _judge_attribute(before: SchemaObject, after: SchemaObject, attribute: str, name: str) -> Risk:
    key = after.key
    if key.kind is Kind.COLUMN and attribute == "nullable" and not after.get("nullable"):
        return Risk(Safety.NO, f"{name} makes {key} NOT NULL")
    if key.kind is Kind.COLUMN and attribute == "default" and before.get("default") is None:
        return SAFE
    if key.kind is Kind.INDEX and not (_is_unique(before) or _is_unique(after)):
        return Risk(Safety.UNKNOWN, f"{name} changes {key}") if _is_computed(after) else SAFE
    return Risk(Safety.UNKNOWN, f"{name} changes the {attribute.replace('_', ' ')} of {key}")
