"""Two spellings of one text as two objects, to be made side by side and read back.

Each is like the object that the text belongs to, in a place of its own, on the stage of what
is expected: so the same text is read in the same surroundings, and what the server writes back
is comparable. A column of another type is a change by itself and does not make its defaults
and checks differ as well.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from monitor.core.doubts import Doubt, Place
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.render import RENDERED, render, survey
from monitor.core.snapshot import SchemaObject, Snapshot
from monitor.core.spelling import unify
from monitor.core.stage import STAND_IN, Ground
from monitor.core.stand_ins import list_stand_ins, make_schema

PREFIX: Final = "anchorwatch probe"
SIDES: Final = ("expected", "actual")


class Probe(NamedTuple):
    """An object that carries a text, and where the text is read back.

    Attributes:
        key: of the object with the text.
        objects: what is made for it, in order.
    """

    key: ObjectKey
    objects: tuple[SchemaObject, ...]


class Trial(NamedTuple):
    """The texts of one object, as they are expected and as they are.

    Attributes:
        doubts: what it is about.
        probes: one for each side.
    """

    doubts: tuple[Doubt, ...]
    probes: tuple[Probe, ...]


class Play(NamedTuple):
    """What is done in one scratch.

    Attributes:
        statements: in order; each may fail by itself.
        extensions: which of them, first, make extensions.
        trials: what is learned from it.
    """

    extensions: tuple[str, ...]
    statements: tuple[str, ...]
    trials: tuple[Trial, ...]


def write_play(expected: Snapshot, doubts: Iterable[Doubt]) -> Play:
    """The stage, and on it a trial for each object with a doubt.

    What has no trial cannot be staged.
    """
    ground = Ground(expected)
    by_key: dict[ObjectKey, list[Doubt]] = {}
    for doubt in doubts:
        by_key.setdefault(doubt.key, []).append(doubt)
    trials: list[Trial] = []
    wanted: dict[ObjectKey, None] = {}
    for number, (key, group) in enumerate(by_key.items()):
        trial = _make_trial(expected, ground, tuple(group), number)
        if trial is not None:
            trials.append(trial)
            wanted |= dict.fromkeys(_list_wanted(ground, key, trial))
    stage = ground.build_stage(wanted)
    acting = [item for trial in trials for probe in trial.probes for item in probe.objects]
    around = survey((*stage, *acting))
    stand_ins = list_stand_ins((*stage, *acting), ground.places)
    makers = [item for item in stage if item.key.kind is Kind.EXTENSION]
    rest = [item for item in (*stage, *acting) if item.key.kind not in _NOT_MADE]
    schemas = [item for item in rest if item.key.kind is Kind.SCHEMA]
    homes = {item.key.name for item in schemas}
    wanting = dict.fromkeys(schema for _, (schema, _) in stand_ins)
    schemas += [make_schema(name) for name in wanting if name not in homes]
    others = [item for item in rest if item.key.kind is not Kind.SCHEMA]
    return Play(
        extensions=tuple(render(item, around) for item in (*schemas, *makers)),
        statements=(
            *stand_ins.values(),
            *(render(item, around) for item in others),
        ),
        trials=tuple(trials),
    )


_NOT_MADE: Final = (Kind.COLUMN, Kind.EXTENSION)
"""Columns are made with their table, extensions before everything else."""


def _list_wanted(ground: Ground, key: ObjectKey, trial: Trial) -> Iterable[ObjectKey]:
    yield from ground.list_parents(key)
    if key.kind in (Kind.FUNCTION, Kind.PROCEDURE):
        yield key  # it may call itself
    yield from ground.list_needs(key)
    for probe in trial.probes:
        for item in probe.objects:
            for value in item.attributes.values():
                yield from ground.list_mentions(value)


def list_equals(play: Play, built: Snapshot) -> frozenset[Place]:
    """Where both texts mean the same; a text that was refused means nothing."""
    return frozenset(
        doubt.place
        for trial in play.trials
        for doubt in trial.doubts
        if _is_equal(trial, doubt, built)
    )


def _is_equal(trial: Trial, doubt: Doubt, built: Snapshot) -> bool:
    made = [built.by_key.get(probe.key) for probe in trial.probes]
    if None in made:
        return False
    one, other = (_unify(item.get(doubt.attribute)) for item in made if item)
    return one is not None and one == other


def _unify(value: Value) -> Value:
    """A value with synonyms folded."""
    if isinstance(value, list):
        return [_unify(part) for part in value]
    return unify(value) if isinstance(value, str) else value


def _make_trial(
    expected: Snapshot, ground: Ground, doubts: tuple[Doubt, ...], number: int
) -> Trial | None:
    item = expected.by_key.get(doubts[0].key)
    make = _MAKERS.get(doubts[0].key.kind)
    if item is None or make is None:
        return None
    probes = []
    for place, side in enumerate(SIDES):
        texts = {doubt.attribute: (doubt.wanted, doubt.found)[place] for doubt in doubts}
        workshop = _Workshop(expected, ground, item, f"{PREFIX} {number} {side}")
        probe = make(workshop, texts)
        if probe is None:
            return None
        probes.append(probe)
    return Trial(doubts, tuple(probes))


class _Workshop(NamedTuple):
    """What a probe is made from: the object that it is like, and the name that it gets."""

    expected: Snapshot
    ground: Ground
    item: SchemaObject
    name: str

    def rename(self, **parts: Any) -> ObjectKey:
        """The object's key with the probe's name."""
        key = self.item.key
        known = {"kind": key.kind, "schema": key.schema, "parent": key.parent, "name": self.name}
        return ObjectKey(**{**known, **parts})


type _Texts = Mapping[str, Value]
type _Make = Callable[[_Workshop, _Texts], Probe | None]


def _alike(*kept: str) -> _Make:
    """A maker of probes that hang where the object hangs, with these of its attributes."""

    def make(workshop: _Workshop, texts: _Texts) -> Probe:
        own = workshop.item.keep(frozenset(kept)).attributes
        key = workshop.rename()
        return Probe(key, (SchemaObject(key=key, attributes={**own, **texts}),))

    return make


def _make_index(workshop: _Workshop, texts: _Texts) -> Probe | None:
    """The index; of one that only its predicate is about, any other key does.

    Its own may need an operator class of somebody's making.
    """
    if texts.keys() == {"predicate"}:
        key = workshop.rename()
        any_key: dict[str, Value] = {"method": "btree", "columns": [None], "expressions": ["1"]}
        return Probe(key, (SchemaObject(key=key, attributes={**any_key, **texts}),))
    return _make_whole_index(workshop, texts)


_make_whole_index: Final = _alike(
    "method", "columns", "expressions", "opclasses", "collations", "order", "predicate"
)


def _make_routine(workshop: _Workshop, texts: _Texts) -> Probe:
    """A routine of the same name, by which its body may call its arguments, in a new schema."""
    key = workshop.rename(schema=workshop.name, name=workshop.item.key.name)
    home = ObjectKey(kind=Kind.SCHEMA, schema=None, parent=None, name=workshop.name)
    own = workshop.item.keep(RENDERED[key.kind]).attributes
    body = {} if "body" in texts else STAND_IN
    made = SchemaObject(key=key, attributes={**own, **body, **texts})
    return Probe(key, (SchemaObject(key=home, attributes={}), made))


def _make_domain(workshop: _Workshop, texts: _Texts) -> Probe:
    """A domain; the default is cast to its type, as the server does when it stores a row."""
    item = workshop.item
    own = item.keep({"type", "collation"}).attributes
    default = _cast(texts["default"], item.get("type"))
    key = workshop.rename()
    return Probe(key, (SchemaObject(key=key, attributes={**own, "default": default}),))


def _make_column(workshop: _Workshop, texts: _Texts) -> Probe:
    """The column in a table of its own, beside the others that an expression may read.

    The text is cast to the column's type: a literal that came to the column as a varchar and
    one that came as a text are stored alike.
    """
    key = workshop.item.key
    table = workshop.rename(kind=Kind.TABLE, parent=None)
    mother = ObjectKey(kind=Kind.TABLE, schema=key.schema, parent=None, name=key.parent or "")
    columns = [
        _move(part, workshop.name)
        for part in workshop.ground.list_parts(mother)
        if part.key.kind is Kind.COLUMN
    ]
    cast = {name: _cast(text, workshop.item.get("type")) for name, text in texts.items()}
    if "generated" in cast:
        cast["generated_kind"] = "stored"
    probed = workshop.rename(parent=workshop.name, name=key.name)
    made = [_with(item, **cast) if item.key == probed else item for item in columns]
    return Probe(probed, (SchemaObject(key=table, attributes={}), *made))


def _make_table(workshop: _Workshop, texts: _Texts) -> Probe | None:
    """A partitioned table with the key, or a partition of such a one with the bound."""
    if "partition_by" in texts:
        return _make_partitioned(workshop, workshop.item, workshop.name, texts["partition_by"])
    parents: Any = workshop.item.get("inherits") or [[None, ""]]
    mother = workshop.expected.by_key.get(
        ObjectKey(kind=Kind.TABLE, schema=parents[0][0], parent=None, name=parents[0][1])
    )
    if mother is None:
        return None
    name = f"{workshop.name} parent"
    parent = _make_partitioned(workshop, mother, name, mother.get("partition_by"))
    key = workshop.rename()
    bound: dict[str, Value] = {
        "inherits": [[parent.key.schema, name]],
        "partition_bound": texts["partition_bound"],
    }
    return Probe(key, (*parent.objects, SchemaObject(key=key, attributes=bound)))


def _make_partitioned(workshop: _Workshop, like: SchemaObject, name: str, by: Value) -> Probe:
    key = ObjectKey(kind=Kind.TABLE, schema=like.key.schema, parent=None, name=name)
    columns = [
        _move(part, name)
        for part in workshop.ground.list_parts(like.key)
        if part.key.kind is Kind.COLUMN
    ]
    return Probe(key, (SchemaObject(key=key, attributes={"partition_by": by}), *columns))


_MAKERS: Final[Mapping[Kind, _Make]] = {
    Kind.COLUMN: _make_column,
    Kind.TABLE: _make_table,
    Kind.DOMAIN: _make_domain,
    Kind.FUNCTION: _make_routine,
    Kind.PROCEDURE: _make_routine,
    Kind.CHECK: _alike(),
    Kind.EXCLUSION: _alike(),
    Kind.INDEX: _make_index,
    Kind.VIEW: _alike(),
    Kind.MATERIALIZED_VIEW: _alike(),
    Kind.RULE: _alike(),
    Kind.TRIGGER: _alike("constraint"),
    Kind.POLICY: _alike("command", "using", "check"),
    Kind.STATISTICS: _alike("kinds", "columns", "expressions", "table_schema"),
    Kind.PUBLICATION: _alike(),
}


def _cast(text: Value, type_: Value) -> Value:
    """The text as its column takes it, but for a length: a cast cuts off what a column refuses."""
    if not (isinstance(text, str) and isinstance(type_, str)):
        return text
    return f"CAST(({text}) AS {_leave_modifier(type_)})"


_QUOTED_OR_MODIFIER: Final = re.compile(r'("(?:[^"]|"")*")|\s*\([^()]*\)')
_INTERVAL: Final = re.compile(r"interval\b[^\[]*")
_ONE_LONG: Final = re.compile(r"(character(?! varying)|bit(?! varying))(?=\[|$)")
"""Types that mean a length of one where they are written without any."""


def _leave_modifier(type_: str) -> str:
    """The type without its length, precision or fields."""
    bare = _QUOTED_OR_MODIFIER.sub(lambda found: found[1] or "", type_)
    bare = _INTERVAL.sub("interval", bare)
    return _ONE_LONG.sub(lambda found: _UNBOUNDED[found[1]], bare)


_UNBOUNDED: Final = {"character": "pg_catalog.bpchar", "bit": 'pg_catalog."bit"'}


def _with(item: SchemaObject, **attributes: Value) -> SchemaObject:
    return SchemaObject(key=item.key, attributes={**item.attributes, **attributes})


def _move(item: SchemaObject, table: str) -> SchemaObject:
    key = item.key
    moved = ObjectKey(kind=key.kind, schema=key.schema, parent=table, name=key.name)
    return SchemaObject(key=moved, attributes=item.attributes)
