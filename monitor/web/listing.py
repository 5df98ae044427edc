"""Which databases the overview lists, and in what order: pure, from the address of the page.

Whatever somebody writes into an address is an answer, not an error: an old bookmark still opens.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from monitor.core.smoke import StepStatus
from monitor.core.verdict import State
from monitor.web.answers import DatabaseAnswer
from monitor.web.wording import choose_tone, name_state

PAGE: Final = 200
"""Databases that one page shows."""

MAX_WORDS: Final = 100
"""Characters of a search that are read."""

TONES: Final = ("critical", "warning", "unknown", "moving", "good")
"""From what needs a person to what does not."""

TONE_WORDS: Final[Mapping[str, str]] = {
    "critical": "critical",
    "warning": "with warnings",
    "unknown": "unknown",
    "moving": "on the way",
    "good": "as expected",
}
"""What a page says of the databases of a tone."""

_STATES: Final = frozenset({*TONES, *(state.value for state in State)})

_WORST_FIRST: Final = (StepStatus.FAIL, StepStatus.UNKNOWN, StepStatus.WARN, StepStatus.PASS)
_LAST: Final = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a page is asked to list.

    Attributes:
        state: a state or a tone; empty for all.
        environment: empty for all.
        words: each of them has to be found; what is searched for is text, never a pattern.
        sort: one of `COLUMNS`.
        is_reversed: whether the order is the other way round.
        page: from 1.
    """

    state: str = ""
    environment: str = ""
    words: str = ""
    sort: str = "state"
    is_reversed: bool = False
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Whether some databases may be left out."""
        return bool(self.state or self.environment or self.words)

    def link(self, **changes: Any) -> str:
        """The address of the page with something else about it, from its first page on."""
        other = replace(self, **{"page": 1} | changes)
        sort = ("-" if other.is_reversed else "") + other.sort
        fields = {
            "q": other.words,
            "state": other.state,
            "environment": other.environment,
            "sort": "" if sort == _DEFAULT.sort else sort,
            "page": other.page if other.page > 1 else "",
        }
        asked = urlencode({name: value for name, value in fields.items() if value})
        return f"/?{asked}" if asked else "/"

    def turn(self, column: str) -> str:
        """The address that sorts by a column: the other way round where it does already."""
        is_again = column == self.sort and not self.is_reversed
        return self.link(sort=column, is_reversed=is_again)

    def tell_order(self, column: str) -> str | None:
        """The ``aria-sort`` of a column; None where another one decides."""
        if column != self.sort:
            return None
        return "descending" if self.is_reversed else "ascending"


_DEFAULT: Final = Listing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page of databases.

    Attributes:
        listing: what was asked, with a page that there is.
        databases: those of this page.
        matches: how many there are on all pages.
        pages: how many pages there are; at least 1.
    """

    listing: Listing
    databases: Sequence[DatabaseAnswer]
    matches: int
    pages: int

    @property
    def first(self) -> int:
        """The place of the first of them among all, from 1."""
        return (self.listing.page - 1) * PAGE + 1


def read_listing(query: Mapping[str, str]) -> Listing:
    """What the query of an address asks for; what nobody understands asks for nothing."""
    sort = query.get("sort", "")
    is_reversed = sort.startswith("-")
    column = sort.removeprefix("-")
    page = query.get("page", "")
    is_number = page.isascii() and page.isdigit() and len(page) < len(str(PAGE)) + 4
    state = query.get("state", "").strip()
    return Listing(
        state=state if state in _STATES else "",
        environment=query.get("environment", "")[:MAX_WORDS],
        words=query.get("q", "").strip()[:MAX_WORDS],
        sort=column if column in COLUMNS else _DEFAULT.sort,
        is_reversed=is_reversed and column in COLUMNS,
        page=max(int(page), 1) if is_number else 1,
    )


def list_page(databases: Sequence[DatabaseAnswer], listing: Listing) -> Listed:
    """The databases that a page shows; behind the last page is the last."""
    found = sorted(
        (one for one in databases if _is_asked_for(one, listing)),
        key=lambda one: (one.environment, one.name),
    )
    # Sorting is stable, also the other way round: equals stay in the order of their names.
    found.sort(key=COLUMNS[listing.sort], reverse=listing.is_reversed)
    pages = max(1, -(-len(found) // PAGE))
    page = min(listing.page, pages)
    return Listed(
        listing=replace(listing, page=page),
        databases=found[(page - 1) * PAGE : page * PAGE],
        matches=len(found),
        pages=pages,
    )


def _is_asked_for(database: DatabaseAnswer, listing: Listing) -> bool:
    if listing.state and listing.state not in (database.state.value, find_tone(database)):
        return False
    if listing.environment and listing.environment != database.environment:
        return False
    searched = "\n".join(_list_texts(database)).casefold()
    return all(word in searched for word in listing.words.casefold().split())


def _list_texts(database: DatabaseAnswer) -> list[str]:
    texts = (
        database.name,
        database.environment,
        name_state(database.state.value),
        database.revision,
        database.expected,
        database.problem or database.summary,
    )
    return [text for text in texts if text]


def find_tone(database: DatabaseAnswer) -> str:
    """Which colour and shape it wears."""
    return choose_tone(database.state, database.severity)


def count_tones(databases: Sequence[DatabaseAnswer]) -> dict[str, int]:
    """How many databases wear each tone, the worst first."""
    worn = [find_tone(database) for database in databases]
    return {tone: worn.count(tone) for tone in TONES}


def list_states(databases: Sequence[DatabaseAnswer], listing: Listing) -> list[State]:
    """The states that there are and what is asked for, from the worst down."""
    seen = {database.state.value for database in databases} | {listing.state}
    return [state for state in State if state.value in seen]


def list_environments(databases: Sequence[DatabaseAnswer], listing: Listing) -> list[str]:
    """Where they run, and where they are asked for."""
    asked = {listing.environment} if listing.environment else set()
    return sorted({database.environment for database in databases} | asked)


def _rank_number(number: int | None) -> tuple[bool, int]:
    """The most first, not known last."""
    return number is None, -(number or 0)


def _rank_moment(moment: datetime | None) -> tuple[bool, float]:
    """The youngest first, never last."""
    return moment is None, -(moment.timestamp() if moment else 0)


def _rank_smoke(status: StepStatus | None) -> int:
    return _WORST_FIRST.index(status) if status in _WORST_FIRST else len(_WORST_FIRST)


COLUMNS: Final[Mapping[str, Callable[[DatabaseAnswer], Any]]] = {
    "state": lambda one: TONES.index(find_tone(one)),
    "name": lambda one: one.name,
    "since": lambda one: _rank_moment(one.since),
    "revision": lambda one: one.revision or _LAST,
    "pending": lambda one: _rank_number(one.pending),
    "differences": lambda one: _rank_number(one.differences),
    "orphans": lambda one: _rank_number(one.orphans),
    "smoke": lambda one: _rank_smoke(one.smoke),
    "look": lambda one: _rank_moment(one.last_look),
}
"""What the overview can be sorted by; each begins with what is looked for more often."""
