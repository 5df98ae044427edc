"""What tests of comparisons share."""

from monitor.core.difference import Difference
from tests.cases.reader import describe


def list_changes(difference: Difference) -> list[str]:
    """The changes as case files write them, without the notes."""
    return [line for line in describe(difference) if not line.startswith("note ")]


def list_noted(difference: Difference, note: str = "spelling") -> set[str]:
    """The objects that have a note of this kind."""
    start = f"note {note} "
    lines = describe(difference)
    return {line.removeprefix(start) for line in lines if line.startswith(start)}
