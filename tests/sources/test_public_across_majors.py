"""Whatever became of the schema public, dump and restore on a newer server is no drift."""

import pytest

from monitor.core.scope import DEFAULT_SCOPE, compare
from monitor.sources.engine import find_binaries, running_cluster
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
