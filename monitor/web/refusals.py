"""What a route may answer instead, as the description of the interface lists it."""

from typing import Any, Final

from monitor.web.answers import ErrorAnswer

type Refusals = dict[int | str, dict[str, Any]]
"""By status."""


def refuse(status: int, words: str) -> Refusals:
    """One status, and what it means there."""
    return {status: {"model": ErrorAnswer, "description": words}}


NOT_FOUND: Final = refuse(404, "There is no such thing.")
FOREIGN: Final = refuse(403, "The request comes from another site.")
