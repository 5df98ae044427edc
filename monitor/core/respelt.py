"""The same thing under another name and in another spelling at the same time.

By its text alone it is one thing that is missing and another one that is unexpected. Where
its texts are proven to mean the same it is a rename: a dump and a restore, which respell a
check, must not turn the rename that somebody knows of into something new.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from monitor.core.diff_renames import RENAMEABLE, describe_definition
from monitor.core.difference import Difference
from monitor.core.doubts import Doubt
from monitor.core.snapshot import SchemaObject, Snapshot
from monitor.core.spelling import TEXTS, are_synonyms, may_be_synonyms


class Respelt(NamedTuple):
    """What is missing, and what is there and may be the same.

    Attributes:
        old: as it is expected.
        new: as it is.
        texts: the attributes in which they differ, apart from the name.
        doubts: what only a server can tell about them.
    """

    old: SchemaObject
    new: SchemaObject
    texts: tuple[str, ...]
    doubts: tuple[Doubt, ...]


def find_respelt(
    expected: Snapshot, actual: Snapshot, difference: Difference
) -> tuple[Respelt, ...]:
    """What may be renamed and respelled, one to one."""
    news: dict[bytes, list[SchemaObject]] = defaultdict(list)
    for item in _pick(actual, difference, "unexpected"):
        news[_describe_frame(item)].append(item)
    found: list[Respelt] = []
    for old in _pick(expected, difference, "missing") if news else ():
        there = (_compare(old, new) for new in news.get(_describe_frame(old), ()))
        fitting = [one for one in there if one is not None]
        if len(fitting) == 1:
            found += fitting
    taken = [one.new.key for one in found]
    return tuple(one for one in found if taken.count(one.new.key) == 1)


def _pick(snapshot: Snapshot, difference: Difference, change: str) -> Iterator[SchemaObject]:
    for one in difference.changes:
        if one.change == change and one.key.kind in RENAMEABLE & TEXTS.keys():
            item = snapshot.by_key.get(one.key)
            if item is not None:
                yield item


def _describe_frame(item: SchemaObject) -> bytes:
    """All that defines it and has one spelling."""
    return describe_definition(item, without=TEXTS[item.key.kind])


def _compare(old: SchemaObject, new: SchemaObject) -> Respelt | None:
    """Both, where nothing is certain to differ but the name, and something is spelt otherwise."""
    kind, texts, doubts = old.key.kind, list[str](), list[Doubt]()
    for name in sorted(TEXTS[kind]):
        wanted, found = old.get(name), new.get(name)
        if wanted == found:
            continue
        if not may_be_synonyms(kind, name, wanted, found):
            return None
        texts.append(name)
        if not are_synonyms(kind, name, wanted, found):
            doubts.append(Doubt(old.key, name, wanted, found))
    return Respelt(old, new, tuple(texts), tuple(doubts)) if texts else None


def respell(actual: Snapshot, pairs: Iterable[Respelt]) -> Snapshot:
    """The snapshot with the texts of these as they are expected."""
    return actual.swap({one.new.key: _take_texts(one) for one in pairs})


def _take_texts(one: Respelt) -> SchemaObject:
    texts = {name: one.old.get(name) for name in one.texts}
    return SchemaObject(key=one.new.key, attributes={**one.new.attributes, **texts})
