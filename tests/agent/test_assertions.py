"""Assertions on a schedule: what does not hold stands on the page and in the metrics."""

import asyncio
import json
from pathlib import Path

from tests.agent.builders import load, running
from tests.conftest import MakeDatabase

CHECKS = (
    "{every: 200ms, checks: [{name: no debts, sql: 'select count(*) as n from accounts', "
    "expect: 'rows[0].n == 0'}]}"
)


async def test_an_assertion_that_does_not_hold_is_shown(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(
        sql="create table accounts (id int primary key); insert into accounts values (1)"
    )
    loaded = load(tmp_path, {"app": f'{{url: "{url}", assertions: {CHECKS}}}'})
    async with running(loaded) as agent:
        await agent.wait_for(app="unchanged")
        async with asyncio.timeout(30):
            while True:
                _, body = await agent.get("/api/databases/app")
                if found := json.loads(body)["findings"]:
                    break
                await asyncio.sleep(0.1)
        assert [(one["code"], one["class"]) for one in found] == [("AW311", "data")]
        assert "no debts" in (await agent.get("/databases/app"))[1]
        metrics = (await agent.get("/metrics?database=app"))[1]
        assert 'check="data"' in metrics
        labels = '{assertion="no debts",database="app",severity="warning"}'
        assert f"anchorwatch_assertion_holds{labels} 0.0" in metrics
