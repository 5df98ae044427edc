"""An agent in an environment where nobody is told: it looks, records, shows, and is silent."""

from pathlib import Path

from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs

from tests.agent.builders import TABLES, execute, load, running
from tests.conftest import MakeDatabase


async def test_a_clone_looks_and_shows_and_sends_nothing(
    make_database: MakeDatabase, tmp_path: Path, httpserver: HTTPServer
) -> None:
    url = await make_database(sql=TABLES)
    httpserver.expect_request("/hook").respond_with_data("")
    loaded = load(
        tmp_path,
        {"app": f'{{url: "{url}"}}', "prod": f'{{url: "{url}", environment: production}}'},
        ANCHORWATCH_WEBHOOKS__OPS__URL=httpserver.url_for("/hook"),
        ANCHORWATCH_ENVIRONMENTS="production",
    )
    with capture_logs() as logs:
        async with running(loaded) as agent:
            await agent.wait_for(app="unchanged", prod="unchanged")
            await execute(url, "DROP TABLE orders")
            await agent.wait_for(app="drifted", prod="drifted")
            await agent.wait_for_looks("app", 10)
            _, page = await agent.get("/")
            waiting = 'anchorwatch_outbox_pending{channel="webhook:ops"} 0.0'
            metrics = await agent.wait_for_words("/metrics", waiting)
    sentence = "Nothing is sent anywhere: the environment test is not among"
    assert any(sentence in log["event"] for log in logs)
    assert sentence in page
    assert 'anchorwatch_incidents_open{database="app",severity="critical"} 1.0' in metrics
    assert not httpserver.log
