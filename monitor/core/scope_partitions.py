"""Partitions that come and go by themselves: this month's, last year's."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from monitor.core.difference import Note
from monitor.core.homes import TABLES, Home, find_parents, is_partition
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.platforms import PARTMAN
from monitor.core.scope_omissions import Omission, list_parts
from monitor.core.snapshot import SchemaObject, Snapshot

PARTITION: Final = "partition"
_DEFAULT: Final = "DEFAULT"
_PARTMAN: Final = ObjectKey(kind=Kind.EXTENSION, schema=None, parent=None, name=PARTMAN)


class Children(StrEnum):
    """What is done about the partitions of a table.

    ``strict``: every one is compared. ``ignore_extra``: those that nobody expects may be
    there. ``ignore``: they come and go.
    """

    STRICT = "strict"
    IGNORE_EXTRA = "ignore_extra"
    IGNORE = "ignore"


type Choose = Callable[[Home], Children | None]
"""What the configuration says of one partitioned table; None where it says nothing."""

type _Tables = Mapping[Home, SchemaObject]


def find_partitions(
    expected: Snapshot, actual: Snapshot, choose: Choose, default: Children
) -> Iterator[Omission]:
    """The partitions that are not compared, one omission for each partitioned table.

    An extra one is a partition that nobody expects of a table that somebody does. A default
    partition is none: it changes which rows are taken, but where pg_partman makes one for
    every table. That one is being detached is told by itself (`monitor.core.scope.compare`).
    """
    family = _Family(
        _list_tables(expected),
        _list_tables(actual),
        choose,
        default,
        makes_rest=_PARTMAN in actual.by_key,
    )
    allowed = family.add_heirs(family.list_allowed() | _list_detached(family, actual))
    wanted, found = (list_parts(side, allowed.keys()) for side in (expected, actual))
    for mother in sorted(set(allowed.values()), key=repr):
        policy = family.choose(mother)
        homes = [home for home, parent in allowed.items() if parent == mother]
        keys = {key for side in (wanted, found) for home in homes for key in side.get(home, ())}
        if policy is not Children.IGNORE:
            keys -= expected.by_key.keys()
        yield Omission(frozenset(keys), _note(mother, len(homes), policy))


def _list_tables(snapshot: Snapshot) -> _Tables:
    return {
        (item.key.schema, item.key.name): item
        for item in snapshot.objects
        if item.key.kind in TABLES
    }


def _note(mother: Home, count: int, policy: Children) -> Note:
    schema, name = mother
    key = ObjectKey(kind=Kind.TABLE, schema=schema, parent=None, name=name)
    noun, verb = ("partition", "is") if count == 1 else ("partitions", "are")
    why = "" if policy is Children.IGNORE else " that nothing expects"
    message = f"{count} {noun} of {key}{why} {verb} not compared."
    return Note(note=PARTITION, key=key, message=message)


class _Family:
    """Which table is a partition of which, on both sides, and what is done about it."""

    def __init__(
        self,
        expected: _Tables,
        actual: _Tables,
        choose: Choose,
        default: Children,
        *,
        makes_rest: bool,
    ) -> None:
        self.expected = expected
        self.actual = actual
        self._choose = choose
        self._default = default
        self._makes_rest = makes_rest

    def choose(self, mother: Home) -> Children:
        """The policy of a table: its own, else that of the table it is a partition of."""
        seen: set[Home] = set()
        place: Home | None = mother
        while place is not None and place not in seen:
            if (chosen := self._choose(place)) is not None:
                return chosen
            seen.add(place)
            item = self.actual.get(place) or self.expected.get(place)
            place = _get_mother(item) if item is not None else None
        return self._default

    def list_allowed(self) -> dict[Home, Home]:
        """Each partition that is not compared, and the table whose policy says so."""
        return {
            home: mother
            for side in (self.expected, self.actual)
            for home, item in side.items()
            if (mother := _get_mother(item)) is not None and self._is_allowed(home, item, mother)
        }

    def _is_allowed(self, home: Home, item: SchemaObject, mother: Home) -> bool:
        match self.choose(mother):
            case Children.IGNORE:
                return True
            case Children.IGNORE_EXTRA:
                is_extra = home not in self.expected and mother in self.expected
                is_rest = item.attributes.get("partition_bound") == _DEFAULT
                return is_extra and (self._makes_rest or not is_rest)
            case _:
                return False

    def add_heirs(self, allowed: dict[Home, Home]) -> dict[Home, Home]:
        """With the extra partitions of extra partitions."""
        found, more = dict(allowed), dict(allowed)
        while more:
            more = {
                home: found[mother]
                for home, item in self.actual.items()
                if (mother := _get_mother(item)) in found
                and home not in found.keys() | self.expected.keys()
            }
            found |= more
        return found


def _get_mother(item: SchemaObject) -> Home | None:
    """The table that it is a partition of; legacy inheritance has nothing to do with it."""
    return find_parents(item)[0] if is_partition(item) else None


def _list_detached(family: _Family, actual: Snapshot) -> dict[Home, Home]:
    """Tables by themselves that were partitions: of such a name, and with the same columns.

    Only where the partitions of the table come and go: nothing else tells one from a copy
    that somebody made.
    """
    mothers = [
        home
        for home, item in family.actual.items()
        if item.attributes.get("partition_by") and family.choose(home) is Children.IGNORE
    ]
    columns = _list_columns(actual) if mothers else {}
    return {
        home: mother
        for mother in mothers
        for home, item in family.actual.items()
        if home[0] == mother[0]
        and home[1].startswith(f"{mother[1]}_")
        and home not in family.expected
        and not find_parents(item)
        and columns.get(home) == columns.get(mother)
    }


def _list_columns(snapshot: Snapshot) -> dict[Home, dict[str, Value]]:
    """The columns of each table with their types."""
    found: dict[Home, dict[str, Value]] = defaultdict(dict)
    for item in snapshot.objects:
        if item.key.kind is Kind.COLUMN and item.key.parent is not None:
            found[item.key.schema, item.key.parent][item.key.name] = item.get("type")
    return found
