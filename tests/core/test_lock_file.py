import msgspec
import pytest
from hypothesis import given, settings

from monitor.core.errors import DamagedFile
from monitor.core.history import Revision
from monitor.core.lock import Lock, Statement, VersionPlace
from monitor.core.lock_building import Built, make_lock
from monitor.core.lock_file import dump_lock, load_lock
from monitor.core.snapshot import Snapshot, make_snapshot
from tests.core.builders import snapshots


def a_lock(base: Snapshot, schema: Snapshot) -> Lock:
    revision = Revision(
        id="a1", down=(), depends_on=("b",), branch_labels=("x",), path="versions/ä.py"
    )
    statement = Statement("create table \"</script>\" ('🚀')", is_transactional=False)
    built = [
        Built(revision, "f" * 64, schema, (statement,), (base, schema), (0, 1)),
        Built(Revision(id="a2", down=("a1",)), "e" * 64, base),
    ]
    return make_lock(
        base,
        built,
        otherwise=built[:1],
        place=VersionPlace(schema="app", name="v", width=None),
        server_version=180006,
        stopped_at=("a3", "it failed"),
    )


@given(snapshots, snapshots)
@settings(max_examples=50)
def test_what_is_written_is_read_back(base: Snapshot, schema: Snapshot) -> None:
    lock = a_lock(base, schema)
    data = dump_lock(lock)
    assert load_lock(data, place="it") == lock
    assert dump_lock(load_lock(data, place="it")) == data


def test_a_line_holds_one_object_or_one_pair() -> None:
    lock = a_lock(make_snapshot([]), make_snapshot([]))
    assert all(len(line) < 400 for line in dump_lock(lock).splitlines())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is not a lock"),
        (b"[]", "is not a lock"),
        (b'{"format": 2, "model": 1}', "has format 2.1"),
        (b'{"format": 1, "model": 1}', "is not a lock"),
        (b"\xff\xfe", "is not a lock"),
        (b"[" * 100_000, "is not a lock"),
    ],
)
def test_what_is_no_lock_is_refused_with_the_next_step(data: bytes, words: str) -> None:
    with pytest.raises(DamagedFile, match=words) as refused:
        load_lock(data, place="it")
    assert "anchorwatch lock build" in refused.value.next_step


@given(snapshots)
@settings(max_examples=10)
def test_a_lock_that_was_edited_is_refused(schema: Snapshot) -> None:
    data = dump_lock(a_lock(make_snapshot([]), schema))
    document = msgspec.json.decode(data)
    document["revisions"][0]["id"] = "other"
    with pytest.raises(DamagedFile, match="does not match its own fingerprint"):
        load_lock(msgspec.json.encode(document), place="it")
