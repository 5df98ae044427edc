"""Names that hold the day on which they were made: SQL computes them with the server's clock.

`to_char(now(), 'YYYY_MM')` is the same in two builds of one day, for nobody moves the clock of a
server. So what is named after that day or its month is taken for what another day would name
otherwise.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from monitor.core.keys import ObjectKey
from monitor.core.kinds import Value
from monitor.core.snapshot import SchemaObject

_AHEAD: Final = timedelta(days=900)
"""Another month of another year, and none that the application's own moved clock names."""
_FORMS: Final = ("%Y{0}%m{0}%d", "%Y{0}%m")
_BETWEEN: Final = ("", "_", "-", "m")


def move_dated(
    objects: Mapping[ObjectKey, SchemaObject], days: Iterable[date]
) -> dict[ObjectKey, SchemaObject]:
    """The objects, with those that are named after one of the days named after a later one.

    What belongs to one of them goes along with it, and what mentions one of them as well.
    """
    later = _list_later(days)
    # The day goes before its month, and no piece of a longer number is either.
    longest = sorted(later, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\d)(?:{'|'.join(map(re.escape, longest))})(?!\d)")

    def move(text: str) -> str:
        return pattern.sub(lambda found: later[found[0]], text)

    places = {key: _move_key(key, move) for key in objects}
    renamed = dict(_list_renamed(places))
    mentions = re.compile(rf"\b(?:{'|'.join(map(re.escape, renamed))})\b") if renamed else None

    def mention(text: str) -> str:
        return mentions.sub(lambda found: renamed[found[0]], text) if mentions else text

    moved: dict[ObjectKey, SchemaObject] = {}
    for key, item in objects.items():
        change = mention if places[key] == key else move
        attributes = {name: map_texts(value, change) for name, value in item.attributes.items()}
        moved[places[key]] = SchemaObject(key=places[key], attributes=attributes)
    return moved


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


def _list_later(days: Iterable[date]) -> dict[str, str]:
    """Every way to write one of the days, or its month, and the same for a later day."""
    forms = [form.format(between) for form in _FORMS for between in _BETWEEN]
    return {
        day.strftime(form): (day + _AHEAD).strftime(form) for day in sorted(days) for form in forms
    }


def map_texts(value: Value, change: Callable[[str], str]) -> Value:
    """A value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    return [map_texts(part, change) for part in value] if isinstance(value, list) else value
