"""What a snapshot promises: one normal form, one fingerprint, and a file that can be trusted."""

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import DamagedFile
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS, get_default
from monitor.core.snapshot import (
    FORMAT,
    MODEL,
    Dependency,
    SchemaObject,
    ServerFacts,
    Snapshot,
    VersionTable,
    dump_snapshot,
    load_snapshot,
    make_snapshot,
)
from tests.core.builders import a_column, a_key, a_table, an_object, read_snapshots, snapshots

GOLDEN = "0f120728eb80687978b3bb5d45da8417ffe0ce8158fa4fe8628562cf3d145531"

OBJECTS = """
{"kind":"column","schema":"public","parent":"users","name":"id","attributes":{"nullable":false,"type":"integer"}},
{"kind":"column","schema":"public","parent":"users","name":"name","attributes":{"type":"integer"}},
{"kind":"index","schema":"public","parent":"users","name":"by name","attributes":{"columns":["name"],"unique":true}},
{"kind":"table","schema":"public","parent":null,"name":"users","attributes":{"column_order":["id","name"],"owner":"app"}}
]}
"""  # noqa: E501  # one object a line is the format


@pytest.fixture
def example() -> Snapshot:
    """A small snapshot with something of everything."""
    users = a_table("users", columns=["id", "name"], owner="app")
    index = an_object(Kind.INDEX, "by name", parent="users", columns=["name"], unique=True)
    return make_snapshot(
        [a_column("users", "id", nullable=False), index, users, a_column("users", "name")],
        dependencies=[Dependency(dependent=index.key, needed=users.key)],
        version_tables=[VersionTable("public", "alembic_version", 32, ("f00",))],
        others={"collation": 2},
        server=ServerFacts(version_num=180001, database="app", owner="app"),
        builder="builder",
    )


def test_the_fingerprint_does_not_change_between_releases(example: Snapshot) -> None:
    assert example.fingerprint == GOLDEN


def test_the_file_does_not_change_between_releases(example: Snapshot) -> None:
    first, *objects = dump_snapshot(example).decode().splitlines()
    assert first.startswith('{"format":1,"model":1,"fingerprint":"')
    assert objects == OBJECTS.strip().splitlines()


def test_the_file_is_json_with_its_format(example: Snapshot) -> None:
    document = json.loads(dump_snapshot(example))
    assert document["format"] == FORMAT
    assert document["fingerprint"] == example.fingerprint
    assert len(document["objects"]) == len(example.objects)


def test_an_attribute_at_its_default_is_not_stored() -> None:
    spelled = make_snapshot([a_column("t", "a", nullable=True, default=None)])
    silent = make_snapshot([a_column("t", "a")])
    assert spelled == silent
    assert spelled.fingerprint == silent.fingerprint
    assert "nullable" not in spelled.objects[0].attributes
    assert spelled.objects[0].get("nullable") is True


def test_what_is_no_part_of_the_schema_is_no_part_of_the_fingerprint(example: Snapshot) -> None:
    bare = make_snapshot(example.objects)
    assert bare != example
    assert bare.fingerprint == example.fingerprint


def test_objects_are_found_by_key_and_counted(example: Snapshot) -> None:
    assert example.by_key[a_key(Kind.TABLE, "users")].get("owner") == "app"
    assert example.count(Kind.COLUMN) == 2
    assert example.count(Kind.VIEW) == 0


@given(snapshots, st.randoms())
def test_the_order_of_objects_means_nothing(snapshot: Snapshot, chance: random.Random) -> None:
    objects = list(snapshot.objects)
    chance.shuffle(objects)
    again = make_snapshot(objects)
    assert again == make_snapshot(snapshot.objects)
    assert again.fingerprint == snapshot.fingerprint


@given(read_snapshots())
def test_a_file_gives_back_the_snapshot(snapshot: Snapshot) -> None:
    data = dump_snapshot(snapshot)
    again = load_snapshot(data, place="a file")
    assert again == snapshot
    assert again.fingerprint == snapshot.fingerprint
    assert dump_snapshot(again) == data


@given(snapshots, snapshots)
def test_equal_fingerprints_are_equal_objects(one: Snapshot, other: Snapshot) -> None:
    assert (one.fingerprint == other.fingerprint) == (one.objects == other.objects)


def is_refused(data: bytes) -> str:
    """The message with which a file is refused, one sentence and a next step."""
    with pytest.raises(DamagedFile) as caught:
        load_snapshot(data, place="a file")
    message = caught.value.message
    assert message.startswith("a file ")
    assert message.endswith(".")
    assert "\n" not in message
    assert caught.value.next_step.endswith(".")
    return message


@given(st.data())
def test_a_file_that_was_cut_off_is_refused(data: st.DataObject) -> None:
    whole = dump_snapshot(make_snapshot([a_table("t", columns=["a"]), a_column("t", "a")]))
    length = data.draw(st.integers(0, len(whole.rstrip()) - 1))
    is_refused(whole[:length])


@given(st.binary())
def test_a_file_of_something_else_is_refused(data: bytes) -> None:
    is_refused(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_of_something_else_is_refused(value: Any) -> None:
    is_refused(json.dumps(value).encode())


@given(st.data())
def test_a_file_with_one_other_letter_is_refused_or_says_the_same(data: st.DataObject) -> None:
    snapshot = make_snapshot([a_table("t", columns=["a"]), a_column("t", "a")])
    whole = bytearray(dump_snapshot(snapshot))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    try:
        again = load_snapshot(bytes(whole), place="a file")
    except DamagedFile:
        return
    assert again.objects == snapshot.objects


def edit(snapshot: Snapshot, **changes: Any) -> bytes:
    return json.dumps({**json.loads(dump_snapshot(snapshot)), **changes}).encode()


def test_an_edited_object_is_refused(example: Snapshot) -> None:
    objects = json.loads(dump_snapshot(example))["objects"]
    objects[0]["attributes"]["type"] = "bigint"
    assert "fingerprint" in is_refused(edit(example, objects=objects))


def test_an_object_that_is_there_twice_is_refused(example: Snapshot) -> None:
    objects = json.loads(dump_snapshot(example))["objects"]
    assert "twice" in is_refused(edit(example, objects=[*objects, objects[0]]))


def test_an_attribute_that_nobody_knows_is_refused(example: Snapshot) -> None:
    objects = json.loads(dump_snapshot(example))["objects"]
    objects[0]["attributes"]["colour"] = "red"
    assert "colour" in is_refused(edit(example, objects=objects))


def test_a_kind_that_nobody_knows_is_refused(example: Snapshot) -> None:
    objects = json.loads(dump_snapshot(example))["objects"]
    objects[0]["kind"] = "gadget"
    assert "gadget" in is_refused(edit(example, objects=objects))


@pytest.mark.parametrize("changes", [{"format": FORMAT + 1}, {"model": MODEL + 1}])
def test_another_format_is_refused_by_its_number(
    example: Snapshot, changes: dict[str, int]
) -> None:
    message = is_refused(edit(example, **changes, objects="of another shape"))
    assert f"this version reads format {FORMAT}.{MODEL}" in message


def test_a_file_too_deep_to_read_is_refused(example: Snapshot) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    whole = dump_snapshot(example).decode()
    is_refused(whole.replace('["id","name"]', deep, 1).encode())


def test_a_text_that_is_not_unicode_is_refused(example: Snapshot) -> None:
    is_refused(dump_snapshot(example).replace(b"by name", b"by \xff"))


@pytest.mark.parametrize("kind", Kind)
def test_every_default_is_a_value_of_json(kind: Kind) -> None:
    for name in KINDS[kind]:
        assert msgspec.json.decode(msgspec.json.encode(get_default(kind, name))) == get_default(
            kind, name
        )


def test_a_number_that_is_not_whole_survives_its_file() -> None:
    function = SchemaObject(
        key=ObjectKey(kind=Kind.FUNCTION, schema="public", parent=None, name="f()"),
        attributes={"cost": 0.1, "rows": 1e300},
    )
    snapshot = make_snapshot([function])
    again = load_snapshot(dump_snapshot(snapshot), place="a file")
    assert (again, again.fingerprint) == (snapshot, snapshot.fingerprint)
