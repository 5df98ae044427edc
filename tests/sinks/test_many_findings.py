"""Ten thousand findings at once: in the ledger and in each message."""

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.core.findings import Evidence, Finding
from monitor.core.incidents import EventKind
from monitor.core.patience import DEFAULT_POLICY
from monitor.core.record import advance
from monitor.core.report import Report
from monitor.core.step import step
from monitor.core.verdict import State
from monitor.sinks.outbox import Courier, Route
from monitor.sinks.slack import Slack
from monitor.sinks.slack_blocks import MAX_PAYLOAD
from monitor.sinks.store import Decision, Store
from monitor.sinks.webhook import MAX_BODY, Webhook
from monitor.sources.http import open_client
from tests.sinks.builders import HOSTILE, NOW, a_finding
from tests.sinks.test_outbox import hurry

MANY = 10_000
MOST_SECONDS = 30
"""For five looks and two messages; it takes three on a busy machine."""
MINUTE = timedelta(minutes=1)


def make_findings() -> tuple[Finding, ...]:
    """With names as long as a server takes, and evidence of some kilobytes here and there."""
    long = Evidence(name="body", expected="x" * 2000, actual=HOSTILE * 50)
    return tuple(
        a_finding(f"{HOSTILE}{number:05}{'n' * 30}", evidence=(long,) if number % 100 == 0 else ())
        for number in range(MANY)
    )


class Watch:
    """Looks at one database, as the pipeline decides them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def look(self, minutes: int, findings: tuple[Finding, ...]) -> list[EventKind]:
        report = Report(
            environment="production",
            database="app",
            at=NOW + minutes * MINUTE,
            seconds=0.1,
            state=State.DRIFTED,
            findings=findings,
        )
        before = await self.store.load("production", "app")
        unresolved, ended = await self.store.load_recent("production", "app", NOW)
        decided = step(unresolved, report, ended=ended)
        decision = Decision(
            record=advance(before, report, policy=DEFAULT_POLICY),
            looks_before=before.looks if before else None,
            incidents=decided.incidents,
            events=decided.events,
            channels=("chat", "hook"),
        )
        assert await self.store.commit(decision)
        return [event.kind for event in decided.events]


async def test_ten_thousand_findings_are_one_small_message_and_one_incident(
    store: Store,
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    bodies: dict[str, list[bytes]] = {"/chat": [], "/hook": []}

    def take(request: Request) -> Response:
        bodies[request.path].append(request.data)
        return Response("ok")

    for path in bodies:
        httpserver.expect_request(path).respond_with_handler(take)
    findings, watch = make_findings(), Watch(store)
    begun = time.perf_counter()
    for minute in range(5):
        kinds = await watch.look(minute, findings)
        assert kinds == ([EventKind.OPENED] if minute == 1 else [])
    looked = time.perf_counter() - begun
    async with open_client() as client:
        courier = Courier(
            store,
            [
                Route(channel=Slack("chat", httpserver.url_for("/chat"), client=client)),
                Route(
                    channel=Webhook("hook", httpserver.url_for("/hook"), secrets="", client=client)
                ),
            ],
            holder="us",
            sleep=hurry,
        )
        await courier.deliver_due(NOW + 5 * MINUTE)
    told = time.perf_counter() - begun - looked
    [incident] = await store.list_incidents(limit=10)
    record_property("looked", f"{looked:.2f} s")
    record_property("told", f"{told:.2f} s")
    assert looked + told < MOST_SECONDS
    assert len(incident.findings) == MANY
    [chat], [hook] = bodies["/chat"], bodies["/hook"]
    assert len(json.dumps(json.loads(chat), ensure_ascii=False)) <= MAX_PAYLOAD
    assert len(hook) <= MAX_BODY
    message = json.loads(hook)
    assert len(message["findings"]) + message["truncated"] == MANY
    assert f"{MANY:,}".replace(",", "") in json.loads(chat)["text"].replace(",", "").replace(
        " ", ""
    )
