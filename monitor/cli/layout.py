"""Differences and findings for people: grouped by table, aligned, counted at the end."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from monitor.checks.schema import describe_change
from monitor.core.difference import Change, Difference
from monitor.core.findings import Evidence, Finding, Severity
from monitor.core.homes import WHOLES
from monitor.core.keys import ObjectKey
from monitor.core.kinds import Value
from monitor.core.message import describe_sides
from monitor.core.printing import clean
from monitor.core.rules import ChangeKind, name_change

SIGNS: Final[Mapping[ChangeKind, str]] = {"missing": "-", "unexpected": "+", "altered": "~"}
WIDEST: Final = 72
"""Characters up to which severities stand in one column; longer lines push theirs out."""


class Item(NamedTuple):
    """One thing that is wrong with one object; a finding has an id to name it by."""

    key: ObjectKey
    change: ChangeKind
    title: str
    severity: Severity
    code: str
    evidence: tuple[Evidence, ...]
    id: str = ""


def list_changes(changes: Iterable[Change]) -> list[Item]:
    """The changes of a difference as items."""
    return [
        Item(c.key, c.change, describe_change(c), c.severity, c.code, c.attributes)
        for c in changes
    ]


def list_findings(findings: Iterable[Finding]) -> list[Item]:
    """The findings about objects as items; those about the database as a whole left out."""
    return [
        Item(f.key, name_change(f.code), f.title, f.severity, f.code, f.evidence, f.id)
        for f in findings
        if f.key is not None
    ]


def write_items(items: Sequence[Item]) -> Iterator[str]:
    """The lines of all items: a heading for each table, a line for each object."""
    rows = sorted(items, key=lambda item: (*_find_place(item.key), item.key.order))
    texts = {id(item): _write_title(item) for item in rows}
    width = max((len(text) for text in texts.values() if len(text) <= WIDEST), default=0)
    for place, group in groupby(rows, key=lambda item: _find_place(item.key)):
        yield _write_heading(*place)
        for item in group:
            name = f"  {item.id}" if item.id else ""
            yield f"  {texts[id(item)]:{width}}  {item.severity.value:8}  {item.code}{name}"
            yield from _write_evidence(item)


def _find_place(key: ObjectKey) -> tuple[str, str]:
    """The schema and, for tables and what belongs to one, the table: they stand together."""
    owner = key.name if key.kind in WHOLES else key.parent
    return key.schema or "", owner or ""


def _write_heading(schema: str, owner: str) -> str:
    if owner:
        return clean(f"{schema}.{owner}" if schema else owner)
    return f"schema {clean(schema)}" if schema else "the whole database"


def _write_title(item: Item) -> str:
    """``- column email is missing``: the heading has said of which table."""
    key = item.key
    name = "" if key.kind in WHOLES else f" {key.name}"
    rest = item.title.removeprefix(str(key))
    return f"{SIGNS[item.change]} {clean(f'{key.kind.noun}{name}{rest}')}"


def _write_evidence(item: Item) -> Iterator[str]:
    width = max((len(evidence.name) for evidence in item.evidence), default=0)
    for evidence in item.evidence:
        yield f"      {_name(evidence):{width}}  {_write_values(item.change, evidence)}"


def _name(evidence: Evidence) -> str:
    return evidence.name.replace("_", " ")


def _write_values(change: ChangeKind, evidence: Evidence) -> str:
    expected, actual = map(clean, describe_sides(evidence))
    match change:
        case "missing":
            return expected
        case "unexpected":
            return actual
        case _:
            return f"expected {expected}, is {actual}"


def count_changes(items: Iterable[Item]) -> str:
    """``2 missing, 1 altered``; nothing when there are none."""
    counts = Counter(item.change for item in items)
    return ", ".join(f"{counts[change]} {change}" for change in SIGNS if counts[change])


def write_difference(difference: Difference) -> str:
    """A difference for a person."""
    items = list_changes(difference.changes)
    lines = list(write_items(items))
    lines += ["", f"{count_changes(items)}."] if items else ["No differences."]
    lines += [f"note: {clean(note.message)}" for note in difference.notes]
    return "\n".join(lines)


def write_markdown(difference: Difference) -> str:
    """A difference as a table for a pull request."""
    if not difference.changes:
        lines = ["No differences."]
    else:
        lines = [
            "| | object | attribute | expected | actual | rule |",
            "|---|---|---|---|---|---|",
        ]
        lines += [row for change in difference.changes for row in _write_rows(change)]
        lines += ["", f"{count_changes(list_changes(difference.changes))}."]
    lines += [f"\n*Note:* {_code(note.message)}" for note in difference.notes]
    return "\n".join(lines)


def _write_rows(change: Change) -> Iterator[str]:
    noun = change.key.kind.noun
    name = _code(str(change.key).removeprefix(f"{noun} "))
    for evidence in change.attributes or (Evidence(name="", expected=None, actual=None),):
        expected, actual = describe_sides(evidence)
        yield (
            f"| {SIGNS[change.change]} | {change.change} {noun} {name} | {_name(evidence)} "
            f"| {_write_value(evidence.expected, expected)} "
            f"| {_write_value(evidence.actual, actual)} | {change.code} |"
        )


def _write_value(value: Value, words: str) -> str:
    return words if value is None else _code(words)


_ENDS_CODE: Final = re.compile(r"[`|]|^ | $")
_PUNCTUATION: Final = re.compile(r"[!-/:-@\[-`{-~]")


def _code(text: str) -> str:
    """A name or a value as code: there nothing is a link, a mention or markup."""
    shown = clean(text)
    if not _ENDS_CODE.search(shown):
        return f"`{shown}`" if shown else ""
    return f"<code>{_PUNCTUATION.sub(lambda found: f'&#{ord(found[0])};', shown)}</code>"
