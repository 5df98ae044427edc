"""Random conditions: what is proven equal holds for the same rows, and a restore is proven."""

import random
from contextlib import suppress

import asyncpg
import pytest

from monitor.checks.comparison import compare
from monitor.checks.spelling import Spellings
from monitor.core.diff import diff
from monitor.core.doubts import find_doubts
from monitor.sources.engine import Cluster
from tests.checks.builders import list_changes, list_noted
from tests.conftest import MakeDatabase
from tests.sources.looking import copy, look, name_of

TABLE = "create table t (v varchar, w varchar(3), s text, c char(2), n int, m numeric, d date)"
FILL = """insert into data
  select v, w, s, c, n, m, current_date + n
  from unnest(array['a', 'b', 'ab', 'ab ', null]) v, unnest(array['a', 'b ', null]) w,
    unnest(array['a', 'ab', 'c', null]) s, unnest(array['a', 'ab']) c,
    unnest(array[-1, 1, 2, null]) n, unnest(array[1, 1.4, 2]) m"""
PAIRS = 300


def write_condition(dice: random.Random, depth: int = 3) -> str:
    """A condition over few columns and literals, so that two of them are often alike."""
    if depth and dice.random() < 0.6:
        word = dice.choice(("and", "or"))
        parts = [write_condition(dice, depth - 1) for _ in range(dice.choice((2, 2, 3)))]
        joined = f" {word} ".join(parts)
        return dice.choice((joined, f"({joined})", f"not ({joined})"))
    return f"({dice.choice((_write_text, _write_number, _write_date))(dice)})"


def _write_text(dice: random.Random) -> str:
    column = dice.choice("vvwsc") + dice.choice(("", "", "::text", "::varchar", "::varchar(1)"))
    one, other = (
        f"'{dice.choice(('a', 'b', 'ab '))}'" + dice.choice(("", "", "::varchar", "::text"))
        for _ in range(2)
    )
    return dice.choice(
        (
            f"{column} in ({one}, {other})",
            f"{column} = any (array[{one}, {other}])",
            f"{column} not in ({one}, {other})",
            f"{column} <> all (array[{one}, {other}])",
            f"{column} = {one}",
            f"{column} between {one} and {other}",
            f"{column} >= {one} and {column} <= {other}",
        )
    )


def _write_number(dice: random.Random) -> str:
    column = dice.choice("nnm") + dice.choice(("", "", "::bigint", "::numeric", "::int"))
    one = dice.choice(("1", "-1", "'1'", "1::bigint", "1.5"))
    return dice.choice(
        (f"{column} > {one}", f"{column} between {one} and 2", f"{column} in ({one}, 2)")
    )


def _write_date(dice: random.Random) -> str:
    now = dice.choice(("now()", "current_timestamp", "transaction_timestamp()"))
    return dice.choice((f"d < {now}", f"d = {now}::date", "d = current_date"))


def respell(condition: str, dice: random.Random) -> str:
    """The condition with a few words changed: sometimes a spelling, sometimes more."""
    for _ in range(dice.choice((0, 1, 1, 2))):
        old, new = dice.choice(
            (
                ("::text", ""),
                ("::varchar(1)", "::varchar"),
                ("::varchar", "::text"),
                ("::bigint", "::numeric"),
                ("now()", "current_timestamp"),
                ("(", "(("),
                (" and ", " or "),
                (" v", " v::text"),
            )
        )
        condition = condition.replace(old, new, 1)
        if new == "((":
            condition += ")"
    return condition


async def add_checks(url: str, conditions: dict[str, str]) -> set[str]:
    """Make the table with a check of each condition; the names of those that are conditions."""
    made = set()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"{TABLE}; create table data (like t)")
        for name, condition in conditions.items():
            with suppress(asyncpg.PostgresError):
                await connection.execute(
                    f"alter table t add constraint {name} check ({condition})"
                )
                made.add(name)
    finally:
        await connection.close()
    return made


async def find_liars(url: str, pairs: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The pairs that do not say the same of every row."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(FILL)
        return {
            name: (one, other)
            for name, (one, other) in pairs.items()
            if await connection.fetchval(
                f"select exists (select from data where ({one}) is distinct from ({other}))"
            )
        }
    finally:
        await connection.close()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
async def test_what_is_proven_equal_says_the_same_of_every_row(
    seed: int, make_database: MakeDatabase, spellings: Spellings
) -> None:
    dice = random.Random(seed)  # noqa: S311  # the same conditions each time
    one = {f"c{number}": write_condition(dice) for number in range(PAIRS)}
    other = {name: respell(condition, dice) for name, condition in one.items()}
    urls = await make_database(), await make_database()
    names = await add_checks(urls[0], one) & await add_checks(urls[1], other)
    expected, actual = await look(urls[0]), await look(urls[1])
    difference = diff(expected, actual)
    doubts = {doubt.key.name for doubt in find_doubts(difference)} & names
    settled = await compare(expected, actual, spellings=spellings)
    equal = {name.rpartition(".")[2] for name in list_noted(settled)} & names
    pairs = {name: (one[name], other[name]) for name in equal}
    assert await find_liars(urls[0], pairs) == {}
    assert len(names) > PAIRS // 2
    assert doubts - equal
    assert equal & doubts


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_a_restore_is_proven_whatever_the_condition(
    seed: int, server: Cluster, make_database: MakeDatabase, spellings: Spellings
) -> None:
    dice = random.Random(100 + seed)  # noqa: S311  # as above
    created, restored = await make_database(), await make_database()
    await add_checks(created, {f"c{n}": write_condition(dice) for n in range(PAIRS)})
    copy(server, name_of(created), name_of(restored))
    settled = await compare(await look(created), await look(restored), spellings=spellings)
    assert list_changes(settled) == []
    assert list_noted(settled)
