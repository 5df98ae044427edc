"""Whether code of an older release can run on what a newer one has made of the schema.

Judged from what revisions change alone: what only comes along is harmless, what goes away or
becomes stricter is not, and of the rest nobody knows without reading the code.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS
from monitor.core.lock import Lock
from monitor.core.snapshot import SchemaObject


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


def judge_safety(
    lock: Lock, revisions: Iterable[str], older: Mapping[ObjectKey, SchemaObject]
) -> Risk:
    """The worst that some revisions do to code that expects an older schema.

    Args:
        lock: has the revisions.
        revisions: what ran beyond that schema.
        older: the schema that the code expects.
    """
    found = [risk for name in revisions for risk in _judge_revision(lock, name, older)]
    order = [*Safety]
    return min(found, key=lambda risk: order.index(risk.safety), default=SAFE)


def _judge_revision(
    lock: Lock, name: str, older: Mapping[ObjectKey, SchemaObject]
) -> Iterator[Risk]:
    delta = lock.by_id[name].delta
    if delta is None:
        yield Risk(Safety.UNKNOWN, f"what {name} changes is not known")
        return
    for pair in delta.pairs:
        before, after = lock.resolve(pair)
        key = lock.find_key(pair)
        if key in older and after is None:
            yield _judge_removal(key, name)
        elif key in older and before is not None and after is not None:
            yield from _judge_change(key, before, after, name)
        elif after is not None and before is None and _is_on(key, older):
            yield _judge_addition(after, name)
        elif after is not None and before is None and _holds_back(after, older):
            yield Risk(Safety.UNKNOWN, f"{name} adds {key}, which keeps rows from being deleted")


def _is_on(key: ObjectKey, older: Mapping[ObjectKey, SchemaObject]) -> bool:
    """Whether it hangs on something that older code knows: what does not is none of its business.

    A new trigger, constraint or column of a new table never meets it.
    """
    if key.parent is None:
        return key.kind is Kind.EVENT_TRIGGER
    kinds = (Kind.TABLE, Kind.FOREIGN_TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.DOMAIN)
    return any(ObjectKey(kind, key.schema, None, key.parent) in older for kind in kinds)


def _holds_back(item: SchemaObject, older: Mapping[ObjectKey, SchemaObject]) -> bool:
    """Whether rows of a table that older code knows cannot be deleted any more."""
    referenced = item.attributes.get("references")
    if item.key.kind is not Kind.FOREIGN_KEY or not isinstance(referenced, list):
        return False
    schema, table = referenced
    is_known = ObjectKey(Kind.TABLE, schema, None, table) in older
    return is_known and item.get("on_delete") not in {"cascade", "set null", "set default"}


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


def _judge_removal(key: ObjectKey, name: str) -> Risk:
    if key.kind in _HARMLESS_GONE:
        return SAFE
    if key.kind in _ACTIVE | _STRICTER:
        return Risk(Safety.UNKNOWN, f"{name} removes {key}")
    return Risk(Safety.NO, f"{name} removes {key}")


def _judge_addition(item: SchemaObject, name: str) -> Risk:
    """What is added to something that older code writes."""
    key = item.key
    if key.kind is Kind.COLUMN:
        is_filled = any(item.get(a) is not None for a in ("default", "identity", "generated"))
        is_needed = not item.get("nullable") and not is_filled
        return Risk(Safety.NO, f"{name} adds {key}, which must not be null") if is_needed else SAFE
    is_strict = key.kind in _STRICTER | _ACTIVE or bool(
        key.kind is Kind.INDEX and item.get("unique")
    )
    return Risk(Safety.UNKNOWN, f"{name} adds {key}") if is_strict else SAFE


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


def _judge_change(
    key: ObjectKey, before: SchemaObject, after: SchemaObject, name: str
) -> Iterator[Risk]:
    spec = KINDS[key.kind]
    for attribute in sorted(before.attributes.keys() | after.attributes.keys()):
        told = spec[attribute]
        if before.get(attribute) == after.get(attribute) or attribute in _HARMLESS:
            continue
        if told.is_note or told.is_remark:
            continue
        yield _judge_attribute(key, attribute, after, name)


def _judge_attribute(key: ObjectKey, attribute: str, after: SchemaObject, name: str) -> Risk:
    what = f"{name} changes the {attribute.replace('_', ' ')} of {key}"
    if key.kind is Kind.COLUMN and attribute == "nullable" and not after.get("nullable"):
        return Risk(Safety.NO, f"{name} makes {key} NOT NULL")
    if key.kind is Kind.COLUMN and attribute == "default" and after.get("default") is not None:
        return SAFE
    if key.kind is Kind.INDEX and attribute not in {"unique", "columns", "expressions"}:
        return SAFE
    return Risk(Safety.UNKNOWN, what)
