"""A history drawn in characters: one revision a line, the newest first, a column a branch."""

from collections.abc import Iterator, Mapping, Sequence

from monitor.core.history import History


def draw_graph(
    history: History, order: Sequence[str], marks: Mapping[str, str], *, context: int = 2
) -> Iterator[str]:
    """The lines of a history; runs of revisions that nothing is said about are folded.

    Args:
        history: the graph.
        order: its revisions, each after all that it needs.
        marks: what is said about some of them.
        context: how many beside those are shown.
    """
    rows = [*_draw(history, order)]
    shown = {
        near
        for place, (name, _) in enumerate(rows)
        if marks.get(name)
        for near in range(place - context, place + context + 1)
    }
    width = max((len(lanes) for _, lanes in rows), default=0)
    folded = 0
    for place, (name, lanes) in enumerate(rows):
        if place not in shown:
            folded += 1
            continue
        if folded:
            yield _fold(folded)
            folded = 0
        yield f"{lanes:<{width}}  {name}  {marks.get(name, '')}".rstrip()
    if folded:
        yield _fold(folded)


def _fold(number: int) -> str:
    return f":  {number} more revision{'' if number == 1 else 's'}"


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
