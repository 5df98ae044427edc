"""What comes out differently at each build, found by building twice, on real servers."""

import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Self

import pytest

from monitor.checks.comparison import compare
from monitor.core.dated import add_months
from monitor.core.errors import Interrupted
from monitor.core.scope import Scope
from monitor.core.scope_partitions import Children
from monitor.core.snapshot import Snapshot, make_snapshot
from monitor.core.source import Source, parse_source
from monitor.core.unstable import Unstable
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from monitor.sources.expected import find_unstable, open_expectation, read_source
from monitor.sources.rebuild import Rebuilds
from monitor.sources.shadows import open_shadows
from tests.cases.reader import describe
from tests.conftest import MakeDatabase
from tests.core.builders import a_column, a_table
from tests.sources.looking import look, run
from tests.sources.shadow_peers import find_leftovers, write_files, write_history

MODELS = """
    from datetime import date
    import sqlalchemy as sa

    m = sa.MetaData()
    sa.Table("t", m,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("made", sa.DateTime(timezone=True), server_default="now()"),
        sa.Column("day", sa.Date, server_default="now()"),
        sa.Column("release", sa.Text, server_default=f"{date.today():%Y-%m}"),
        sa.Column("right", sa.DateTime(timezone=True), server_default=sa.text("now()")),
    )
"""
LIVE = """create table t (id int primary key, made timestamptz default '2024-05-06 07:08:09+00',
  day date default '2024-05-06', release text default '2024-05',
  "right" timestamptz default now())"""
PARTITIONS = """
    from datetime import date
                    import time
                    op.execute("create table events (at date) partition by range (at)")
                    first = date.today().replace(day=1)
                    op.execute(f"create table events_{first:%Y_%m} partition of events "
                        f"for values from ('{first}') to ('{first.year + 1}-01-01')")
                    op.execute("create index ix_" + time.strftime("%Y") + " on events (at)")
"""


async def test_defaults_that_were_frozen_are_unstable_and_never_drift(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, {"shop.py": MODELS})
    source, options = parse_source("models:shop:m"), BuildOptions(shadow_url=server.url())
    async with open_shadows(options) as shadows:
        expected = await read_source(source, options, shadows=shadows)
        unstable = await find_unstable(source, expected, options, shadows=shadows)
    assert sorted((key.name, name) for key, name in unstable.attributes) == [
        ("day", "default"),
        ("made", "default"),
        ("release", "default"),
    ]

    async def found() -> Unstable:
        return unstable

    difference = await compare(expected, await look(await make_database(sql=LIVE)), unstable=found)
    assert describe(difference) == (
        "note unstable column public.t.day",
        "note unstable column public.t.made",
        "note unstable column public.t.release",
    )


async def test_what_is_named_after_today_is_unstable_in_every_month(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    ini = write_history(tmp_path, PARTITIONS.strip())
    live = await look(
        await make_database(
            sql="""create table events (at date) partition by range (at);
            create table events_2024_05 partition of events
              for values from ('2024-05-01') to ('2025-01-01');
            create index ix_2024 on events (at);
            create table events_old (at date)"""
        )
    )
    options = BuildOptions(shadow_url=server.url())
    async with open_expectation(parse_source(f"alembic:{ini}"), options) as expectation:
        expected = await expectation.snapshot_at(("r1",))
        unstable = await expectation.find_unstable(("r1",))
        assert await expectation.find_unstable(("r1",)) is unstable

        async def found() -> Unstable:
            return unstable

        strict = Scope(partitions=Children.STRICT)
        difference = await compare(expected, live, strict, unstable=found)
    lines = describe(difference)
    assert [line for line in lines if not line.startswith("note unstable ")] == [
        "unexpected table public.events_old"
    ]
    assert "note unstable table public.events_2024_05" in lines
    assert await find_leftovers(server.url()) == []


async def test_a_source_that_is_only_read_is_not_built_again(
    make_database: MakeDatabase,
) -> None:
    source = parse_source(await make_database(sql="create table t ()"))
    async with open_expectation(source, BuildOptions()) as expectation:
        assert not await expectation.find_unstable(None)


async def test_an_application_that_stands_no_other_date_is_built_again_as_it_is(
    server: Cluster, tmp_path: Path
) -> None:
    lines: list[str] = []
    ini = write_history(
        tmp_path,
        "op.execute(\"create table t (a timestamp default 'now')\")",
        before=f"import time; assert time.time() < {time.time() + 86_400 * 60}, 'no such day'",
    )
    options = BuildOptions(shadow_url=server.url(), progress=lines.append)
    async with open_expectation(parse_source(f"alembic:{ini}"), options) as expectation:
        unstable = await expectation.find_unstable(("r1",))
    assert [name for _, name in unstable.attributes] == ["default"]
    assert [line for line in lines if "as of a later day" in line]


async def test_files_that_change_between_the_builds_excuse_nothing(
    server: Cluster, tmp_path: Path
) -> None:
    upgrade = (
        "import pathlib; pathlib.Path(__file__).write_text("
        "pathlib.Path(__file__).read_text() + '#'); op.execute('create table t ()')"
    )
    ini = write_history(tmp_path, upgrade)
    options = BuildOptions(shadow_url=server.url())
    async with open_expectation(parse_source(f"alembic:{ini}"), options) as expectation:
        with pytest.raises(Interrupted, match="changed meanwhile"):
            await expectation.find_unstable(("r1",))


NAMED_BY_SQL = (
    """op.execute("do $$ begin execute format('create table log_%s (id int)', """
    """to_char(now(), 'YYYY_MM')); end $$")"""
)


async def test_what_sql_names_after_the_month_of_the_build_is_no_drift_later(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    ini = write_history(tmp_path, NAMED_BY_SQL)
    source, options = parse_source(f"alembic:{ini}"), BuildOptions(shadow_url=server.url())
    async with open_shadows(options) as shadows:
        expected = await read_source(source, options, shadows=shadows)
        unstable = await find_unstable(source, expected, options, shadows=shadows)

    async def found() -> Unstable:
        return unstable

    for column, drifted in (("id int", False), ("id bigint", True)):
        live = await look(await make_database(sql=f"create table log_2024_05 ({column})"))
        difference = await compare(expected, live, unstable=found)
        assert bool(difference) == drifted, describe(difference)


MONTHS_AHEAD = """
    create table events (id int, at date) partition by range (at);
    create table archive_2026_01 (id int);
    do $$ declare first date := date_trunc('month', {begin})::date; begin
      for n in 0 .. 3 loop
        execute format('create table %I partition of events for values from (%L) to (%L)',
          'events_' || to_char(first + make_interval(months => n), 'YYYY_MM'),
          first + make_interval(months => n), first + make_interval(months => n + 1));
      end loop;
      execute format('create table settings (day date check (day >= %L))', {begin}::date);
    end $$;
"""


async def find_drift(
    source: Source, options: BuildOptions, live: Snapshot
) -> tuple[tuple[str, ...], Snapshot]:
    """What is told where partitions count, and what was expected."""
    async with open_shadows(options) as shadows:
        expected = await read_source(source, options, shadows=shadows)
        unstable = await find_unstable(source, expected, options, shadows=shadows)

    async def found() -> Unstable:
        return unstable

    strict = Scope(partitions=Children.STRICT)
    lines = describe(await compare(expected, live, strict, unstable=found))
    return tuple(line for line in lines if not line.startswith("note ")), expected


@pytest.mark.parametrize("kind", ["sql", pytest.param("alembic", marks=pytest.mark.long)])
async def test_what_sql_names_after_the_months_ahead_is_no_drift_in_an_older_database(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path, kind: str
) -> None:
    text = MONTHS_AHEAD.format(begin="current_date")
    (tmp_path / "it.sql").write_text(text)
    ini = write_history(tmp_path, f"op.execute({text!r})")
    source = parse_source({"sql": f"sql:{tmp_path / 'it.sql'}", "alembic": f"alembic:{ini}"}[kind])
    options = BuildOptions(shadow_url=server.url())
    old = MONTHS_AHEAD.format(begin="(current_date - 150)")
    live = await look(await make_database(sql=old))
    drift, expected = await find_drift(source, options, live)
    assert [*drift] == []
    assert len(expected.by_key.keys() - live.by_key.keys()) >= 2
    less = await look(await make_database(sql=old.replace("create table archive_2026_01", "--")))
    assert (await find_drift(source, options, less))[0] == (
        "missing table public.archive_2026_01",
    )
    none = await look(await make_database(sql=old.replace("0 .. 3", "1 .. 0")))
    assert len((await find_drift(source, options, none))[0]) == 4


async def test_a_month_that_a_statement_names_is_that_of_every_build(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    """The history made one by hand for each month, and that of this month is gone."""
    month = f"{datetime.now(UTC):%Y_%m}"
    (tmp_path / "it.sql").write_text(
        f"create table log_2024_01 (id int); create table log_{month} (id int);"
    )
    live = await look(await make_database(sql="create table log_2024_01 (id int)"))
    source, options = (
        parse_source(f"sql:{tmp_path / 'it.sql'}"),
        BuildOptions(shadow_url=server.url()),
    )
    drift, _ = await find_drift(source, options, live)
    assert drift == (f"missing table public.log_{month}",)


async def test_months_that_a_loop_puts_after_a_year_are_those_of_every_build(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    month = datetime.now(UTC).date().replace(day=1)
    last = add_months(month, 1)
    sql = "; ".join(
        f"do $$ begin execute format('create table rep_{day:%Y}_%s (id int)', '{day:%m}'); end $$"
        for day in (month, last)
    )
    (tmp_path / "it.sql").write_text(sql)
    live = await make_database(sql=sql)
    await run(live, f"drop table rep_{last:%Y_%m}")
    source = parse_source(f"sql:{tmp_path / 'it.sql'}")
    drift, _ = await find_drift(source, BuildOptions(shadow_url=server.url()), await look(live))
    assert drift == (f"missing table public.rep_{last:%Y_%m}",)


async def test_what_mentions_a_table_that_sql_named_after_the_month_is_no_drift_later(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    mentions = (
        "create view v as select id from log_{0}",
        "alter table log_{0} add primary key (id)",
        "create table t (id int references log_{0}, n int default nextval(''log_{0}_s''))",
        "create table heir () inherits (log_{0})",
    )
    sql = "create table log_{0} (id int); create sequence log_{0}_s; " + "; ".join(mentions)
    file = tmp_path / "it.sql"
    file.write_text(
        "do $$ declare m text := to_char(now(), 'YYYY_MM'); begin "
        f"execute replace('{sql.replace('{0}', '@')}', '@', m); end $$"
    )
    source, options = parse_source(f"sql:{file}"), BuildOptions(shadow_url=server.url())
    async with open_shadows(options) as shadows:
        expected = await read_source(source, options, shadows=shadows)
        unstable = await find_unstable(source, expected, options, shadows=shadows)

    async def found() -> Unstable:
        return unstable

    old = sql.format("2024_05").replace("''", "'")
    assert not await compare(expected, await look(await make_database(sql=old)), unstable=found)
    other = old.replace("select id from", "select id + 1 as id from")
    difference = await compare(
        expected, await look(await make_database(sql=other)), unstable=found
    )
    assert [str(change.key) for change in difference.changes] == ["view public.v"]


async def test_a_default_that_is_the_day_of_the_build_is_so_on_that_day_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    column = a_column("t", "c", default="'2026-11-26'::date")
    first = make_snapshot([a_table("t", columns=["c"]), column])

    async def build(_options: BuildOptions) -> Snapshot:
        return first

    rebuilds = Rebuilds()
    for day, is_unstable in ((26, True), (27, True), (30, False)):

        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None, *, day: int = day) -> Self:
                return cls(2026, 11, day, 12, tzinfo=tz)

        monkeypatch.setattr("monitor.sources.rebuild.datetime", Clock)
        assert bool(await rebuilds.find(first, build, BuildOptions())) is is_unstable


SIBLINGS = """
create table users (id int primary key);
do $$ declare name text; begin
  foreach name in array array[{0}] loop
    execute format('create table %I (id int primary key, a int unique check (a > 0), '
      'b int references users)', name);
    execute format('create index on %I (b)', name);
  end loop;
end $$;
"""
BY_CLOCK = "'log_' || to_char(now(), 'YYYY_MM'), 'log_' || to_char(now() + '1 month', 'YYYY_MM')"


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ("drop constraint {0}_pkey", "primary_key"),
        pytest.param("drop constraint {0}_a_key", "unique", marks=pytest.mark.long),
        pytest.param("drop constraint {0}_a_check", "check", marks=pytest.mark.long),
        pytest.param("drop constraint {0}_b_fkey", "foreign_key", marks=pytest.mark.long),
        ("drop column a", "column"),
    ],
)
async def test_what_a_table_of_a_month_lost_is_not_made_up_for_by_the_next_one(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path, lost: str, told: str
) -> None:
    file = tmp_path / "it.sql"
    file.write_text(SIBLINGS.format(BY_CLOCK))
    source, options = parse_source(f"sql:{file}"), BuildOptions(shadow_url=server.url())
    live = await make_database(sql=SIBLINGS.format(BY_CLOCK))
    changes, _ = await find_drift(source, options, await look(live))
    assert changes == ()
    name = datetime.now(UTC).strftime("log_%Y_%m")
    await run(live, f"alter table {name} {lost.format(name)}")
    changes, _ = await find_drift(source, options, await look(live))
    assert any(change.startswith(f"missing {told} ") for change in changes), changes


AHEAD_BY_SERVER = "op.execute({!r})".format(
    """do $$ begin for n in 0 .. 3 loop
    execute to_char(date_trunc('month', now()) + make_interval(months => n),
      '"create table log_"YYYY_MM" (id int)"'); end loop; end $$"""
)
AHEAD_BY_APPLICATION = """
                    from datetime import date
                    day = date.today()
                    for n in range(day.month - 1, day.month + 3):
                        name = f"log_{day.year + n // 12}_{n % 12 + 1:02}"
                        op.execute(f"create table {name} (id int)")
"""


@pytest.mark.parametrize(
    "script", [AHEAD_BY_SERVER, pytest.param(AHEAD_BY_APPLICATION, marks=pytest.mark.long)]
)
async def test_a_month_to_come_that_was_dropped_is_missed_where_a_later_one_is_there(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path, script: str
) -> None:
    source = parse_source(f"alembic:{write_history(tmp_path, script)}")
    options = BuildOptions(shadow_url=server.url())
    first = datetime.now(UTC).date().replace(day=1)
    names = [add_months(first, n).strftime("log_%Y_%m") for n in range(-3, 4)]

    async def told(*there: str) -> tuple[str, ...]:
        sql = "; ".join(f"create table {name} (id int)" for name in there)
        return (await find_drift(source, options, await look(await make_database(sql=sql))))[0]

    assert await told(*names[3:4], *names[5:]) == (f"missing table public.{names[4]}",)
    # Made three months ago, and by somebody who makes them one by one as time goes on.
    assert await told(*names[:4]) == ()
    assert await told(*names[:5]) == ()
