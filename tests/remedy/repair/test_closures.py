"""What a delete takes is what the server's own cascades take, over random tables and keys."""

import random
import re

import asyncpg
import pytest

from tests.conftest import MakeDatabase
from tests.remedy.repair.rows import bring_back, dump, mend, reasons
from tests.sources.looking import run

HELD = "no action deferrable initially deferred"
"""Asked at the end: at once, the order of the server's triggers may refuse what ends well."""
ACTIONS = ("cascade", "cascade", "cascade", "set null", HELD, "set default")
ORPHANS = (
    "delete from t0 where up is not null and not exists (select from owners o where o.id = up)"
)


def make_script(chance: random.Random) -> str:
    """Tables with rows, and keys between any two of them, cycles included."""
    count = chance.randint(2, 4)
    statements = ["create table owners (id int primary key); insert into owners values (0);"]
    for number in range(count):
        is_parted = chance.random() < 0.3
        statements.append(
            f"create table t{number} (id int primary key, up int, a int, b int default 0)"
            + (" partition by range (id);" if is_parted else ";")
        )
        if is_parted:
            statements += (
                f"create table t{number}_{part} partition of t{number} "
                f"for values from ({part * 4}) to ({part * 4 + 4});"
                for part in range(3)
            )
        statements += (
            f"insert into t{number} values ({row}, {chance.randrange(2)}, "
            f"{choose(chance)}, {choose(chance)});"
            for row in range(9)
        )
    for _ in range(chance.randint(1, 5)):
        child, parent = chance.randrange(count), chance.randrange(count)
        statements.append(
            f"alter table t{child} add foreign key ({chance.choice('ab')}) references t{parent} "
            f"on delete {chance.choice(ACTIONS)};"
        )
    return "".join(statements)


def choose(chance: random.Random) -> str:
    return "null" if chance.random() < 0.6 else str(chance.randrange(9))


async def compare(url: str, seed: int) -> str:
    """What became of it: the server's cascades first, then ours, then ours undone."""
    script = make_script(random.Random(seed))  # noqa: S311  # a test
    clean = "drop schema public cascade; create schema public; "
    clean += "drop schema if exists anchorwatch_quarantine cascade;"
    await run(url, clean, script)
    before = await dump(url)
    try:
        await run(url, ORPHANS)
    except asyncpg.ForeignKeyViolationError:
        wanted = None
    else:
        wanted = await dump(url)
    await run(url, clean, script)
    done = await mend(url, "t0.up -> owners.id", "delete", with_dependents=True)
    if wanted is None:
        assert not done.applied, seed
        assert await dump(url) == before, seed
        return "refused"
    if not done.applied:  # two keys on one column say different things
        assert re.search("lets nothing go|another key on the same", reasons(done)), seed
        assert await dump(url) == before, seed
        return "careful"
    assert await dump(url) == wanted, seed
    await run(url, clean, script)
    done = await mend(url, "t0.up -> owners.id", "quarantine", with_dependents=True)
    if not done.applied:
        assert "would not restore that" in reasons(done), seed
        assert await dump(url) == before, seed
        return "changing"
    assert await dump(url) == wanted, seed
    if done.batch is not None:
        assert (await bring_back(url, done.batch)).applied, seed
    assert await dump(url) == before, seed
    return "done"


async def test_cascades_are_followed_as_the_server_does(make_database: MakeDatabase) -> None:
    url = await make_database()
    ends = [await compare(url, seed) for seed in range(15)]
    assert {"refused", "changing", "done"} <= {*ends}
    assert ends.count("careful") < 3


@pytest.mark.long
async def test_many_cascades_are_followed_as_the_server_does(make_database: MakeDatabase) -> None:
    url = await make_database()
    for seed in range(1000, 1400):
        await compare(url, seed)
