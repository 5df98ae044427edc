"""The last snapshot of each database, packed."""

from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject, Snapshot, dump_snapshot, make_snapshot
from monitor.watch.shelf import Shelf


def a_snapshot(name: str) -> Snapshot:
    key = ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name=name)
    return make_snapshot([SchemaObject(key=key, attributes={})])


async def test_the_last_snapshot_of_each_place_is_kept() -> None:
    shelf = Shelf()
    await shelf.put("production", "app", a_snapshot("old"))
    await shelf.put("production", "app", a_snapshot("new"))
    await shelf.put("staging", "app", a_snapshot("other"))
    assert await shelf.load("production", "app") == dump_snapshot(a_snapshot("new"))
    assert await shelf.load("staging", "app") == dump_snapshot(a_snapshot("other"))


async def test_before_the_first_look_there_is_none() -> None:
    assert await Shelf().load("production", "app") is None
