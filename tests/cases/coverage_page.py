"""``docs/coverage.md``: what is compared, and the case that shows that it is seen."""

from collections.abc import Iterator
from typing import Final

from monitor.core.keys import Kind
from monitor.core.kinds import KINDS
from tests.cases.reader import Case, read_cases
from tests.cases.traps import LATER, NOT_COMPARED, TRAPS

NEWEST: Final = 18

NOT_ALTERED: Final = {
    (Kind.TABLE, "column_order"): "a note, not a change: nothing that names its columns depends "
    "on their order",
    (Kind.FOREIGN_TABLE, "column_order"): "as for tables",
}
"""Attributes that no case alters, and why."""

_HEAD: Final = """# What is compared

Each line names a statement that makes a schema drift. A test plants it on a real server and
asserts that it is told, and nothing else, in both directions; the campaign of
`make test-long` does so on every major that the line names.
"""
_MOST: Final = 110
"""Characters of a statement: the case file has the rest."""


def write_page() -> str:
    """The page in Markdown."""
    cases = read_cases()
    kinds = [line for kind in Kind for line in _write_kind(kind, cases)]
    return "\n".join([_HEAD, *kinds, *_write_not_compared(), *_write_traps(), *_write_later(), ""])


def _write_kind(kind: Kind, cases: list[Case]) -> Iterator[str]:
    yield f"## {kind.noun}\n"
    yield "| what differs | planted with | seen on |\n|---|---|---|"
    for change in ("missing", "unexpected"):
        case = next(c for c in cases if any(_is_absence(e, change, kind) for e in c.expected))
        yield _write_row(change, case)
    for attribute in sorted(KINDS[kind]):
        if (kind, attribute) in NOT_ALTERED:
            yield f"| `{attribute}` | {NOT_ALTERED[kind, attribute]} | |"
        else:
            yield _write_row(f"`{attribute}`", _find_case(kind, attribute, cases))
    yield ""


def _is_absence(line: str, change: str, kind: Kind) -> bool:
    return line.split()[:2] == [change, kind.value]


def _find_case(kind: Kind, attribute: str, cases: list[Case]) -> Case:
    """The case that says least besides."""
    altering = [
        (len(case.expected), len(names), place)
        for place, case in enumerate(cases)
        for line in case.expected
        if line.split()[:2] == ["altered", kind.value]
        and attribute in (names := line.rsplit(": ", 1)[1].split(", "))
    ]
    return cases[min(altering)[2]]


def _write_row(what: str, case: Case) -> str:
    statement = " ".join(case.ddl.split())
    if len(statement) > _MOST:
        statement = statement[: _MOST - 1] + "…"
    statement = statement.replace("|", "\\|").replace("`", "'")
    return f"| {what} | `{statement}` | {case.major} to {NEWEST} |"


def _write_not_compared() -> Iterator[str]:
    yield "## Not compared\n"
    yield "| what | why |\n|---|---|"
    for what, why in NOT_COMPARED:
        yield f"| {what} | {why} |"
    yield ""


def _write_traps() -> Iterator[str]:
    yield "## Traps\n"
    yield "What made other tools miss drift or cry wolf, and the test that holds it here.\n"
    yield "| trap | held by |\n|---|---|"
    for trap, tests in TRAPS:
        links = ", ".join(f"[{_name(test)}](../tests/{test.split('::')[0]})" for test in tests)
        yield f"| {trap} | {links} |"
    yield ""


def _write_later() -> Iterator[str]:
    yield "## Not yet told\n"
    yield "| what | why |\n|---|---|"
    for what, why in LATER:
        yield f"| {what} | {why} |"


def _name(test: str) -> str:
    return test.split("::")[1].removeprefix("test_").replace("_", " ")
