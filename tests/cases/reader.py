"""Case files: one setup, and single drifts with what must be said about each.

-- setup                        built once, with `-- needs pg>=N` for all cases
-- case TITLE                   statements that plant one drift
-- expect missing KIND NAME     or unexpected
-- expect altered KIND NAME: ATTRIBUTE, ...
-- expect note WORD KIND NAME
-- expect nothing
-- needs pg>=N                  the drift can be planted from this major on

The files in `scope/` are compared as an agent does. There what is only information is
expected as `info altered ...`, a setup that says `-- built` counts as built, by a role that
declares no owner, and a case may say what is compared:

-- scope partitions strict      or `only app`, `without app`, `managed`, `role NAME OTHER`
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from monitor.core.difference import Change, Difference
from monitor.core.findings import Severity
from monitor.core.scope import Scope
from monitor.core.scope_names import OWNER
from monitor.core.scope_partitions import Children

HERE = Path(__file__).parent
OLDEST = 14

_APART = re.compile(r"\b(?:concurrently|vacuum)\b")
_MARK = re.compile(r"^-- (setup|case|expect|needs|built|scope)(?: (.*))?$")


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
        scope: what is compared.
        is_built: whether what is expected counts as built.
    """

    file: str
    title: str
    setup: str
    ddl: str
    expected: tuple[str, ...]
    major: int
    scope: Scope
    is_built: bool

    @property
    def runs_apart(self) -> bool:
        """Whether its statements refuse to run in a transaction."""
        return _APART.search(self.ddl) is not None

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def read_cases() -> list[Case]:
    """Every case of every file about the bare comparison."""
    return _read_folder(HERE)


def read_scoped_cases() -> list[Case]:
    """Every case of every file about what is compared at all."""
    return _read_folder(HERE / "scope")


def _read_folder(folder: Path) -> list[Case]:
    return [case for path in sorted(folder.glob("*.sql")) for case in _read_file(path)]


def _read_file(path: Path) -> Iterator[Case]:
    (_, setup), *blocks = _split(path.read_text("utf-8"))
    ddl, common = _sort(setup)
    for title, lines in blocks:
        drift, marks = _sort(lines)
        expected = marks["expect"]
        assert expected, f"{path.name}: nothing is expected of {title!r}"
        needs = [*common["needs"], *marks["needs"], f"pg>={OLDEST}"]
        yield Case(
            file=path.stem,
            title=title,
            setup=ddl,
            ddl=drift,
            expected=tuple(sorted(line for line in expected if line != "nothing")),
            major=max(int(need.removeprefix("pg>=")) for need in needs),
            scope=_read_scope(marks["scope"]),
            is_built="built" in common,
        )


def _read_scope(lines: Iterable[str]) -> Scope:
    said: dict[str, Any] = {}
    for line in lines:
        match line.split():
            case ["managed"]:
                said["managed"] = True
            case ["partitions", policy]:
                said["partitions"] = Children(policy)
            case ["role", role, name]:
                named = {role: OWNER if name == "owner" else name}
                said["roles"] = said.get("roles", {}) | named
            case ["only" | "without" as word, *schemas]:
                said[word] = tuple(schemas)
            case _:
                raise ValueError(f"no scope is written like {line!r}")
    return Scope(**said)


def _split(text: str) -> list[tuple[str, list[str]]]:
    blocks: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        mark = _MARK.match(line)
        if mark and mark[1] in ("setup", "case"):
            blocks.append((mark[2] or "", []))
        elif line:
            blocks[-1][1].append(line)
    return blocks


def _sort(lines: Iterable[str]) -> tuple[str, dict[str, list[str]]]:
    """The statements, and what the marks say."""
    ddl: list[str] = []
    marks: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        if mark := _MARK.match(line):
            marks[mark[1]].append(mark[2] or "")
        else:
            ddl.append(line)
    return "\n".join(ddl), marks


def describe(difference: Difference) -> tuple[str, ...]:
    """A difference as a case file writes it."""
    notes = [f"note {note.note} {_name(note)}".rstrip() for note in difference.notes]
    return tuple(sorted([*(_describe_change(change) for change in difference.changes), *notes]))


def describe_graded(difference: Difference) -> tuple[str, ...]:
    """The same, with a word about what is only information."""
    told = [
        f"{'info ' if change.severity is Severity.INFO else ''}{_describe_change(change)}"
        for change in difference.changes
    ]
    notes = describe(msgspec.structs.replace(difference, changes=()))
    return tuple(sorted([*told, *notes]))


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
