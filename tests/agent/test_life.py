"""The running agent, in this process: what it shows, survives and leaves alone."""

import asyncio
import contextlib
import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitor.agent.life import run_agent
from monitor.config.load import LoadedConfig
from monitor.core.errors import ConfigurationError, StoreError
from monitor.sinks.backend import Backend
from monitor.sinks.store import Decision, Store
from monitor.sources.engine import Cluster
from tests.agent.builders import SECONDS, TABLES, execute, load, running
from tests.conftest import MakeDatabase
from tests.sources.peers import black_hole, socket_url, weak_role
from tests.sources.shadow_peers import find_leftovers, write_history


async def test_one_bad_entry_never_stops_the_others(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    databases = {
        "good": f'{{url: "{await make_database(sql=TABLES)}"}}',
        "gone": '{url: "postgresql://u:p@127.0.0.1:1/x"}',
        "unset": '{url: "${NOBODY_SET_THIS}"}',
        "odd": '{url: "postgresql://u:p@127.0.0.1:1/x", colour: blue}',
        "lost": f'{{url: "{await make_database(sql=TABLES)}", expected: "alembic:no/where.ini"}}',
    }
    async with running(load(tmp_path, databases)) as agent:
        await agent.wait_for(good="unchanged", gone="unreachable", lost="unknown")
        assert (await agent.list_states())["unset"] == "unknown"
        await agent.wait_for_first_look("unset")  # as of those whose looks fail
        _, page = await agent.get("/metrics?database=unset")
        assert 'anchorwatch_database_state{database="unset",state="unknown"} 1.0' in page
        assert (await agent.get("/readyz"))[0] == 200
        assert "anchorwatch_config_last_reload_successful 0.0" in (await agent.get("/metrics"))[1]


async def test_a_restart_shows_what_is_remembered_before_the_first_look(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}"}}'})) as agent:
        await agent.wait_for(app="unchanged")
        await execute(url, "DROP TABLE orders")
        await agent.wait_for(app="drifted")
        await agent.wait_for_looks("app", 3)
    async with (
        black_hole() as silent,
        running(load(tmp_path, {"app": f'{{url: "{silent}"}}'})) as agent,
    ):
        found = await agent.find("app")
        assert found["state"] == "drifted"
        assert found["differences"] == 1
        assert await agent.count_looks("app") == 0
        _, page = await agent.get("/metrics")
        assert 'anchorwatch_database_state{database="app",state="drifted"} 1.0' in page
        assert 'anchorwatch_incidents_open{database="app",severity="critical"} 1.0' in page


async def test_a_database_that_left_the_configuration_is_forgotten(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    text = f'{{url: "{await make_database(sql=TABLES)}"}}'
    async with running(load(tmp_path, {"old": text, "new": text})) as agent:
        await agent.wait_for(old="unchanged", new="unchanged")
    async with running(load(tmp_path, {"new": text})) as agent:
        assert (await agent.list_states()).keys() == {"new"}
        assert 'database="old"' not in (await agent.get("/metrics"))[1]


async def test_an_environment_that_was_renamed_leaves_nothing_in_a_file_of_ones_own(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    for environment in ("before", "after"):
        text = f'{{url: "{url}", environment: {environment}}}'
        async with running(load(tmp_path, {"app": text})) as agent:
            await agent.wait_for(app="unchanged")
            _, body = await agent.get("/api/databases")
            found = [one["environment"] for one in json.loads(body)["databases"]]
            assert found == [environment]


@pytest.mark.parametrize(
    ("today", "state"),
    [('{{url: "{url}", enabled: false}}', "drifted"), ('{{url: "${{UNSET}}"}}', "unknown")],
)
async def test_an_entry_that_is_disabled_or_broken_for_a_while_is_remembered(
    make_database: MakeDatabase, tmp_path: Path, today: str, state: str
) -> None:
    url = await make_database(sql=TABLES)
    whole, other = f'{{url: "{url}"}}', f'{{url: "{await make_database(sql=TABLES)}"}}'
    async with running(load(tmp_path, {"app": whole, "other": other})) as agent:
        await agent.wait_for(app="unchanged", other="unchanged")
        await execute(url, "DROP TABLE orders")
        await agent.wait_for(app="drifted")
        await agent.wait_for_looks("app", 2)
        before = await agent.find("app")
    async with running(load(tmp_path, {"app": today.format(url=url), "other": other})) as agent:
        await agent.wait_for(app=state)
        await agent.wait_for_looks("other", 2)
    async with black_hole() as silent:
        databases = {"app": f'{{url: "{silent}"}}', "other": other}
        async with running(load(tmp_path, databases)) as agent:
            after = await agent.find("app")
            _, page = await agent.get("/metrics")
    assert after["state"] == state
    assert (after["since"] == before["since"]) == (state == "drifted")
    assert 'anchorwatch_incidents_open{database="app",severity="critical"} 1.0' in page


async def test_a_database_of_that_name_elsewhere_lends_it_no_state(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}"}}'})) as agent:
        await agent.wait_for(app="unchanged")
    async with black_hole() as silent:
        text = f'{{url: "{silent}", environment: elsewhere}}'
        async with running(load(tmp_path, {"app": text})) as agent:
            _, page = await agent.get("/metrics")
            assert "anchorwatch_database_state{" not in page


async def test_a_superuser_is_one_warning_a_database_and_a_role_that_may_look_is_none(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    urls = {name: await make_database(sql=TABLES) for name in ("one", "two", "weak")}
    async with weak_role(server, urls["weak"]) as role:
        urls["weak"] = socket_url(server, urls["weak"], role)
        databases = {name: f'{{url: "{url}"}}' for name, url in urls.items()}
        with capture_logs() as logs:
            async with running(load(tmp_path, databases)) as agent:
                await agent.wait_for(one="unchanged", two="unchanged", weak="unchanged")
                for name in urls:
                    await agent.wait_for_looks(name, 3)
    warned = [entry for entry in logs if "superuser" in entry["event"]]
    assert sorted(entry["database"] for entry in warned) == ["one", "two"]
    assert {entry["log_level"] for entry in warned} == {"warning"}
    assert all("anchorwatch grants" in entry["next_step"] for entry in warned)


async def test_the_end_comes_within_five_seconds_whatever_hangs(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    loop = asyncio.get_running_loop()
    async with black_hole() as silent:
        databases = {f"hole{number}": f'{{url: "{silent}"}}' for number in range(5)}
        databases["good"] = f'{{url: "{await make_database(sql=TABLES)}"}}'
        async with running(load(tmp_path, databases)) as agent:
            await agent.wait_for(good="unchanged")
            begun = loop.time()
            agent.stop.set()
        assert loop.time() - begun < 5


async def test_a_ledger_that_the_next_deployment_loses_is_a_warning_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAILWAY_ENVIRONMENT_NAME", "production")
    with capture_logs() as logs:
        async with running(load(tmp_path, {})):
            pass
    (warned,) = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert "lost at the next deployment" in warned
    assert "ANCHORWATCH_STORE_URL" in warned


async def end_soon(loaded: LoadedConfig) -> float:
    """The seconds from the word to an agent that has begun to open its ledger, to its end."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    task = asyncio.create_task(run_agent(loaded, stop=stop))
    await asyncio.sleep(0.3)
    assert not task.done()
    stop.set()
    begun = loop.time()
    await task
    return loop.time() - begun


async def test_the_end_comes_within_five_seconds_while_a_ledger_is_waited_for(
    tmp_path: Path,
) -> None:
    async with black_hole() as silent:
        assert await end_soon(load(tmp_path, {}, ANCHORWATCH_STORE_URL=silent)) < 5


async def test_the_end_comes_within_five_seconds_while_another_process_holds_the_ledger(
    tmp_path: Path,
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert await end_soon(load(tmp_path, {})) < 5


async def test_a_running_agent_ends_within_five_seconds_while_another_process_holds_the_ledger(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    loop = asyncio.get_running_loop()
    databases = {"app": f'{{url: "{await make_database(sql=TABLES)}"}}'}
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        async with running(load(tmp_path, databases)) as agent:
            await agent.wait_for(app="unchanged")
            other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(0.5)  # the next look waits for the ledger
            begun = loop.time()
            agent.stop.set()
        assert loop.time() - begun < 5


async def test_a_database_that_may_not_be_woken_is_looked_at_once(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    databases = {"awake": f'{{url: "{url}"}}', "asleep": f'{{url: "{url}", wake: false}}'}
    async with running(load(tmp_path, databases)) as agent:
        await agent.wait_for(awake="unchanged", asleep="unchanged")
        await agent.wait_for_looks("awake", 3)
        assert await agent.count_looks("asleep") == 1
        asleep = await agent.find("asleep")
        assert (asleep["interval"], asleep["overdue"]) == (None, False)
        _, page = await agent.get("/metrics?database=asleep")
        assert "anchorwatch_check_interval_seconds" not in page


async def test_a_database_that_may_not_be_woken_is_looked_at_when_asked(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    databases = {
        "asleep": f'{{url: "{url}", wake: false, min_interval: 500ms}}',
        "off": f'{{url: "{url}", enabled: false}}',
    }
    async with running(load(tmp_path, databases)) as agent:
        await agent.wait_for(asleep="unchanged")
        await execute(url, "DROP TABLE orders")
        before = (await agent.find("asleep"))["last_look"]
        status, body = await agent.post("/api/databases/asleep/look")
        assert (status, json.loads(body)["last_look"]) == (202, before)
        await agent.wait_for(asleep="drifted")
        after = (await agent.find("asleep"))["last_look"]
        assert datetime.fromisoformat(after) - datetime.fromisoformat(before) >= timedelta(
            seconds=0.5
        )
        assert (await agent.post("/databases/asleep/look"))[0] == 303
        await agent.wait_for_looks("asleep", 1)
        assert (await agent.post("/api/databases/off/look"))[0] == 409
        assert (await agent.post("/api/databases/nope/look"))[0] == 404


async def test_a_ledger_that_fails_decides_nothing_and_the_next_look_decides(
    make_database: MakeDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}"}}'})) as agent:
        await agent.wait_for(app="unchanged")
        writing, is_broken = Backend.writing, asyncio.Event()
        failed = 0

        def fail(self: Backend) -> Any:
            nonlocal failed
            if is_broken.is_set():
                failed += 1
                raise StoreError("The disk is full.", next_step="Make room.")
            return writing(self)

        monkeypatch.setattr(Backend, "writing", fail)
        is_broken.set()
        await execute(url, "DROP TABLE orders")
        async with asyncio.timeout(SECONDS):
            while failed < 3:  # noqa: ASYNC110  # looks that fail tell nobody
                await asyncio.sleep(0.05)
        assert (await agent.list_states())["app"] == "unchanged"
        is_broken.clear()
        await agent.wait_for(app="drifted")
    assert "nothing was decided" in capsys.readouterr().out


async def test_a_look_that_the_ledger_lost_is_repeated_also_where_none_would_follow(
    make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.agent.looks.REPEAT_AFTER", timedelta(seconds=0.5))
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"asleep": f'{{url: "{url}", wake: false}}'})) as agent:
        await agent.wait_for(asleep="unchanged")
        await execute(url, "DROP TABLE orders")
        commit, is_lost = Store.commit, asyncio.Event()

        async def lose(self: Store, decision: Decision) -> bool:
            if is_lost.is_set():
                return await commit(self, decision)
            is_lost.set()
            raise StoreError("The disk is full.", next_step="Make room.")

        monkeypatch.setattr(Store, "commit", lose)
        await agent.post("/api/databases/asleep/look")
        async with asyncio.timeout(SECONDS):
            await is_lost.wait()
        await agent.wait_for(asleep="drifted")
        assert (await agent.get("/readyz"))[0] == 200


async def test_the_last_snapshot_is_served(make_database: MakeDatabase, tmp_path: Path) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}"}}'})) as agent:
        await agent.wait_for(app="unchanged")
        status, body = await agent.get("/api/databases/app/snapshot")
    assert status == 200
    assert {"users", "orders"} <= {item["name"] for item in json.loads(body)["objects"]}


async def test_nothing_is_built_on_a_server_of_any_watched_database(
    server: Cluster, other_server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    script = tmp_path / "e.sql"
    script.write_text(TABLES)
    app = f'{{url: "{await make_database(sql=TABLES)}", expected: "sql:{script}", shadow_url: '
    databases = {
        "other": f'{{url: "{other_server.url()}"}}',
        "own": f'{app}"{server.url()}"}}',
        "others": f'{app}"{other_server.url()}"}}',
    }
    async with running(load(tmp_path, databases)) as agent:
        await agent.wait_for(other="empty", own="unknown", others="unknown")
        for name in ("own", "others"):
            await agent.wait_for_looks(name, 1)
            summary = (await agent.find(name))["summary"]
            assert "holds a watched database" in summary
            assert "`shadow_url`" in summary
    assert await find_leftovers(server.url()) == []


async def test_an_alembic_history_is_what_a_database_should_be(
    other_server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> None:
    ini = write_history(tmp_path / "app", 'op.execute("create table t (a int)")', "pass")
    url = await make_database(
        sql="CREATE TABLE t (a int); CREATE TABLE alembic_version (version_num varchar(32)"
        " PRIMARY KEY); INSERT INTO alembic_version VALUES ('r1')"
    )
    shadow = other_server.url()
    databases = {"app": f'{{url: "{url}", expected: "alembic:{ini}", shadow_url: "{shadow}"}}'}
    async with running(load(tmp_path, databases)) as agent:
        await agent.wait_for(app="pending")
        assert (await agent.find("app"))["expected"] == "r2"


async def test_what_is_accepted_is_left_out_at_once_however_rarely_it_looks(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    async with running(load(tmp_path, {"app": f'{{url: "{url}", interval: 1h}}'})) as agent:
        await agent.wait_for(app="unchanged")
        await execute(url, "DROP TABLE orders")
        # There is nothing to accept yet; the look that it asks for sees the drift.
        status, _ = await agent.post("/api/databases/app/accept", reason="nothing")
        assert status == 200
        await agent.wait_for(app="drifted")
        status, _ = await agent.post("/api/databases/app/accept", reason="obsolete")
        assert status == 200
        await agent.wait_for(app="unchanged")
        found = await agent.find("app")
        assert (found["differences"], found["waived"]["accepted"]) == (0, 1)
        _, page = await agent.get("/metrics")
        assert 'anchorwatch_findings_waived{database="app",how="accepted"} 1.0' in page
        assert 'anchorwatch_findings_waived{database="app",how="ignored"} 0.0' in page


async def test_rules_of_the_configuration_are_those_of_the_looks(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    rule = "{object: 'table:public.orders', reason: obsolete}"
    text = f'{{url: "{url}", ignore: [{rule}]}}'
    async with running(load(tmp_path, {"app": text})) as agent:
        await agent.wait_for(app="unchanged")
        await execute(url, "DROP TABLE orders")
        await agent.wait_for_looks("app", 2)
        found = await agent.find("app")
        assert (found["state"], found["waived"]["ignored"]) == ("unchanged", 1)


async def test_a_port_that_is_taken_is_an_error_in_one_sentence(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    async with running(load(tmp_path, {})) as agent:
        with pytest.raises(ConfigurationError, match="cannot listen"):
            async with running(load(tmp_path, {}, PORT=str(agent.port))):
                pytest.fail("It started.")


async def test_a_ledger_that_cannot_be_opened_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("This is no database, and never was one." * 100)
    with pytest.raises(StoreError, match="no SQLite database"):
        async with running(load(tmp_path, {})):
            pytest.fail("It started.")
