"""What every command prints: one document on standard output, everything else on standard error.

Names and values of a database are hostile text: control characters that
would move the cursor or colour the terminal are shown, never sent.
"""

import json
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from monitor.cli.streams import discard
from monitor.core.checkup import CheckReport
from monitor.core.difference import Change, Difference, Note
from monitor.core.errors import AnchorwatchError, UsageError
from monitor.core.findings import Finding
from monitor.core.keys import ObjectKey
from monitor.core.printing import HIDDEN, clean
from monitor.core.report import Report

FORMAT: Final = 1
"""The version of every JSON document."""

_UNSEEN: Final = re.compile(rf"(?!\n)(?:{HIDDEN.pattern}|[\u200c\u200d])")
"""What JSON may hold as it is, and a terminal obeys without showing it."""


def print_json(document: dict[str, Any]) -> None:
    """One document, with its format number in front."""
    data = msgspec.json.encode({"format": FORMAT, **document})
    text = msgspec.json.format(data, indent=2).decode()
    print_text(_UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text))


def print_text(text: str) -> None:
    """Text for a person, or a document.

    Whoever reads our output may have seen enough, as `| head` does: that is no error.

    Raises:
        UsageError: standard output takes no more.
    """
    try:
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
    except OSError as error:
        discard(sys.stdout)
        raise UsageError(
            f"Standard output cannot be written: {error.strerror}.",
            next_step="Send it to a file with room, or to the terminal.",
        ) from None


def say(text: str) -> None:
    """Remarks."""
    sys.stderr.write(text.rstrip("\n") + "\n")


def fail(error: AnchorwatchError, *, as_json: bool) -> int:
    """Print the error where it belongs; the exit code that goes with it."""
    if as_json:
        body = {"code": error.code, "message": error.message, "next": error.next_step}
        shown = {name: _mend(text) for name, text in body.items()}
        print_json({"error": shown})
    else:
        step = clean(error.next_step, keep_lines=True)
        say(f"anchorwatch: {clean(error.message, keep_lines=True)}\n  {step}")
    return error.exit_code


def _mend(text: str) -> str:
    """Without halves of characters, which a path of the command line may hold."""
    return text.encode(errors="backslashreplace").decode()


def write_time(at: datetime) -> str:
    """A moment for people: ``2027-01-31 06:00:00 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def describe_finding(finding: Finding) -> dict[str, Any]:
    """A finding as every JSON document has it."""
    return {
        "id": finding.id,
        "code": finding.code,
        "severity": finding.severity.value,
        **describe_key(finding.key),
        "title": finding.title,
        "evidence": [msgspec.to_builtins(e) for e in finding.evidence],
        "remedy": finding.remedy,
        "digest": finding.digest,
    }


def describe_key(key: ObjectKey | None) -> dict[str, str | None]:
    """The parts of an object's key; all null for the database as a whole."""
    return {
        "kind": key.kind.value if key else None,
        "schema": key.schema if key else None,
        "parent": key.parent if key else None,
        "name": key.name if key else None,
    }


def describe_waived(report: Report | CheckReport) -> dict[str, list[dict[str, Any]]]:
    """What is wrong and not told, each with the reason."""
    return {
        "accepted": [
            {
                **describe_finding(one.finding),
                "reason": one.acceptance.reason,
                "until": one.acceptance.until,
                "by": one.acceptance.by,
                "at": one.acceptance.at,
            }
            for one in report.accepted
        ],
        "ignored": [
            {
                **describe_finding(one.finding),
                "reason": one.rule.reason,
                "until": one.rule.until,
                "rule": {"code": one.rule.code, "object": one.rule.object},
            }
            for one in report.ignored
        ],
    }


def describe_difference(difference: Difference, remark: Note | None = None) -> dict[str, Any]:
    """A difference as the contract has it; a remark on the whole is its first note."""
    notes = (*([remark] if remark else []), *difference.notes)
    return {
        "changes": [_describe_change(change) for change in difference.changes],
        "notes": [
            {
                "note": note.note,
                **describe_key(note.key),
                "message": note.message,
            }
            for note in notes
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
