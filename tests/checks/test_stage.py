"""What the stage holds comes back from a server as it was written: read(render(x)) == x."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import KINDS
from monitor.core.render import RENDERED, list_unrendered, render, survey
from monitor.core.snapshot import SchemaObject, Snapshot
from monitor.core.stage import Ground
from monitor.sources.engine import Cluster
from tests.conftest import MakeDatabase
from tests.sources.looking import look, name_of, run

EVERY_KIND = Path(__file__).parents[1].joinpath("cases/whole/every_kind.sql").read_text("utf-8")
ROLES = ("stage_reader", "stage_owner")
MORE = """
create view app."of ""all"" kinds" as select u.id, u.email, app.first(1) as f, app.total(t.id) as s
  from app.users u, app.counted t where u.id operator(app.===) 2 group by u.id;
create function app.several(app.mood[], variadic app.pair[]) returns table (p app.pair, q app.span)
  language sql as 'select null::app.pair, null::app.span';
create domain app.many_moods as app.mood[];
create function app."f(x"(app."f(x") returns int language sql as 'select 1';
"""


@pytest.fixture
async def whole(server: Cluster, make_database: MakeDatabase) -> AsyncIterator[str]:
    """A database with every kind, spelled as it is read again."""
    sql = EVERY_KIND.replace("whole_reader", ROLES[0]).replace("whole_owner", ROLES[1])
    await run(server.socket_url(), *(f"create role {name}" for name in ROLES))
    url = await make_database(sql=sql.replace("in ('a', 'b')", "= 'a'"))
    await run(url, 'create type app."f(x" as enum ()', MORE)
    yield url
    await run(server.socket_url(), f"drop database {name_of(url)} with (force)")
    await run(server.socket_url(), f"drop role {', '.join(ROLES)}")


async def play(url: str, stage: tuple[SchemaObject, ...]) -> Snapshot:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("set check_function_bodies = off; set search_path = ''")
        around = survey(stage)
        for item in stage:
            if item.key.kind is not Kind.COLUMN:
                await connection.execute(render(item, around))
    finally:
        await connection.close()
    return await look(url)


async def test_the_stage_of_a_whole_schema_is_read_as_it_was_written(
    whole: str, make_database: MakeDatabase
) -> None:
    snapshot = await look(whole)
    stage = Ground(snapshot).build_stage(snapshot.by_key)
    built = await play(await make_database(), stage)
    for item in stage:
        assert list_unrendered(item) == ()
        found = built.by_key[item.key]
        said = {name: found.get(name) for name in item.attributes}
        assert said == dict(item.attributes), item.key
    staged = {item.key.kind for item in stage}
    assert {Kind.VIEW, Kind.AGGREGATE, Kind.OPERATOR, Kind.RANGE, Kind.PROCEDURE} <= staged


@pytest.mark.parametrize("kind", RENDERED)
def test_what_is_rendered_is_an_attribute_of_its_kind(kind: Kind) -> None:
    assert RENDERED[kind] <= KINDS[kind].keys()


def test_what_no_statement_says_is_known() -> None:
    key = ObjectKey(kind=Kind.VIEW, schema="app", parent=None, name="v")
    view = SchemaObject(key=key, attributes={"definition": " SELECT 1;", "options": ["x=1"]})
    assert list_unrendered(view) == ("options",)
    server = SchemaObject(
        key=ObjectKey(kind=Kind.FOREIGN_SERVER, schema=None, parent=None, name="s"), attributes={}
    )
    assert list_unrendered(server) == ("foreign_server",)
