"""The schema of one source at one moment: canonical, comparable and hashable.

A snapshot holds no row data and no secret. Two snapshots of equal schemas have
equal fingerprints, whatever server, order or object number they came from.
"""

import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

import msgspec

from monitor.core.errors import DamagedFile
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, Value

FORMAT: Final = 1
"""The version of the JSON form; a reader refuses what it does not know."""

MODEL: Final = 1
"""The version of the model: stored fingerprints of another one are taken anew."""


class SchemaObject(msgspec.Struct, frozen=True, gc=False):
    """One object: its key, and its attributes where they differ from the default."""

    key: ObjectKey
    attributes: Mapping[str, Value]

    def get(self, attribute: str) -> Value:
        """The attribute, or the default it stands for when it is absent."""
        if attribute in self.attributes:
            return self.attributes[attribute]
        return KINDS[self.key.kind][attribute].default

    def keep(self, names: AbstractSet[str]) -> "SchemaObject":
        """The object with these of its attributes, and no others."""
        attributes = {name: value for name, value in self.attributes.items() if name in names}
        return SchemaObject(key=self.key, attributes=attributes)


class VersionTable(msgspec.Struct, frozen=True):
    """One Alembic version table and what it says.

    Attributes:
        schema: its schema.
        name: its name, ``alembic_version`` unless configured otherwise.
        width: characters that a revision may have, None for no limit.
        revisions: its rows, sorted; None when they could not be read.
    """

    schema: str
    name: str
    width: int | None
    revisions: tuple[str, ...] | None


class ServerFacts(msgspec.Struct, frozen=True):
    """The server that a snapshot was read from.

    Attributes:
        version_num: as ``server_version_num``, 160004 for 16.4.
        database: the name of the database.
        owner: the role that owns the database.
        in_recovery: whether it is a standby.
    """

    version_num: int
    database: str
    owner: str
    in_recovery: bool = False

    @property
    def major(self) -> int:
        """The major version."""
        return self.version_num // 10000


class Dependency(msgspec.Struct, frozen=True, gc=False):
    """``dependent`` cannot exist without ``needed``, and no attribute says so."""

    dependent: ObjectKey
    needed: ObjectKey


class Snapshot(msgspec.Struct, frozen=True, dict=True):
    """The schema of one source at one moment; build one with `make_snapshot`.

    Attributes:
        objects: sorted by key, no key twice.
        dependencies: sorted, for ordering a plan.
        version_tables: sorted, not part of the fingerprint.
        others: how many objects of each kind that is not modelled.
        server: where it was read; None for one that was put together.
        builder: the role that built it in a shadow: what it owns has no
            declared owner. None for a live database.
    """

    objects: tuple[SchemaObject, ...]
    dependencies: tuple[Dependency, ...] = ()
    version_tables: tuple[VersionTable, ...] = ()
    others: Mapping[str, int] = {}
    server: ServerFacts | None = None
    builder: str | None = None

    @cached_property
    def by_key(self) -> Mapping[ObjectKey, SchemaObject]:
        """Every object under its key."""
        return {item.key: item for item in self.objects}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the canonical form of the objects, with the model's version in front."""
        digest = hashlib.sha256(f"anchorwatch model {MODEL}\n".encode())
        digest.update(_ENCODER.encode(self.objects))
        return digest.hexdigest()

    def swap(self, changed: Mapping[ObjectKey, SchemaObject]) -> "Snapshot":
        """The snapshot with these objects in place of its own of the same key."""
        objects = tuple(changed.get(item.key, item) for item in self.objects)
        return msgspec.structs.replace(self, objects=objects)

    def count(self, kind: Kind) -> int:
        """How many objects of ``kind`` there are."""
        return sum(1 for item in self.objects if item.key.kind is kind)


_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def make_snapshot(  # noqa: PLR0913  # the parts of a snapshot, by name
    objects: Iterable[SchemaObject],
    *,
    dependencies: Iterable[Dependency] = (),
    version_tables: Iterable[VersionTable] = (),
    others: Mapping[str, int] | None = None,
    server: ServerFacts | None = None,
    builder: str | None = None,
) -> Snapshot:
    """A snapshot in normal form: attributes without defaults, everything sorted."""
    return Snapshot(
        objects=tuple(sorted(map(_normalise, objects), key=lambda item: item.key.order)),
        dependencies=tuple(
            sorted(set(dependencies), key=lambda d: (d.dependent.order, d.needed.order))
        ),
        version_tables=tuple(sorted(version_tables, key=lambda t: (t.schema, t.name))),
        others=dict(sorted((others or {}).items())),
        server=server,
        builder=builder,
    )


def _normalise(item: SchemaObject) -> SchemaObject:
    """The object without attributes that say what their absence says."""
    defaults = _DEFAULTS[item.key.kind]
    attributes = item.attributes
    for name, value in attributes.items():
        if value == defaults[name]:
            kept = {n: v for n, v in attributes.items() if v != defaults[n]}
            return SchemaObject(key=item.key, attributes=kept)
    return item


_DEFAULTS: Final = {
    kind: {name: spec.default for name, spec in attributes.items()}
    for kind, attributes in KINDS.items()
}


class _Head(msgspec.Struct):
    """What tells whether the rest can be understood."""

    format: int
    model: int = MODEL


class _Document(msgspec.Struct):
    """The JSON form of a snapshot."""

    format: int
    model: int
    fingerprint: str
    server: ServerFacts | None = None
    builder: str | None = None
    version_tables: list[VersionTable] = []
    dependencies: list[tuple[ObjectKey, ObjectKey]] = []
    others: dict[str, int] = {}
    objects: list["_Entry"] = []


class _Entry(msgspec.Struct):
    kind: Kind
    schema: str | None
    parent: str | None
    name: str
    attributes: dict[str, Value]


def dump_snapshot(snapshot: Snapshot) -> bytes:
    """The JSON form: one object a line, sorted, so that versions of it compare well."""
    document = _Document(
        format=FORMAT,
        model=MODEL,
        fingerprint=snapshot.fingerprint,
        server=snapshot.server,
        builder=snapshot.builder,
        version_tables=list(snapshot.version_tables),
        dependencies=[(edge.dependent, edge.needed) for edge in snapshot.dependencies],
        others=dict(snapshot.others),
        objects=[],
    )
    head = _ENCODER.encode(document).removesuffix(b'"objects":[]}')
    lines = b",\n".join(_ENCODER.encode(_write_entry(item)) for item in snapshot.objects)
    return head + b'"objects":[\n' + lines + b"\n]}\n"


def _write_entry(item: SchemaObject) -> "_Entry":
    key = item.key
    return _Entry(
        kind=key.kind,
        schema=key.schema,
        parent=key.parent,
        name=key.name,
        attributes=dict(item.attributes),
    )


def load_snapshot(data: bytes, *, place: str) -> Snapshot:
    """The snapshot that `dump_snapshot` wrote.

    Args:
        data: the bytes of the file.
        place: what to call it in a message.

    Raises:
        DamagedFile: not a snapshot, of another format, or changed by hand.
    """
    document = parse_document(data, _Document, FORMAT, place=place, what="snapshot", again=_AGAIN)
    objects = [_read_entry(entry, place=place) for entry in document.objects]
    snapshot = make_snapshot(
        objects,
        dependencies=[Dependency(*pair) for pair in document.dependencies],
        version_tables=document.version_tables,
        others=document.others,
        server=document.server,
        builder=document.builder,
    )
    if len(snapshot.by_key) != len(snapshot.objects):
        raise DamagedFile(f"{place} names an object twice.", next_step=_AGAIN)
    if snapshot.fingerprint != document.fingerprint:
        raise DamagedFile(
            f"{place} does not match its own fingerprint: it was cut off or edited.",
            next_step=_AGAIN,
        )
    return snapshot


_AGAIN: Final = "Take it again with `anchorwatch snapshot SOURCE -o FILE`."


def parse_document[T](  # noqa: PLR0913  # what is read, and the words for it
    data: bytes, shape: type[T], version: int, *, place: str, what: str, again: str
) -> T:
    """The document in a file of ours that holds objects.

    Args:
        data: the bytes of the file.
        shape: of the document.
        version: of the form that is read.
        place: what to call the file in a message.
        what: what it should be.
        again: how to get another one.

    Raises:
        DamagedFile: it is something else, or of another version.
    """
    try:
        head = msgspec.json.decode(data, type=_Head)
        if (head.format, head.model) == (version, MODEL):
            return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedFile(f"{place} is not a {what} ({error}).", next_step=again) from None
    raise DamagedFile(
        f"{place} has format {head.format}.{head.model}, "
        f"this version reads format {version}.{MODEL}.",
        next_step=again,
    )


def read_object(
    key: ObjectKey, attributes: dict[str, Value], *, place: str, again: str
) -> SchemaObject:
    """An object of a file.

    Args:
        key: what it is.
        attributes: as the file has them.
        place: what to call the file in a message.
        again: what else to do than to use another version: "take it again".

    Raises:
        DamagedFile: it has an attribute that this version does not know.
    """
    unknown = attributes.keys() - KINDS[key.kind].keys()
    if unknown:
        raise DamagedFile(
            f"{place} gives a {key.kind.noun} the unknown attribute {min(unknown)!r}.",
            next_step=f"Use the version of anchorwatch that wrote it, or {again}.",
        )
    return SchemaObject(key=key, attributes=attributes)


def _read_entry(entry: _Entry, *, place: str) -> SchemaObject:
    key = ObjectKey(kind=entry.kind, schema=entry.schema, parent=entry.parent, name=entry.name)
    return read_object(key, entry.attributes, place=place, again="take it again")
