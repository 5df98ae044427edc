"""The same thing under another name: found once, and not told again by what mentions it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import SchemaObject

RENAMEABLE: Final = frozenset(
    {
        Kind.INDEX,
        Kind.PRIMARY_KEY,
        Kind.UNIQUE,
        Kind.FOREIGN_KEY,
        Kind.CHECK,
        Kind.EXCLUSION,
        Kind.TRIGGER,
        Kind.POLICY,
        Kind.SEQUENCE,
        Kind.STATISTICS,
    }
)
"""Kinds of which a name says little: the same thing under another name is one change."""


def match_renames(
    missing: Iterable[SchemaObject], unexpected: Iterable[SchemaObject]
) -> list[tuple[SchemaObject, SchemaObject]]:
    """Pairs that are the same but for the name, one to one."""
    candidates: dict[bytes, tuple[list[SchemaObject], list[SchemaObject]]]
    candidates = defaultdict(lambda: ([], []))
    for side, items in enumerate((missing, unexpected)):
        for item in items:
            if item.key.kind in RENAMEABLE:
                candidates[_describe_nameless(item)][side].append(item)
    return [
        (old[0], new[0]) for old, new in candidates.values() if len(old) == 1 and len(new) == 1
    ]


def _describe_nameless(item: SchemaObject) -> bytes:
    key = item.key
    return msgspec.json.encode(
        (key.kind, key.schema, key.parent, item.attributes), order="deterministic"
    )


def follow_renames(item: SchemaObject, names: Mapping[ObjectKey, str]) -> SchemaObject:
    """``item`` as it reads once the renamed objects that it mentions have their new names.

    A table mentions the index of CLUSTER ON and of REPLICA IDENTITY, a default
    the sequence that it draws from.

    Args:
        item: the expected object.
        names: what each renamed object is called now.
    """
    if not names:
        return item
    key = item.key
    changed: dict[str, Value] = {}
    for old, new in names.items():
        if old.kind is Kind.SEQUENCE:
            text = changed.get("default", item.attributes.get("default"))
            if isinstance(text, str):
                changed["default"] = _replace_sequence(text, old, new)
        elif (old.schema, old.parent) == (key.schema, key.name) and old.kind in _INDEXED:
            if item.attributes.get("cluster_index") == old.name:
                changed["cluster_index"] = new
            if item.attributes.get("replica_identity") == ["index", old.name]:
                changed["replica_identity"] = ["index", new]
    return SchemaObject(key=key, attributes={**item.attributes, **changed})


_INDEXED: Final = frozenset({Kind.INDEX, Kind.PRIMARY_KEY, Kind.UNIQUE})


def _replace_sequence(text: str, old: ObjectKey, new: str) -> str:
    """The default with the sequence's new name in its regclass constant."""
    for schema in _spell(old.schema or ""):
        for before in _spell(old.name):
            constant = _write_constant(f"{schema}.{before}")
            if constant in text:
                after = new if _is_plain(new) else quote_ident(new)
                return text.replace(constant, _write_constant(f"{schema}.{after}"))
    return text


def _spell(name: str) -> tuple[str, str]:
    """A name as the server may write it: it quotes only where it has to."""
    return name, quote_ident(name)


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isidentifier() and name == name.lower()


def _write_constant(name: str) -> str:
    quoted = name.replace("'", "''")
    return f"'{quoted}'::regclass"
