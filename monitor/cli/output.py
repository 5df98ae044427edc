"""What every command prints: one document on standard output, everything else on standard error.

Names and values of a database are hostile text: control characters that
would move the cursor or colour the terminal are shown, never sent.
"""

import sys
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from monitor.core.diff import Change, Difference
from monitor.core.errors import AnchorwatchError
from monitor.core.findings import Evidence, Finding
from monitor.core.message import describe_value

FORMAT: Final = 1
"""The version of every JSON document."""


def print_json(document: dict[str, Any]) -> None:
    """One document, with its format number in front."""
    data = msgspec.json.encode({"format": FORMAT, **document})
    sys.stdout.write(msgspec.json.format(data, indent=2).decode() + "\n")


def print_text(text: str) -> None:
    """Text for a person."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def say(text: str) -> None:
    """Progress and remarks."""
    sys.stderr.write(text.rstrip("\n") + "\n")


def fail(error: AnchorwatchError, *, as_json: bool) -> int:
    """Print the error where it belongs; the exit code that goes with it."""
    if as_json:
        body = {"code": error.code, "message": error.message, "next": error.next_step}
        print_json({"error": body})
    else:
        say(f"anchorwatch: {clean(error.message)}\n  {clean(error.next_step)}")
    return error.exit_code


def clean(text: str, *, keep_lines: bool = False) -> str:
    """The text with every control character shown as its escape."""
    return "".join(
        letter if not _is_control(letter) or (keep_lines and letter == "\n") else _show(letter)
        for letter in text
    )


def _is_control(letter: str) -> bool:
    """Cc moves cursors, Cf turns the direction of writing (bidi overrides)."""
    return unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"}


def _show(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def describe_finding(finding: Finding) -> dict[str, Any]:
    """A finding as every JSON document has it."""
    key = finding.key
    return {
        "id": finding.id,
        "code": finding.code,
        "severity": finding.severity.value,
        "kind": key.kind.value if key else None,
        "schema": key.schema if key else None,
        "parent": key.parent if key else None,
        "name": key.name if key else None,
        "title": finding.title,
        "evidence": [msgspec.to_builtins(e) for e in finding.evidence],
        "remedy": finding.remedy,
    }


def describe_difference(difference: Difference) -> dict[str, Any]:
    """A difference as the contract has it."""
    return {
        "changes": [_describe_change(change) for change in difference.changes],
        "notes": [
            {
                "note": note.note,
                "kind": note.key.kind.value if note.key else None,
                "schema": note.key.schema if note.key else None,
                "parent": note.key.parent if note.key else None,
                "name": note.key.name if note.key else None,
                "message": note.message,
            }
            for note in difference.notes
        ],
    }


def _describe_change(change: Change) -> dict[str, Any]:
    return {
        "change": change.change,
        "kind": change.key.kind.value,
        "schema": change.key.schema,
        "parent": change.key.parent,
        "name": change.key.name,
        "severity": change.severity.value,
        "code": change.code,
        "attributes": [msgspec.to_builtins(e) for e in change.attributes],
        "contains": change.contains,
    }


_SIGNS: Final = {"missing": "-", "unexpected": "+", "altered": "~"}


def write_difference(difference: Difference) -> str:
    """A difference for a person."""
    if not difference.changes and not difference.notes:
        return "No differences."
    lines = [line for change in difference.changes for line in _write_change(change)]
    if difference.changes:
        lines += ["", summarise(difference)]
    lines += [f"note: {clean(note.message)}" for note in difference.notes]
    return "\n".join(lines)


def summarise(difference: Difference) -> str:
    """``2 missing, 1 altered``."""
    counts = dict.fromkeys(_SIGNS, 0)
    for change in difference.changes:
        counts[change.change] += 1
    told = [f"{count} {name}" for name, count in counts.items() if count]
    return ", ".join(told) or "no differences"


def _write_change(change: Change) -> Iterator[str]:
    inside = f", with {change.contains} more in it" if change.contains else ""
    yield (
        f"{_SIGNS[change.change]} {change.change} {clean(str(change.key))}{inside}"
        f"  [{change.code} {change.severity.value}]"
    )
    for evidence in change.attributes:
        yield f"    {_write_evidence(change, evidence)}"


def _write_evidence(change: Change, evidence: Evidence) -> str:
    expected, actual = (
        clean(describe_value(evidence.expected)),
        clean(describe_value(evidence.actual)),
    )
    match change.change:
        case "missing":
            return f"{evidence.name}: {expected}"
        case "unexpected":
            return f"{evidence.name}: {actual}"
        case _:
            return f"{evidence.name}: expected {expected}, is {actual}"


def write_markdown(difference: Difference) -> str:
    """A difference as a table for a pull request."""
    if not difference.changes:
        return "No differences."
    lines = ["| | object | attribute | expected | actual | rule |", "|---|---|---|---|---|---|"]
    for change in difference.changes:
        name = _cell(f"{change.change} {change.key}")
        rows = change.attributes or (Evidence(name="", expected=None, actual=None),)
        for evidence in rows:
            lines.append(
                f"| {_SIGNS[change.change]} | {name} | {evidence.name} "
                f"| {_cell(describe_value(evidence.expected))} "
                f"| {_cell(describe_value(evidence.actual))} | {change.code} |"
            )
    lines += [f"\n*Note:* {_cell(note.message)}" for note in difference.notes]
    return "\n".join(lines)


_MARKUP: Final = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_{}[]<>()#|!~"})


def _cell(text: str) -> str:
    return clean(text).translate(_MARKUP)
