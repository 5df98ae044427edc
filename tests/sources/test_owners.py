import pytest

from monitor.core.errors import StatementFailed
from monitor.sources.owners import give_away
from monitor.sources.postgres import connect
from monitor.sources.shadow import ADMIN, ShadowServer

MAKE = """
    create schema s; alter schema s owner to one;
    create table s.t (); create function s.f(a int, b text[]) returns int
      language sql security definer as 'select 1';
"""
OWNERS = """
    select relowner::regrole::text from pg_class where relname = 't'
    union all select proowner::regrole::text from pg_proc where proname = 'f'
"""


async def test_an_owner_that_lacks_create_is_set_by_the_superuser(shadow: ShadowServer) -> None:
    async with (
        shadow.scratch(roles=("one", "Two")) as scratch,
        connect(scratch.dsn) as session,
    ):
        await session.execute(MAKE)
        with pytest.raises(StatementFailed, match="42501"):
            await session.execute('alter table s.t owner to "Two"')
        assert await give_away(scratch, 'alter table s.t owner to "Two"')
        assert await give_away(scratch, 'ALTER FUNCTION s.f(a integer, text[]) OWNER TO "Two"')
        assert await session.fetch_values(OWNERS) == [('"Two"',), ('"Two"',)]


async def test_nothing_else_is_run_by_the_superuser(shadow: ShadowServer) -> None:
    async with shadow.scratch(roles=("one",)) as scratch:
        for statement in (
            f"alter function s.f(int, text[]) owner to {ADMIN}",
            "alter table s.t owner to stranger",
            "alter table t owner to one",
            "alter table s.t alter a type int using evil(a), owner to one",
            "alter table s.t owner to one; drop table s.t",
            "alter function s.f(int default evil('')) owner to one",
            "alter database d owner to one",
            "drop table s.t",
        ):
            assert not await give_away(scratch, statement), statement
