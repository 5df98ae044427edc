"""`anchorwatch notify --test`: who took it, who did not, and what the exit code says."""

import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from monitor.core.channel_health import Trouble, break_channel
from monitor.core.incidents import EventKind
from monitor.sinks.channel import FailureReason
from monitor.sinks.claims import Claim
from monitor.sinks.outbox import LEASE
from monitor.sinks.store import open_store
from tests.cli.conftest import PLANTED, RunCommand
from tests.sinks.alertmanager_peer import find_port, running_alertmanager
from tests.sinks.builders import NOW, sqlite_url, statuses, told


@pytest.fixture(autouse=True)
def straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands between this machine and itself."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")


async def test_every_channel_is_tried_and_answers_for_itself(
    run_inside: RunCommand, httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request(f"/{PLANTED}").respond_with_data("ok")
    httpserver.expect_request("/gone").respond_with_data("no_team", status=404)
    async with running_alertmanager(tmp_path / "peer") as peer:
        done = await run_inside(
            *("notify", "--test", "--format", "json"),
            ANCHORWATCH_ENVIRONMENT="production",
            ANCHORWATCH_SLACK__WEBHOOK_URL=httpserver.url_for("/gone"),
            ANCHORWATCH_WEBHOOKS__OPS__URL=httpserver.url_for(f"/{PLANTED}"),
            ANCHORWATCH_WEBHOOKS__DOWN__URL=f"http://127.0.0.1:{find_port()}/{PLANTED}",
            ANCHORWATCH_APPRISE__OPS__URL=f"json://127.0.0.1:{httpserver.port}/{PLANTED}",
            ANCHORWATCH_ALERTMANAGER__URL=peer.url,
        )
        assert await peer.list_names() == ["AnchorwatchTest"]
    assert done.assert_kind().code == 3
    channels = {one["name"]: one for one in done.document["channels"]}
    assert {name: one["ok"] for name, one in channels.items()} == {
        "slack": False,
        "webhook:ops": True,
        "webhook:down": False,
        "alertmanager": True,
        "apprise:ops": True,
    }
    assert channels["webhook:ops"]["receipt"] == "HTTP 200"
    assert channels["slack"]["error"]["code"] == "gone"
    assert channels["webhook:down"]["error"]["code"] == "connect"
    assert "tried again" not in channels["webhook:down"]["error"]["next"]
    posted = [json.loads(request.get_data()) for request, _ in httpserver.log]
    (hook,) = [body for body in posted if body.get("format") == 1]
    assert (hook["type"], hook["environment"]) == ("test.ping", "production")


async def test_one_channel_is_asked_for_by_its_name(
    run_inside: RunCommand, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/a").respond_with_data("")
    hooks = {f"ANCHORWATCH_WEBHOOKS__{name}__URL": httpserver.url_for("/a") for name in "AB"}
    done = await run_inside("notify", "--test", "webhook:b", **hooks)
    assert (done.code, done.out) == (0, "webhook:b: taken (HTTP 200)\n")
    assert len(httpserver.log) == 1


async def test_a_channel_that_takes_it_is_not_broken_any_more(
    run_inside: RunCommand, httpserver: HTTPServer, tmp_path: Path
) -> None:
    """As with the button on the page: what it lost is told, and that it works, on the others."""
    httpserver.expect_request("/hook").respond_with_data("ok")
    url = sqlite_url(tmp_path / "ledger.db")
    async with open_store(url) as store:
        await store.commit(told(1, EventKind.OPENED, "webhook:ops"))
        claim = Claim(now=NOW, holder="us", lease=LEASE, channel="webhook:ops")
        await store.bury(await store.claim_due(claim, 1), FailureReason.GONE, NOW)
        incident, event = break_channel("test", "webhook:ops", Trouble(NOW, "Gone."), NOW)
        await store.open_channel_incident(incident, event, [])
        done = await run_inside(
            *("notify", "--test", "webhook:ops"),
            ANCHORWATCH_ENVIRONMENT="test",
            ANCHORWATCH_STORE_URL=url,
            ANCHORWATCH_WEBHOOKS__OPS__URL=httpserver.url_for("/hook"),
            ANCHORWATCH_WEBHOOKS__PAGER__URL=httpserver.url_for("/pager"),
        )
        assert done.code == 0
        assert await store.list_broken("test") == []
        assert await statuses(store) == ["pending"]
        (word,) = await store.list_deliveries(incident.id)
        assert (word.delivery.channel, word.delivery.kind) == ("webhook:pager", "resolved")


async def test_a_ledger_that_cannot_be_read_spoils_no_test(
    run_inside: RunCommand, httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request("/hook").respond_with_data("ok")
    (tmp_path / "ledger.db").write_bytes(b"no ledger, and long enough to be read as one" * 99)
    done = await run_inside(
        *("notify", "--test"),
        ANCHORWATCH_STORE_URL=sqlite_url(tmp_path / "ledger.db"),
        ANCHORWATCH_WEBHOOKS__OPS__URL=httpserver.url_for("/hook"),
    )
    assert (done.code, done.out) == (0, "webhook:ops: taken (HTTP 200)\n")
    assert "the agent does not hear of this test" in done.err


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        (["notify"], {}, "--test"),
        (["notify", "--test"], {}, "No channel is configured."),
        (
            ["notify", "--test", "webhook:x"],
            {"ANCHORWATCH_WEBHOOKS__OPS__URL": "http://127.0.0.1:9/x"},
            "Configured are: webhook:ops.",
        ),
        (
            ["notify", "--test"],
            {"ANCHORWATCH_APPRISE__OPS__URL": f"nosuch://{PLANTED}"},
            "Apprise does not know",
        ),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    run_inside: RunCommand, arguments: list[str], environ: dict[str, str], words: str
) -> None:
    done = await run_inside(*arguments, **environ)
    assert done.assert_kind().code == 2
    assert words in done.err


async def test_where_nothing_is_sent_a_test_is_all_the_same(
    run_inside: RunCommand, httpserver: HTTPServer
) -> None:
    """Somebody sits before it; and is told that nothing else would come."""
    httpserver.expect_request("/a").respond_with_data("")
    done = await run_inside(
        *("notify", "--test"),
        ANCHORWATCH_WEBHOOKS__A__URL=httpserver.url_for("/a"),
        ANCHORWATCH_ENVIRONMENT="pr-7",
        ANCHORWATCH_ENVIRONMENTS="production",
    )
    assert done.code == 0
    assert "only this test: Nothing is sent anywhere" in done.err
