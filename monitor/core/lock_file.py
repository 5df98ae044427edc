"""A lock as a file: JSON, sorted, a line for each thing, so that versions of it compare well."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from monitor.core.errors import DamagedFile
from monitor.core.history import Revision
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.lock import (
    Delta,
    Lock,
    LockedRevision,
    Pair,
    Spelling,
    Statement,
    Varying,
    VersionPlace,
    digest_object,
)
from monitor.core.snapshot import MODEL, SchemaObject, parse_document, read_object

FORMAT: Final = 1
"""The version of the JSON form; a reader refuses what it does not know."""

_AGAIN: Final = "Build it again with `anchorwatch lock build SOURCE -o FILE`."
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class _Stop(msgspec.Struct):
    """Where the replay ended before its time."""

    revision: str
    reason: str


class _Entry(msgspec.Struct):
    """One object."""

    digest: str
    kind: Kind
    schema: str | None
    parent: str | None
    name: str
    attributes: dict[str, Value]


class _RevisionEntry(msgspec.Struct):
    """One revision."""

    id: str
    down: tuple[str, ...]
    depends_on: tuple[str, ...]
    branch_labels: tuple[str, ...]
    path: str
    file: str
    is_built: bool
    pairs: tuple[Pair, ...]
    otherwise: tuple[Pair, ...]
    omitted: tuple[Pair, ...]
    statements: tuple[Statement, ...]
    steps: tuple[tuple[Pair, ...], ...]
    marks: tuple[int, ...]


class _Document(msgspec.Struct):
    """The JSON form of a lock."""

    format: int
    model: int
    fingerprint: str
    server_version: int
    version_table: VersionPlace
    base: tuple[str, ...]
    start: tuple[str, ...]
    turned: tuple[str, ...]
    varying: tuple[Varying, ...]
    fleeting: tuple[Pair, ...]
    spelt_on: tuple[int, ...]
    spellings: tuple[Spelling, ...]
    stopped_at: _Stop | None
    revisions: tuple[_RevisionEntry, ...]
    retired: tuple[_RevisionEntry, ...]
    editions: tuple[_RevisionEntry, ...]
    objects: tuple[_Entry, ...]


def dump_lock(lock: Lock) -> bytes:
    """The JSON form; the same lock gives the same bytes."""
    document = _write(lock)
    document.fingerprint = _fingerprint(document)
    return b"".join(_lay_out(document))


def _write(lock: Lock) -> _Document:
    stop = _Stop(*lock.stopped_at) if lock.stopped_at else None
    entries = [_write_object(digest, item) for digest, item in lock.objects.items()]
    return _Document(
        format=FORMAT,
        model=MODEL,
        fingerprint="",
        server_version=lock.server_version,
        version_table=lock.place,
        base=lock.base,
        start=lock.start,
        turned=lock.turned,
        varying=lock.varying,
        fleeting=lock.fleeting,
        spelt_on=lock.spelt_on,
        spellings=lock.spellings,
        stopped_at=stop,
        revisions=tuple(map(_write_revision, lock.revisions)),
        retired=tuple(map(_write_revision, lock.retired)),
        editions=tuple(map(_write_revision, lock.editions)),
        objects=tuple(sorted(entries, key=_order_entry)),
    )


def _write_object(digest: str, item: SchemaObject) -> _Entry:
    key = item.key
    return _Entry(digest, key.kind, key.schema, key.parent, key.name, dict(item.attributes))


def _order_entry(entry: _Entry) -> tuple[str, ...]:
    """Versions of one object stand beside each other."""
    key = ObjectKey(entry.kind, entry.schema, entry.parent, entry.name)
    return (*key.order, entry.digest)


def _write_revision(one: LockedRevision) -> _RevisionEntry:
    revision, delta = one.revision, one.delta or Delta()
    return _RevisionEntry(
        id=revision.id,
        down=revision.down,
        depends_on=revision.depends_on,
        branch_labels=revision.branch_labels,
        path=revision.path,
        file=one.digest,
        is_built=one.delta is not None,
        pairs=delta.pairs,
        otherwise=delta.otherwise,
        omitted=delta.omitted,
        statements=delta.statements,
        steps=delta.steps,
        marks=delta.marks,
    )


def _fingerprint(document: _Document) -> str:
    """SHA-256 over all but the fingerprint itself."""
    content = _ENCODER.encode(msgspec.structs.replace(document, fingerprint=""))
    return hashlib.sha256(content).hexdigest()


def _lay_out(document: _Document) -> Iterator[bytes]:
    yield b"{\n"
    fields = document.__struct_fields__
    for place, name in enumerate(fields):
        value = getattr(document, name)
        yield _ENCODER.encode(name) + b": "
        if name in ("revisions", "retired", "editions"):
            yield from _lay_out_list(b"".join(_lay_out_revision(one)) for one in value)
        elif name in ("base", "objects", "varying", "fleeting", "spellings"):
            yield from _lay_out_list(map(_ENCODER.encode, value))
        else:
            yield _ENCODER.encode(value)
        yield b",\n" if place < len(fields) - 1 else b"\n"
    yield b"}\n"


_LONG: Final = ("pairs", "otherwise", "omitted", "statements", "steps")
"""Lists that get a line for each item."""


def _lay_out_revision(entry: _RevisionEntry) -> Iterator[bytes]:
    content = msgspec.to_builtins(entry)
    long = {name: content.pop(name) for name in _LONG}
    yield _ENCODER.encode(content).removesuffix(b"}")
    for name, value in long.items():
        yield b",\n " + _ENCODER.encode(name) + b": "
        yield from _lay_out_list(map(_ENCODER.encode, value))
    yield b"}"


def _lay_out_list(items: Iterable[bytes]) -> Iterator[bytes]:
    lines = list(items)
    yield b"[\n" + b",\n".join(lines) + b"\n]" if lines else b"[]"


def load_lock(data: bytes, *, place: str) -> Lock:
    """The lock that `dump_lock` wrote.

    Args:
        data: the bytes of the file.
        place: what to call it in a message.

    Raises:
        DamagedFile: no lock, one of another format, or one that was changed by hand.
    """
    document = parse_document(data, _Document, FORMAT, place=place, what="lock", again=_AGAIN)
    if _fingerprint(document) != document.fingerprint:
        raise DamagedFile(
            f"{place} does not match its own fingerprint: it was cut off, edited or merged.",
            next_step=_AGAIN,
        )
    objects = {entry.digest: _read_object(entry, place=place) for entry in document.objects}
    lock = Lock(
        server_version=document.server_version,
        place=document.version_table,
        base=document.base,
        start=document.start,
        revisions=tuple(map(_read_revision, document.revisions)),
        objects=dict(sorted(objects.items())),
        turned=document.turned,
        varying=document.varying,
        fleeting=document.fleeting,
        spelt_on=document.spelt_on,
        spellings=document.spellings,
        retired=tuple(map(_read_revision, document.retired)),
        editions=tuple(map(_read_revision, document.editions)),
        stopped_at=_read_stop(document.stopped_at),
    )
    _check(lock, place)
    return lock


def _read_object(entry: _Entry, *, place: str) -> SchemaObject:
    key = ObjectKey(entry.kind, entry.schema, entry.parent, entry.name)
    return read_object(key, entry.attributes, place=place, again="build it again")


def _read_revision(entry: _RevisionEntry) -> LockedRevision:
    revision = Revision(
        id=entry.id,
        down=entry.down,
        depends_on=entry.depends_on,
        branch_labels=entry.branch_labels,
        path=entry.path,
    )
    delta = Delta(
        pairs=entry.pairs,
        otherwise=entry.otherwise,
        omitted=entry.omitted,
        statements=entry.statements,
        steps=entry.steps,
        marks=entry.marks,
    )
    return LockedRevision(
        revision=revision, digest=entry.file, delta=delta if entry.is_built else None
    )


def _read_stop(stop: _Stop | None) -> tuple[str, str] | None:
    return None if stop is None else (stop.revision, stop.reason)


def _check(lock: Lock, place: str) -> None:
    """Make sure that everything it speaks of is there, and is what it is called."""
    wrong = [digest for digest, item in lock.objects.items() if digest_object(item) != digest]
    spoken = (
        lock.list_spoken()
        | {one.digest for one in lock.varying}
        | {one.digest for one in lock.spellings}
    )
    absent = spoken - lock.objects.keys()
    if wrong or absent or len(lock.by_id) != len(lock.revisions):
        raise DamagedFile(f"{place} contradicts itself.", next_step=_AGAIN)
