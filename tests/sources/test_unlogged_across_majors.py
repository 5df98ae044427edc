"""Unlogged tables with sequences are alike on old and new servers, dumped and restored too."""

from pathlib import Path

import pytest

from monitor.core.scope import DEFAULT_SCOPE, compare
from monitor.core.source import parse_source
from monitor.sources.build import BuildOptions
from monitor.sources.engine import find_binaries, running_cluster
from monitor.sources.expected import read_source
from tests.cases.reader import describe
from tests.sources.looking import look, restore, run

SETUP = "create unlogged table t (id serial primary key, n bigserial);"
TOLD = ("note unlogged sequence public.t_id_seq", "note unlogged sequence public.t_n_seq")


@pytest.mark.long
async def test_sequences_of_unlogged_tables_are_no_drift_across_majors(tmp_path: Path) -> None:
    (tmp_path / "e.sql").write_text(SETUP)
    source = parse_source(f"sql:{tmp_path / 'e.sql'}")
    built = {major: await read_source(source, BuildOptions(major=major)) for major in (14, 18)}
    with (
        running_cluster(find_binaries(14)) as older,
        running_cluster(find_binaries(18)) as newer,
    ):
        for server in (older, newer):
            await run(server.url(), "create database d template template0")
            await run(server.url("d"), SETUP)
        await run(newer.url(), "create database restored template template0")
        restore(older, "d", newer, "restored")
        old, new = await look(older.url("d")), await look(newer.url("d"))
        restored = await look(newer.url("restored"))
    told = {
        (label, other): describe(compare(expected, actual, DEFAULT_SCOPE))
        for label, expected in (("14", built[14]), ("18", built[18]), ("live 14", old))
        for other, actual in (("14", old), ("18", new), ("restored", restored))
    }
    public = "note public schema public"
    assert {place: lines for place, lines in told.items() if {*lines} - {public}} == {
        ("18", "14"): TOLD,
        ("18", "restored"): tuple(sorted([*TOLD, public])),
    }
