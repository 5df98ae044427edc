"""Locks of real histories, run in a real interpreter on a real server."""

from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from monitor.checks.diagnosis import diagnose_snapshot
from monitor.core.diagnosis import Diagnosis
from monitor.core.diff import diff
from monitor.core.errors import BuildError
from monitor.core.keys import Kind, ObjectKey
from monitor.core.lock import Lock, Statement, VersionPlace
from monitor.core.lock_file import dump_lock, load_lock
from monitor.core.lock_states import States
from monitor.core.release import Known
from monitor.core.snapshot import Snapshot
from monitor.core.source import parse_source
from monitor.core.verdict import State
from monitor.sources.build import BuildOptions
from monitor.sources.dsn import parse_dsn
from monitor.sources.engine import Cluster, installed_majors
from monitor.sources.expected import open_expectation, open_shadows, read_source
from monitor.sources.lock_runs import turn_around
from monitor.sources.locking import LockOptions, build_lock, tidy_statements
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot
from monitor.sources.replay import FROM_NOTHING, Start
from monitor.sources.scripts import read_scripts
from monitor.sources.shadow import Scratch
from monitor.sources.statements import run_script
from tests.conftest import MakeDatabase
from tests.core.faults import list_grades, sabotage
from tests.sources.shadow_peers import HISTORIES, find_leftovers, write_files, write_history

DEMO = Path(__file__).parents[2] / "monitor/demo/application/alembic.ini"


async def lock_up(
    ini: Path,
    server: Cluster,
    *,
    former: Lock | None = None,
    baseline: str = "",
    start: Start = FROM_NOTHING,
    **more: object,
) -> Lock:
    options = BuildOptions(shadow_url=server.url(), **more)  # type: ignore[arg-type]  # as given

    async def prepare(scratch: Scratch) -> None:
        await run_script(scratch, baseline, place="baseline.sql")

    async with open_shadows(options) as shadows:
        chosen = LockOptions(
            build=options, former=former, baseline=prepare if baseline else None, start=start
        )
        return await build_lock(read_scripts(ini), shadows, chosen)


def write_graph(root: Path, graph: dict[str, tuple[tuple[str, ...], str]]) -> Path:
    """Write a history of any shape; each revision with its parents and one line."""
    ini = write_history(root)
    for name, (down, body) in graph.items():
        head = f"from alembic import op\n\nrevision = {name!r}\ndown_revision = {down!r}\n\n\n"
        write_files(root, {f"m/versions/{name}.py": f"{head}def upgrade():\n    {body}\n"})
    return ini


def run(*statements: str) -> str:
    return "; ".join(f"op.execute({statement!r})" for statement in statements)


async def replay_set(ini: Path, server: Cluster, revisions: tuple[str, ...]) -> Snapshot:
    """What Alembic makes of a set of revisions that has all its ancestors."""
    source = parse_source(f"alembic:{ini}")
    async with open_expectation(source, BuildOptions(shadow_url=server.url())) as expectation:
        return await expectation.snapshot_at(revisions)


FORKED = {
    "a": ((), run("create table t (id int primary key, n int)", "create type e as enum ('x')")),
    "b1": (("a",), run("alter table t add b text", "create index t_n on t (n)")),
    "b2": (("b1",), run("alter table t drop n")),
    "c1": (("a",), run("alter table t add c text", "comment on column t.id is 'c'")),
    "c2": (("c1",), run("create view v as select id, c from t", "alter type e add value 'y'")),
    "d": (("b2", "c2"), run("create table u (id int references t)")),
}


WORDS = {
    "a": (
        (),
        run(
            "create table t (id int, x int)",
            "create view v as select id, x from t",
            "create policy p on t using (x > 1)",
            "create function f() returns int begin atomic select 1; end",
        ),
    ),
    "b": (("a",), run("create or replace view v as select id, x + 1 as x from t")),
    "c": (("b",), run("alter policy p on t using (x > 2)")),
    "d": (("c",), run("create or replace function f() returns int begin atomic select 2; end")),
    "e": (("c",), run("create table u (id int)")),
    "g": (("d", "e"), "op.get_bind().exec_driver_sql('alter policy p on t using (x > 3)')"),
}
"""Nothing but texts changes in most of them."""

LONG = [
    pytest.param(given, marks=pytest.mark.long)
    for given in (FORKED, DEMO, HISTORIES / "branches/alembic.ini")
]


@pytest.mark.parametrize("given", [WORDS, *LONG])
async def test_every_closed_set_is_what_its_replay_makes(
    server: Cluster, tmp_path: Path, given: Path | dict[str, tuple[tuple[str, ...], str]]
) -> None:
    ini = given if isinstance(given, Path) else write_graph(tmp_path, given)
    lock = await lock_up(ini, server)
    states, history = States(lock), lock.history
    ids = [one.id for one in lock.revisions]
    assert sorted(ids) == sorted(read_scripts(ini).history.by_id)
    tried = 0
    for size in range(1, len(ids) + 1):
        for some in combinations(ids, size):
            if history.ancestors(some) != set(some):
                continue
            assert states.fold(frozenset(some)).unknown == frozenset()
            built = await replay_set(ini, server, history.reduce(some))
            folded = states.make_snapshot(frozenset(some))
            assert diff(built, folded).changes == ()
            assert diff(folded, built).changes == ()
            tried += 1
    assert tried >= len(ids)


@pytest.mark.parametrize("times", [40, pytest.param(400, marks=pytest.mark.long)])
async def test_the_cause_of_every_fault_is_found_or_listed(
    server: Cluster, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    grades = sabotage(States(await lock_up(DEMO, server)), times)
    with capsys.disabled():
        print(f" demo: {list_grades(grades.items())} ")  # noqa: T201  # a figure
    assert grades["exact"] + grades["alternative"] == times


async def test_what_two_branches_both_make_is_not_known_of_one_of_them(
    server: Cluster, tmp_path: Path
) -> None:
    make = run("create table if not exists w (id int)")
    graph = {
        "a": ((), "pass"),
        "b": (("a",), make),
        "c": (("a",), make),
        "d": (("b", "c"), "pass"),
    }
    states = States(await lock_up(write_graph(tmp_path, graph), server))
    table = ObjectKey(Kind.TABLE, "public", None, "w")
    by_order = [one.id for one in states.lock.revisions]
    earlier, later = sorted("bc", key=by_order.index)
    assert table in states.fold(frozenset({"a", earlier})).objects
    assert table in states.fold(frozenset({"a", later})).unknown
    assert states.fold(frozenset("abcd")).unknown == frozenset()


async def test_a_revision_that_can_stop_halfway_has_its_steps(
    server: Cluster, tmp_path: Path
) -> None:
    alone = (
        "op.execute('create table u (id int)')\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.execute('create index concurrently t_a on t (a)')\n"
        "        op.execute('create index concurrently t_b on t (b)')\n"
        "    op.execute('alter table t add c int')"
    )
    graph = {"a": ((), run("create table t (a int, b int)")), "b": (("a",), alone)}
    lock = await lock_up(write_graph(tmp_path, graph), server)
    whole, halfway = (lock.by_id[name].delta for name in "ab")
    assert whole is not None
    assert halfway is not None
    assert whole.steps == ()
    assert [one.is_transactional for one in halfway.statements] == [True, False, False, True]
    assert halfway.marks == (1, 2, 3, 4)
    made = [{str(lock.find_key(pair)) for pair in step} for step in halfway.steps]
    assert made == [
        {"table public.u", "column public.u.id"},
        {"index public.t.t_a"},
        {"index public.t.t_b"},
        {"table public.t", "column public.t.c"},
    ]


async def test_a_history_that_stops_is_locked_as_far_as_it_came(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_history(
        tmp_path,
        run("create table t (id int)"),
        run("alter table t add n int"),
        run("alter table nowhere add n int"),
        run("alter table t add m int"),
    )
    lock = await lock_up(ini, server)
    assert [one.delta is not None for one in lock.revisions] == [True, True, False, False]
    assert lock.stopped_at is not None
    assert lock.stopped_at[0] == "r3"
    assert "nowhere" in lock.stopped_at[1]
    fold = States(lock).fold(frozenset({"r1", "r2"}))
    assert ObjectKey(Kind.COLUMN, "public", "t", "n") in fold.objects
    assert load_lock(dump_lock(lock), place="it") == lock


async def test_why_a_history_stops_quotes_no_row(server: Cluster, tmp_path: Path) -> None:
    ini = write_history(
        tmp_path,
        run("create table t (id int)"),
        run("insert into t select 'hunter2'::text::int"),
    )
    lock = await lock_up(ini, server)
    assert lock.stopped_at is not None
    assert "invalid input syntax for type integer" in lock.stopped_at[1]
    assert "hunter2" not in lock.stopped_at[1]


async def test_a_history_that_starts_midway_needs_its_baseline(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_history(tmp_path, run("alter table old add n int"))
    with pytest.raises(BuildError, match="old") as refused:
        await lock_up(ini, server)
    assert "--baseline" in refused.value.next_step
    lock = await lock_up(ini, server, baseline="create table old (id int)")
    states = States(lock)
    assert ObjectKey(Kind.TABLE, "public", None, "old") in states.fold(frozenset()).objects
    made = {str(key) for key in lock_keys(lock, "r1")}
    assert made == {"table public.old", "column public.old.n"}


def lock_keys(lock: Lock, revision: str) -> list[ObjectKey]:
    delta = lock.by_id[revision].delta
    assert delta is not None
    return [lock.find_key(pair) for pair in delta.pairs]


async def test_a_revision_whose_file_is_gone_is_kept_apart(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_history(tmp_path, run("create table t (id int)"), run("create table u (id int)"))
    former = await lock_up(ini, server)
    (tmp_path / "m/versions/r2.py").unlink()
    lock = await lock_up(ini, server, former=former)
    assert [one.id for one in lock.revisions] == ["r1"]
    assert [one.id for one in lock.retired] == ["r2"]
    assert load_lock(dump_lock(lock), place="it") == lock
    again = await lock_up(ini, server, former=lock)
    assert again.retired == lock.retired


async def test_reading_leaves_no_trace_in_the_session_of_the_migration(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_history(
        tmp_path,
        run("create schema s", "set search_path to s, public"),
        run("create table t (id int)"),
        run("do $$ begin assert current_setting('search_path') = 's, public'; end $$"),
    )
    lock = await lock_up(ini, server)
    assert lock.stopped_at is None
    keys = States(lock).fold(frozenset({"r1", "r2"})).objects
    assert ObjectKey(Kind.TABLE, "s", None, "t") in keys


async def test_an_asynchronous_environment_can_be_locked(server: Cluster) -> None:
    lock = await lock_up(HISTORIES / "asynchronous/alembic.ini", server)
    keys = States(lock).fold(frozenset({"a1"})).objects
    assert ObjectKey(Kind.TABLE, "public", None, "notes") in keys


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"x": "revision='r1'\ndown_revision=None"}, "Two files have the revision r1"),
        ({"x": "revision='x'\ndown_revision='nil'"}, "follows nil, which no file has"),
        (
            {"x": "revision='x'\ndown_revision='y'", "y": "revision='y'\ndown_revision='x'"},
            "in a circle: x, y",
        ),
    ],
)
async def test_a_broken_history_is_refused_with_its_place(
    server: Cluster, tmp_path: Path, files: dict[str, str], words: str
) -> None:
    ini = write_history(tmp_path, "pass")
    write_files(tmp_path, {f"m/versions/{name}.py": text for name, text in files.items()})
    with pytest.raises(BuildError, match=words):
        await lock_up(ini, server)


def test_statements_are_kept_without_secrets_and_without_what_alembic_writes() -> None:
    said = [
        Statement("INSERT INTO alembic_version (version_num) VALUES ('a')"),
        Statement("create role app password 'hunter2'"),
        Statement("insert into t values (%(a)s)"),
        Statement("insert into t values (%(a)s)"),
        Statement("UPDATE app.\"alembic_version\" SET version_num='b'"),
    ]
    assert [*tidy_statements(said, VersionPlace())] == [
        Statement("create role app password '***'"),
        Statement("insert into t values (%(a)s)"),
    ]


def test_branches_are_turned_around_and_a_line_is_not(tmp_path: Path) -> None:
    history = read_scripts(write_graph(tmp_path, FORKED)).history
    assert turn_around(history, ["a", "b1", "b2", "c1", "c2", "d"]) == (
        "a",
        "c1",
        "c2",
        "b1",
        "b2",
        "d",
    )
    assert turn_around(history, ["a", "b1"]) is None


async def test_a_lock_file_is_a_source_at_any_revision(server: Cluster, tmp_path: Path) -> None:
    ini = write_graph(tmp_path, FORKED)
    file = tmp_path / "schema.lock.json"
    file.write_bytes(dump_lock(await lock_up(ini, server)))
    options = BuildOptions(shadow_url=server.url())
    for revision in ("heads", "b2"):
        locked = await read_source(parse_source(f"lock:{file}@{revision}"), options)
        built = await read_source(parse_source(f"alembic:{ini}@{revision}"), options)
        assert diff(built, locked).changes == ()


RANDOM = (
    "import datetime, uuid; day = datetime.date.today(); "
    "op.execute(f\"alter table t add u text default '{uuid.uuid4()}', "
    "add m text default '{day:%Y-%m}'\")"
)
MOMENTARY = {
    "a": (
        (),
        run("create table t (id int, at timestamptz default 'now', d date default 'today')"),
    ),
    "b": (("a",), RANDOM),
    "c": (("a",), run("alter table t add n int default 3")),
    "d": (("b", "c"), run("alter table t alter at set default now()")),
}


async def test_the_same_history_gives_the_same_bytes_whatever_the_moment(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_graph(tmp_path, MOMENTARY)
    lock = await lock_up(ini, server)
    assert dump_lock(lock) == dump_lock(await lock_up(ini, server))
    assert load_lock(dump_lock(lock), place="it") == lock
    assert await find_leftovers(server.url()) == []
    assert {(lock.objects[v.digest].key.name, v.attribute) for v in lock.varying} == {
        (name, "default") for name in ("at", "d", "u", "m")
    }
    states = States(lock)
    assert not states.collisions
    notes_at: dict[tuple[str, ...], int] = {("b", "c"): 4, ("d",): 3}
    for rows, count in notes_at.items():
        built = await replay_set(ini, server, rows)
        settled, notes = states.settle(built)
        folded = states.make_snapshot(lock.history.ancestors(rows))
        assert diff(folded, settled).changes == ()
        assert len(notes) == count


async def test_the_servers_day_is_no_part_of_a_history_with_branches_either(
    server: Cluster, tmp_path: Path
) -> None:
    dated = "create table x (d date default 'today')"
    part = "format('create table p_%s partition of p default', to_char(now(), 'YYYY_MM'))"
    parted = (
        "create table p (at date) partition by range (at)",
        f"do $$ begin execute {part}; end $$",
    )
    graph = {
        "a": ((), run(dated, *parted)),
        "b": (("a",), run("create table b (id int)")),
        "c": (("a",), run("create table c (id int)")),
    }
    lock = await lock_up(write_graph(tmp_path, graph), server)
    assert [(lock.objects[v.digest].key.name, v.attribute) for v in lock.varying] == [
        ("d", "default")
    ]
    assert {(key.parent or key.name)[:3] for key in lock.fleeting_keys} == {"p_2"}


async def test_a_name_of_the_day_proves_nothing_and_is_another_one_elsewhere(
    server: Cluster, tmp_path: Path
) -> None:
    name = "import datetime; day = datetime.date.today(); "
    part = (
        'op.execute(f"create table e_{day:%Y_%m} partition of e for values '
        "from ('{day:%Y-%m}-01') to ('{day.year + 1}-01-01')\")"
    )
    graph = {
        "a": ((), run("create table e (at date) partition by range (at)")),
        "b": (("a",), name + part),
        "c": (("b",), run("create index e_at on e (at)")),
    }
    ini = write_graph(tmp_path, graph)
    lock = await lock_up(ini, server)
    states = States(load_lock(dump_lock(lock), place="it"))
    assert {(key.parent or key.name)[:2] for key in lock.fleeting_keys} == {"e_"}
    options = BuildOptions(shadow_url=server.url(), is_later=True)
    source = parse_source(f"alembic:{ini}")
    async with open_shadows(options) as shadows:
        elsewhere = await read_source(source, options, shadows=shadows)
    found = (await diagnose_snapshot(Known(states), elsewhere)).diagnosis
    assert (found.verdict, found.unexplained) == (State.IN_SYNC, 0)
    without = [item for item in elsewhere.objects if not item.key.name.startswith("e_2")]
    bare = msgspec.structs.replace(elsewhere, objects=tuple(without))
    found = (await diagnose_snapshot(Known(states), bare)).diagnosis
    assert (found.verdict, found.unexplained) == (State.DRIFTED, 1)


AHEAD = """do $$ declare first date := date_trunc('month', current_date - {0})::date; begin
  for n in 0 .. 3 loop
    execute format('create table %I partition of e for values from (%L) to (%L)',
      'e_' || to_char(first + make_interval(months => n), 'YYYY_MM'),
      first + make_interval(months => n), first + make_interval(months => n + 1));
  end loop; end $$"""


@pytest.mark.parametrize("has_branches", [False, pytest.param(True, marks=pytest.mark.long)])
async def test_what_sql_names_after_the_months_ahead_is_another_name_in_an_older_database(
    server: Cluster, tmp_path: Path, *, has_branches: bool
) -> None:
    def write(name: str, days: int) -> Path:
        graph = {
            "a": ((), run("create table e (at date) partition by range (at)")),
            "b": (("a",), run(AHEAD.format(days))),
            "c": (("b",), run("create table f_2024_01 (id int)")),
        }
        if has_branches:
            graph["d"] = (("b",), run("create table d (id int)"))
            graph["e"] = (("c", "d"), "pass")
        (tmp_path / name).mkdir()
        return write_graph(tmp_path / name, graph)

    lock = await lock_up(write("now", 0), server)
    states = States(load_lock(dump_lock(lock), place="it"))
    options = BuildOptions(shadow_url=server.url())
    source = parse_source(f"alembic:{write('before', 150)}")
    async with open_shadows(options) as shadows:
        older = await read_source(source, options, shadows=shadows)
    found = (await diagnose_snapshot(Known(states), older)).diagnosis
    assert (found.verdict, found.unexplained) == (State.IN_SYNC, 0)
    left = [item for item in older.objects if item.key.name != "f_2024_01"]
    without = msgspec.structs.replace(older, objects=tuple(left))
    found = (await diagnose_snapshot(Known(states), without)).diagnosis
    assert found.verdict != State.IN_SYNC


@pytest.mark.long
async def test_texts_of_another_major_are_in_the_lock(tmp_path: Path) -> None:
    majors = [major for major in installed_majors() if major in {14, 18}]
    if len(majors) < 2:
        pytest.skip("needs the programs of PostgreSQL 14 and 18")
    graph = {
        "a": ((), run("create table t (id int, n int)")),
        "b": (("a",), run("create view v as select id from t where n > 3")),
    }
    ini = write_graph(tmp_path, graph)
    source = parse_source(f"alembic:{ini}")
    options = BuildOptions(major=18)
    async with open_shadows(options) as shadows:
        chosen = LockOptions(build=options, others=(14,))
        lock = await build_lock(read_scripts(ini), shadows, chosen)
    old = BuildOptions(major=14)
    async with open_shadows(old) as shadows:
        live = await read_source(source, old, shadows=shadows)
    states = States(load_lock(dump_lock(lock), place="it"))
    expected = states.make_snapshot(frozenset("ab"))
    assert diff(expected, live).changes != ()
    assert diff(expected, states.settle(live)[0]).changes == ()


MIDWAY = {
    "a": ((), run("alter table legacy add a int")),
    "b": (("a",), run("create table t (id int)", "select * from rows_of_that_day")),
    "c": (("b",), run("alter table t add c int")),
    "d": (("c",), run("create index t_c on t (c)")),
}
AT_B = "create table legacy (id int, a int); create table t (id int)"


async def test_a_lock_can_begin_with_a_dump_where_the_history_does_not_run(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    ini = write_graph(tmp_path, MIDWAY)
    lock = await lock_up(ini, server, baseline=AT_B, start=Start(stamped=("b",)))
    assert load_lock(dump_lock(lock), place="it") == lock
    assert (lock.start, lock.stopped_at) == (("a", "b"), None)
    states = States(lock)
    assert [one.id for one in lock.revisions] == ["a", "b", "c", "d"]
    rows = "create table alembic_version (version_num varchar(32) primary key)"

    async def judge(row: str, *done: str) -> Diagnosis:
        stamp = [rows, *([f"insert into alembic_version values ('{row}')"] if row else [])]
        url = await make_database(sql="; ".join([AT_B, *done, *stamp]))
        async with connect(parse_dsn(url)[0]) as session:
            live = await take_snapshot(session)
        return (await diagnose_snapshot(Known(states), live)).diagnosis

    steps = "alter table t add c int", "create index t_c on t (c)"
    assert (await judge("b")).verdict is State.PENDING
    assert (await judge("d", *steps)).verdict is State.IN_SYNC
    assert (await judge("d")).missing_revisions == ("c", "d")
    assert (await judge("b", *steps)).extra_revisions == ("c", "d")
    unstamped = await judge("", steps[0])
    assert unstamped.verdict is State.UNSTAMPED
    assert unstamped.summary.endswith("the schema is that of c")
    before = await judge("a")
    assert (before.verdict, before.summary) == (
        State.UNKNOWN,
        "the lock does not know what revision a does",
    )


async def test_a_lock_may_know_the_heads_alone(server: Cluster, tmp_path: Path) -> None:
    lock = await lock_up(
        write_graph(tmp_path, MIDWAY),
        server,
        baseline=f"{AT_B}; alter table t add c int",
        start=Start(stamped=("d",)),
    )
    assert lock.start == ("a", "b", "c", "d")
    assert {key.name for key in States(lock).fold(frozenset("abcd")).objects} >= {"legacy", "c"}


async def test_models_of_the_heads_are_taken_back_to_what_was_there_before(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_history(
        tmp_path,
        "op.execute('alter table legacy add a int')",
        "op.execute('create table t (id int)')",
    )
    undo = ("op.execute('alter table legacy drop a')", "op.execute('drop table t')")
    for number, body in enumerate(undo, 1):
        path = tmp_path / f"m/versions/r{number}.py"
        path.write_text(f"{path.read_text()}\n\ndef downgrade():\n    {body}\n")
    heads = "create table legacy (id int, a int); create table t (id int)"
    lock = await lock_up(ini, server, baseline=heads, start=Start(is_of_heads=True))
    states = States(lock)
    names = [
        sorted({key.name for key in states.fold(some).objects} - {"plpgsql", "public"})
        for some in map(frozenset, ((), ("r1",), ("r1", "r2")))
    ]
    assert names == [["id", "legacy"], ["a", "id", "legacy"], ["a", "id", "legacy", "t"]]
    assert lock.start == ()


@pytest.mark.parametrize("stops", [False, True])
async def test_the_place_of_the_version_table_is_in_the_lock(
    server: Cluster, tmp_path: Path, *, stops: bool
) -> None:
    end = "select * from nowhere" if stops else "create table u (id int)"
    ini = write_history(tmp_path, "op.execute('create table t (id int)')", f"op.execute('{end}')")
    env = tmp_path / "m/env.py"
    place = "version_table='alembic_version_b', version_table_schema='deep'"
    text = env.read_text().replace("connection=connection", f"connection=connection, {place}")
    env.write_text(text)
    lock = await lock_up(ini, server, baseline="create schema deep")
    assert lock.place == VersionPlace(schema="deep", name="alembic_version_b", width=32)
    assert (lock.stopped_at is not None) is stops


async def test_heads_of_which_one_needs_the_other_are_locked(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_graph(tmp_path, {"x": ((), run("create table x (id int)")), "k": ((), "pass")})
    path = tmp_path / "m/versions/k.py"
    needing = "down_revision = None\ndepends_on = 'x'"
    path.write_text(path.read_text().replace("down_revision = ()", needing))
    lock = await lock_up(ini, server)
    assert (lock.history.heads, lock.stopped_at) == (("k", "x"), None)


async def test_a_history_without_revisions_is_said(server: Cluster, tmp_path: Path) -> None:
    ini = write_history(tmp_path)
    (tmp_path / "m/versions").mkdir()
    with pytest.raises(BuildError, match="has no revision yet"):
        await lock_up(ini, server)


def extend_environment(ini: Path, *lines: str) -> Path:
    """Let env.py do more once it has migrated, in the transaction in which it did."""
    env = ini.parent / "m/env.py"
    env.write_text(env.read_text() + "".join(f"        {line}\n" for line in lines))
    return ini


async def test_what_env_py_makes_after_the_migrations_is_said_to_be_in_no_lock(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_history(tmp_path, run("create table t (id int)"))
    extend_environment(ini, "connection.exec_driver_sql('create table hook ()')")
    lines: list[str] = []
    lock = await lock_up(ini, server, progress=lines.append)
    assert not any(key.name == "hook" for key in States(lock).fold(frozenset({"r1"})).objects)
    [warning] = [line for line in lines if line.startswith("warning: ")]
    assert "table public.hook is made or changed" in warning


async def test_an_env_py_that_migrates_several_schemas_is_told_so(
    server: Cluster, tmp_path: Path
) -> None:
    ini = write_history(tmp_path, run("create table t (id int)"))
    extend_environment(
        ini,
        "connection.exec_driver_sql('create schema tenant; set search_path to tenant')",
        "context.configure(connection=connection, version_table_schema='tenant')",
        "context.run_migrations()",
    )
    with pytest.raises(BuildError, match="runs the migrations once more") as caught:
        await lock_up(ini, server)
    assert "lock_schema" in str(caught.value)
