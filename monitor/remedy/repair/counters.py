"""How many rows a transaction has changed so far, with all that cascades and triggers did.

The server counts by itself. What it counted before the transaction is taken off.
https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from monitor.remedy.repair.ground import Ground, load
from monitor.sources.rows import Rows

EVENTS: Final = ("insert", "update", "delete")

type Counts = Counter[tuple[int, str]]
"""By a table, or what it is a partition of, and an event."""


class Counted(NamedTuple):
    """What the server counted.

    Attributes:
        rows: that were changed.
        names: of their tables.
    """

    rows: Counts
    names: dict[int, str]


async def read_counts(rows: Rows) -> Counted:
    """What was counted so far, by table; raises as ``rows`` does."""
    counted = Counted(Counter(), {})
    for table, name, *numbers in await rows.fetch(load("counters")):
        counted.names[int(table or 0)] = name or ""
        for event, number in zip(EVENTS, numbers, strict=True):
            counted.rows[int(table or 0), event] += int(number or 0)
    return counted


def compare(
    ground: Ground, before: Counts, after: Counts, expected: Mapping[tuple[int, str], int]
) -> tuple[Counts, Counts]:
    """What was changed beyond what was expected, and what of that was not."""
    made: Counts = Counter()
    for (table, event), number in after.items():
        known = ground.by_oid.get(table)
        made[known.top if known else table, event] += number - before[table, event]
    wanted: Counts = Counter(expected)
    return made - wanted, wanted - made
