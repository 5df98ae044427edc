"""Case files: one setup, and single drifts with what must be said about each.

-- setup                        built once, with `-- needs pg>=N` for all cases
-- case TITLE                   statements that plant one drift
-- expect missing KIND NAME     or unexpected
-- expect altered KIND NAME: ATTRIBUTE, ...
-- expect note WORD KIND NAME
-- expect nothing
-- needs pg>=N                  the drift can be planted from this major on
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.core.diff import Change, Difference

HERE = Path(__file__).parent
OLDEST = 14

_MARK = re.compile(r"^-- (setup|case|expect|needs)(?: (.*))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One planted drift.

    Attributes:
        file: the file's name without its ending.
        title: what happened to the database.
        setup: the statements that build what is expected.
        ddl: the statements that make it drift.
        expected: one line for each change and note, sorted.
        major: the oldest major that can run it.
    """

    file: str
    title: str
    setup: str
    ddl: str
    expected: tuple[str, ...]
    major: int

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def read_cases() -> list[Case]:
    """Every case of every file."""
    return [case for path in sorted(HERE.glob("*.sql")) for case in _read_file(path)]


def _read_file(path: Path) -> Iterator[Case]:
    (_, setup), *blocks = _split(path.read_text("utf-8"))
    ddl, _, major = _sort(setup)
    for title, lines in blocks:
        drift, expected, own = _sort(lines)
        assert expected, f"{path.name}: nothing is expected of {title!r}"
        yield Case(
            file=path.stem,
            title=title,
            setup=ddl,
            ddl=drift,
            expected=tuple(sorted(line for line in expected if line != "nothing")),
            major=max(major, own),
        )


def _split(text: str) -> list[tuple[str, list[str]]]:
    blocks: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        mark = _MARK.match(line)
        if mark and mark[1] in ("setup", "case"):
            blocks.append((mark[2] or "", []))
        elif line:
            blocks[-1][1].append(line)
    return blocks


def _sort(lines: Iterable[str]) -> tuple[str, list[str], int]:
    """The statements, what is expected, and the oldest major."""
    ddl, expected, major = [], [], OLDEST
    for line in lines:
        mark = _MARK.match(line)
        if mark and mark[1] == "expect":
            expected.append(mark[2])
        elif mark:
            major = int(mark[2].removeprefix("pg>="))
        else:
            ddl.append(line)
    return "\n".join(ddl), expected, major


def describe(difference: Difference) -> tuple[str, ...]:
    """A difference as a case file writes it."""
    notes = [f"note {note.note} {_name(note)}".rstrip() for note in difference.notes]
    return tuple(sorted([*(_describe_change(change) for change in difference.changes), *notes]))


def turn_around(difference: Difference) -> tuple[str, ...]:
    """What the comparison in the other direction has to say."""
    turned = []
    for change in difference.changes:
        text = _describe_change(change)
        swapped = {"missing": "unexpected", "unexpected": "missing"}.get(change.change)
        if swapped:
            text = text.replace(change.change, swapped, 1)
        elif change.attributes[0].name == "name":
            _, _, rest = text.rpartition(f"{change.key.name}: name")
            text = text.removesuffix(f"{change.key.name}: name{rest}")
            text += f"{change.attributes[0].actual}: name{rest}"
        turned.append(text)
    notes = [f"note {note.note} {_name(note)}".rstrip() for note in difference.notes]
    return tuple(sorted([*turned, *notes]))


def _describe_change(change: Change) -> str:
    text = f"{change.change} {_name(change)}"
    if change.change != "altered":
        return text
    return f"{text}: {', '.join(evidence.name for evidence in change.attributes)}"


def _name(item: object) -> str:
    key = getattr(item, "key", None)
    if key is None:
        return ""
    parts = (key.schema, key.parent, key.name)
    return f"{key.kind.value} {'.'.join(part for part in parts if part is not None)}"
