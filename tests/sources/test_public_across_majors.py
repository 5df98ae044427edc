"""Whatever became of the schema public, dump and restore on a newer server is no drift."""

from pathlib import Path

import pytest

from monitor.core.scope import DEFAULT_SCOPE, compare
from monitor.core.source import parse_source
from monitor.sources.build import BuildOptions
from monitor.sources.engine import find_binaries, running_cluster
from monitor.sources.expected import read_source
from tests.cases.reader import describe_graded
from tests.sources.looking import look, restore, run

STATES = {
    "untouched": "select 1",
    "open": "grant create on schema public to public",
    "closed": "revoke create on schema public from public",
    "closed entirely": "revoke all on schema public from public",
    "made anew": "drop schema public; create schema public",
    "made anew and granted": "drop schema public; create schema public;"
    "grant all on schema public to public",
    "of another owner": "alter schema public owner to keeper",
}


@pytest.mark.long
async def test_restoring_public_on_newer_servers_is_no_drift() -> None:
    with (
        running_cluster(find_binaries(14)) as oldest,
        running_cluster(find_binaries(15)) as newer,
        running_cluster(find_binaries(18)) as newest,
    ):
        servers = (oldest, newer, newest)
        told: dict[str, tuple[str, ...]] = {}
        for server in servers:
            await run(server.url(), "create role keeper")
        for number, (state, sql) in enumerate(STATES.items()):
            name = f"d{number}"
            for server in servers:
                await run(server.url(), f"create database {name} template template0")
            await run(oldest.url(name), sql)
            restore(oldest, name, newer, name)
            restore(newer, name, newest, name)
            old, middle, new = [await look(server.url(name)) for server in servers]
            for expected, actual in ((old, middle), (middle, new), (old, new)):
                if lines := describe_graded(compare(expected, actual, DEFAULT_SCOPE)):
                    told[state] = lines
    assert told == {}


HISTORIES = {
    "closed": "revoke create on schema public from public",
    "closed entirely": "revoke all on schema public from public",
    "open": "grant create on schema public to public",
    "commented": "comment on schema public is 'ours'",
    "made anew": "drop schema public; create schema public",
}
"""What a history may do, for the schema is the application's."""


@pytest.mark.long
@pytest.mark.parametrize("major", [14, 18])
@pytest.mark.parametrize("build_on", [14, 18])
async def test_what_a_history_does_to_public_is_expected(
    major: int, build_on: int, tmp_path: Path
) -> None:
    told = {}
    with running_cluster(find_binaries(major)) as live:
        for number, (state, sql) in enumerate(HISTORIES.items()):
            name = f"d{number}"
            await run(live.url(), f"create database {name} template template0")
            await run(live.url(name), sql)
            (tmp_path / "e.sql").write_text(f"{sql};")
            source = parse_source(f"sql:{tmp_path / 'e.sql'}")
            expected = await read_source(source, BuildOptions(major=build_on))
            actual = await look(live.url(name))
            if lines := describe_graded(compare(expected, actual, DEFAULT_SCOPE)):
                told[state] = lines
    assert told == {}


@pytest.mark.long
async def test_a_public_that_is_more_open_than_its_history_left_it_is_told(
    tmp_path: Path,
) -> None:
    """On 15 and later nothing is left to take away, and no expectation shows that it was."""
    (tmp_path / "e.sql").write_text("revoke create on schema public from public;")
    source = parse_source(f"sql:{tmp_path / 'e.sql'}")
    expected = await read_source(source, BuildOptions(major=14))
    with running_cluster(find_binaries(14)) as live:
        await run(live.url(), "create database d template template0")
        actual = await look(live.url("d"))
    [line] = describe_graded(compare(expected, actual, DEFAULT_SCOPE))
    assert "altered schema public" in line
