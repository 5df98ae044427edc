"""A history drawn in characters: one revision a line, the newest first, a column a branch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from monitor.core.diagnosis import Diagnosis
from monitor.core.history import History
from monitor.core.way_out import find_reached

CONTEXT: Final = 2
"""Revisions that are shown on either side of one that something is said about."""
MOST_ROWS: Final = 200
"""What a page shows: who wants more of it asks the command line."""

type Marks = Mapping[str, Sequence[str]]
"""What is said about some revisions, in words."""


class GraphRow(msgspec.Struct, frozen=True):
    """One line: a revision, or how many of them are left out.

    Attributes:
        cells: the columns: `*` the revision, `|` a branch that passes it.
        revision: its id; None for those that are left out.
        marks: what is said about it.
        folded: how many are left out here.
    """

    cells: str
    revision: str | None = None
    marks: tuple[str, ...] = ()
    folded: int = 0


def mark_revisions(
    history: History, stamped: Iterable[str], found: Diagnosis | None = None
) -> dict[str, list[str]]:
    """What is said about each revision: where the stamp is, and where the schema is."""
    half = found.half if found else None
    marks: dict[str, list[str]] = {}
    for names, mark in (
        (found.heads if found else history.heads, "head"),
        (stamped, "stamped"),
        (find_reached(history, found.present) if found else (), "schema"),
        (found.missing_revisions if found else (), "NEVER RAN"),
        (found.extra_revisions if found else (), "THERE, NOT STAMPED"),
        ((one.id for one in found.edited) if found else (), "EDITED SINCE"),
        ((half.revision,) if half else (), "STOPPED HALFWAY"),
    ):
        for name in names:
            marks.setdefault(name, []).append(mark)
    return marks


def list_rows(history: History, order: Sequence[str], marks: Marks) -> Iterator[GraphRow]:
    """The lines of a history; runs of revisions that nothing is said about are left out.

    Args:
        history: the graph.
        order: its revisions, each after all that it needs.
        marks: what is said about some of them.
    """
    rows = [*_draw(history, order)]
    shown = {
        near
        for place, (name, _) in enumerate(rows)
        if marks.get(name)
        for near in range(place - CONTEXT, place + CONTEXT + 1)
    }
    width = max((len(cells) for _, cells in rows), default=0)
    folded = 0
    for place, (name, cells) in enumerate(rows):
        if place not in shown:
            folded += 1
            continue
        if folded:
            yield GraphRow(":", folded=folded)
            folded = 0
        yield GraphRow(f"{cells:<{width}}", name, tuple(marks.get(name, ())))
    if folded:
        yield GraphRow(":", folded=folded)


def cut_rows(rows: Iterable[GraphRow], most: int = MOST_ROWS) -> tuple[GraphRow, ...]:
    """The first of them, and how many revisions are left out at the end."""
    given = iter(rows)
    kept = [*islice(given, most)]
    rest = sum(row.folded or 1 for row in given)
    return (*kept, GraphRow(":", folded=rest)) if rest else tuple(kept)


def draw_row(row: GraphRow) -> str:
    """One line as text."""
    if row.revision is None:
        return f":  {row.folded} more revision{'' if row.folded == 1 else 's'}"
    return f"{row.cells}  {row.revision}  {', '.join(row.marks)}".rstrip()


def _draw(history: History, order: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each revision with its line of columns."""
    lanes: list[str | None] = []
    for name in reversed(order):
        if name not in lanes:
            lanes = _open_lane(lanes, name)
        place = lanes.index(name)
        cells = ("*" if n == place else "|" if lane else " " for n, lane in enumerate(lanes))
        yield name, " ".join(cells).rstrip()
        lanes = [None if lane == name and n != place else lane for n, lane in enumerate(lanes)]
        # A branch that began elsewhere ends in the column furthest to the left.
        kept = {*history.parents[name]} & {*lanes[:place]}
        lanes = [
            None if n > place and lane in history.parents[name] else lane
            for n, lane in enumerate(lanes)
        ]
        parents = [one for one in history.parents[name] if one not in kept]
        lanes[place] = parents[0] if parents else None
        for other in parents[1:]:
            lanes = _open_lane(lanes, other)
        while lanes and lanes[-1] is None:
            lanes.pop()


def _open_lane(lanes: list[str | None], name: str) -> list[str | None]:
    """The lanes, with one for a revision: an empty one where there is such."""
    if None in lanes:
        place = lanes.index(None)
        return [*lanes[:place], name, *lanes[place + 1 :]]
    return [*lanes, name]
