"""Names that hold the day on which they were made: SQL computes them with the server's clock.

`to_char(now(), 'YYYY_MM')` is the same in two builds of one day, for nobody moves the clock of a
server. So what is named after that day or its month is taken for what another day would name
otherwise. Where it is known what the statements of the build said, a date that none of them said
is one that the server has computed: then those of the months ahead count as well, and a date that
stands in a statement is that of every build.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from monitor.core.keys import ObjectKey
from monitor.core.kinds import Value
from monitor.core.snapshot import SchemaObject

DATE: Final = r"(?<!\d)((?:19|20)\d\d)([-_m]?)(0[1-9]|1[0-2])(?:\2(0[1-9]|[12]\d|3[01]))?(?!\d)"
"""A month or a day in a name or a statement, no piece of a longer number; for Python 3.8 too."""
DATED: Final = re.compile(DATE)
SAID: Final = rf"\b\w*(?<!\d)(?:19|20)\d\d(?!\d|[-_m]?(?:0[1-9]|1[0-2])(?!\d))|{DATE}"
"""What a statement says of days: a date, or a name as far as its year, where no month follows
because a loop puts in the months; for Python 3.8 too."""
_SAID: Final = re.compile(SAID)
_AHEAD: Final = timedelta(days=900)
_MONTHS_AHEAD: Final = 30
"""Another month of another year, and none that the application's own moved clock names."""
_OLDEST: Final = timedelta(days=100)
_NEWEST: Final = timedelta(days=62)


def find_dates(text: str) -> Iterator[str]:
    """Every month and day that a text names, as it stands there, and what begins with a year."""
    return (found[0] for found in _SAID.finditer(text))


def list_days(today: date) -> set[date]:
    """The day of a build, wherever the server is."""
    return {today + timedelta(days=days) for days in (-1, 0, 1)}


def move_dated(
    objects: Mapping[ObjectKey, SchemaObject], today: date, said: Collection[str] | None
) -> dict[ObjectKey, SchemaObject]:
    """The objects, with those that are named after the clock named after a later day.

    What belongs to one of them goes along with it, and what mentions one of them as well.

    Args:
        objects: of a build.
        today: when it was made.
        said: the dates in the statements that made it; None where that is not known.
    """
    moving = _list_moving(objects, today, said)

    def move(text: str) -> str:
        return DATED.sub(lambda it: _move_date(it) if it[0] in moving else it[0], text)

    places = {key: _move_key(key, move) for key in objects} if moving else {}
    renamed = dict(_list_renamed(places))
    if not renamed:
        return dict(objects)
    mentions = re.compile(rf"\b(?:{'|'.join(map(re.escape, renamed))})\b")

    def mention(text: str) -> str:
        return mentions.sub(lambda found: renamed[found[0]], text)

    moved: dict[ObjectKey, SchemaObject] = {}
    for key, item in objects.items():
        change = mention if places[key] == key else move
        attributes = {name: map_texts(value, change) for name, value in item.attributes.items()}
        moved[places[key]] = SchemaObject(key=places[key], attributes=attributes)
    return moved


def _list_moving(
    objects: Iterable[ObjectKey], today: date, said: Collection[str] | None
) -> set[str]:
    """The dates in names that are another day's in a build of another day."""
    names = {name for key in objects for name in (key.schema, key.name) if name}
    if said is None:
        near = list_days(today)
        return {it[0] for name in names for it in DATED.finditer(name) if _is_near(it, near)}
    moving: set[str] = set()
    begun = {*_list_said(said)}
    for dates in _list_series(names, frozenset(said)):
        first = min(dates.values())
        if begins_near(first, today) and first not in begun:
            moving |= dates.keys()
    return moving


def begins_near(first: date, today: date) -> bool:
    """Whether the clock of that day may have begun a series; another series is as it is."""
    return today.replace(day=1) - _OLDEST <= first <= today + _NEWEST


def _list_said(said: Iterable[str]) -> Iterator[date]:
    """The days that statements said in any form; of a month the first one.

    A loop from `'2026-10-01'` on names its months in a form of its own, and is no clock's.
    """
    for text in said:
        found = DATED.fullmatch(text)
        day = read_date(found) if found else None
        if day:
            yield day


def _is_near(found: re.Match[str], days: Collection[date]) -> bool:
    """Whether it is one of the days, or the month of one."""
    first = read_date(found)
    return first in (days if found[4] else {day.replace(day=1) for day in days})


def _list_series(names: Iterable[str], said: frozenset[str]) -> Iterable[Mapping[str, date]]:
    """The dates that names have which differ in nothing else; without those that were said.

    A name was said as well where a statement has all of it up to the year: `rep_2026_%s`.
    """
    series: dict[str, dict[str, date]] = defaultdict(dict)
    for name in names:
        for found in DATED.finditer(name):
            day = read_date(found)
            if day and not said & {found[0], name[: found.start() + 4]}:
                series[DATED.sub("\0", name)][found[0]] = day
    return series.values()


def read_date(found: re.Match[str]) -> date | None:
    """The day, the first one of a month; None where there is no such day."""
    try:
        return date(int(found[1]), int(found[3]), int(found[4] or 1))
    except ValueError:
        return None


def _move_date(found: re.Match[str]) -> str:
    """The same for a later day; no two are moved to one."""
    day = read_date(found)
    if day is None:
        return found[0]
    return write_date(found, add_months(day, _MONTHS_AHEAD) if found[4] is None else day + _AHEAD)


def write_date(found: re.Match[str], day: date) -> str:
    """Another day as that one is written."""
    return day.strftime(f"%Y{found[2]}%m" if found[4] is None else f"%Y{found[2]}%m{found[2]}%d")


def add_months(first: date, months: int) -> date:
    """The first day of a month so many months later."""
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def _move_key(key: ObjectKey, move: Callable[[str], str]) -> ObjectKey:
    return msgspec.structs.replace(
        key,
        schema=None if key.schema is None else move(key.schema),
        parent=None if key.parent is None else move(key.parent),
        name=move(key.name),
    )


def _list_renamed(places: Mapping[ObjectKey, ObjectKey]) -> Iterator[tuple[str, str]]:
    """Every name that became another one, the longest first."""
    pairs = {
        (before, after)
        for key, place in places.items()
        for before, after in ((key.schema, place.schema), (key.name, place.name))
        if before is not None and after is not None and before != after
    }
    yield from sorted(pairs, key=lambda pair: (-len(pair[0]), pair))


def map_texts(value: Value, change: Callable[[str], str]) -> Value:
    """A value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    return [map_texts(part, change) for part in value] if isinstance(value, list) else value
