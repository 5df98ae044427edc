"""A message as a Standard Webhook, checked with the reference library."""

import base64
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook as Reference
from standardwebhooks.webhooks import WebhookVerificationError
from werkzeug import Request, Response

from monitor.core.errors import ConfigurationError, DeliveryError
from monitor.core.findings import Evidence
from monitor.core.incidents import EventKind, Status
from monitor.core.message import Surroundings
from monitor.sinks.channel import Channel, FailureReason, read_retry_after
from monitor.sinks.slack import Slack
from monitor.sinks.webhook import MAX_BODY, Webhook, render
from monitor.sources.http import Client, open_client
from tests.sinks.builders import HOSTILE, NOW, a_finding, a_message


def a_secret(length: int = 32) -> str:
    return "whsec_" + base64.b64encode(bytes(range(length))).decode()


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setenv("NO_PROXY", "*")
    async with open_client(idle_seconds=0.3) as opened:
        yield opened


async def test_a_receiver_can_verify_it_with_either_secret_of_a_rotation(
    client: Client, httpserver: HTTPServer
) -> None:
    old, new = a_secret(24), a_secret(64)
    seen: list[Request] = []

    def take(request: Request) -> Response:
        request.get_data()
        seen.append(request)
        return Response(status=204)

    httpserver.expect_request("/hook", method="POST").respond_with_handler(take)
    hook = Webhook("ops", httpserver.url_for("/hook"), secrets=f"{old} {new}", client=client)
    message = a_message()
    assert await hook.send(message, attempt_at=datetime.now(UTC)) == "HTTP 204"
    (request,) = seen
    headers = dict(request.headers)
    for secret in (old, new, new.removeprefix("whsec_")):
        body = Reference(secret).verify(request.get_data(), headers)
        assert body["incident"] == message.incident
    with pytest.raises(WebhookVerificationError):
        Reference(a_secret()).verify(request.get_data(), headers)
    assert headers["Webhook-Id"] == message.id == body["id"]
    assert headers["Content-Type"] == "application/json"


async def test_without_a_secret_there_is_no_signature(
    client: Client, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("")
    hook = Webhook("ops", httpserver.url_for("/hook"), secrets="", client=client)
    await hook.send(a_message(), attempt_at=NOW)
    headers = httpserver.log[0][0].headers
    assert "webhook-signature" not in headers
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))


def test_what_was_there_at_first_comes_with_the_command_that_accepts_it() -> None:
    body = json.loads(render(a_message(is_initial=True)))
    assert body["accept"] == 'anchorwatch accept app --reason "..."'


def test_the_body_is_what_the_contract_says() -> None:
    body = json.loads(render(a_message()))
    assert body == {
        "format": 1,
        "type": "incident.opened",
        "id": "01DELIVERY",
        "incident": "i1",
        "environment": "production",
        "database": "app",
        "severity": "critical",
        "status": "open",
        "headline": "CRITICAL app (production): 1 schema difference",
        "since": "2026-03-01T12:00:00Z",
        "at": "2026-03-01T12:00:00Z",
        "ended": None,
        "findings": [
            {
                "id": a_finding().id,
                "code": "AW201",
                "severity": "critical",
                "kind": "table",
                "schema": "public",
                "parent": None,
                "name": "orders",
                "title": "table public.orders is missing",
                "evidence": [{"name": "persistence", "expected": "permanent", "actual": None}],
            }
        ],
        "truncated": 0,
        "cause": "dropped by hand, or a migration that did not run to its end",
        "revisions": None,
        "expected_revisions": None,
        "deployed_at": None,
        "command": "anchorwatch check app",
        "accept": None,
        "url": None,
    }


def test_the_documented_body_is_what_is_sent() -> None:
    page = Path("docs/how-to/channels.md").read_text("utf-8")
    shown = json.loads(page.partition("## Webhooks")[2].split("```json\n")[1].split("```")[0])
    around = Surroundings(NOW, ("9f1c2ab34d10",), ("9f1c2ab34d10",))
    url = "https://watch.example.com/databases/app"
    body = json.loads(render(msgspec.structs.replace(a_message(), around=around, url=url)))
    assert {name: type(value) for name, value in shown.items()} == {
        name: type(value) for name, value in body.items()
    }
    assert [*shown] == [*body]
    assert shown["findings"] == body["findings"]
    types = page.partition("\n`type` is ")[2].partition(". Keep")[0]
    for kind in EventKind:
        assert f"`{a_message(kind, headline='x').type}`" in types


def test_where_the_history_is_and_the_last_deployment_are_said() -> None:
    around = Surroundings(NOW, (), ("9f1c2ab34d10",))
    body = json.loads(render(msgspec.structs.replace(a_message(), around=around)))
    assert (body["revisions"], body["expected_revisions"]) == ([], ["9f1c2ab34d10"])
    assert body["deployed_at"] == "2026-03-01T12:00:00Z"


def test_what_is_over_says_when() -> None:
    message = a_message(EventKind.RESOLVED, status=Status.RESOLVED, resolved_at=NOW)
    body = json.loads(render(message))
    assert (body["type"], body["status"]) == ("incident.resolved", "resolved")
    assert body["ended"] == "2026-03-01T12:00:00Z"


def test_a_finding_about_a_whole_database_names_no_object() -> None:
    (finding,) = json.loads(render(a_message(findings=(a_finding(key=None),))))["findings"]
    assert [finding[name] for name in ("kind", "schema", "parent", "name")] == [None] * 4


def test_at_most_twenty_findings_are_listed_and_the_others_counted() -> None:
    findings = tuple(a_finding(f"t{number}") for number in range(33))
    body = json.loads(render(a_message(findings=findings)))
    assert len(body["findings"]) == 20
    assert body["truncated"] == 13


@settings(max_examples=60)
@given(
    text=st.text(st.characters(codec="utf-8"), max_size=4000),
    count=st.integers(0, 40),
    evidence=st.integers(0, 40),
)
def test_a_body_never_grows_too_large(text: str, count: int, evidence: int) -> None:
    proof = tuple(
        Evidence(name=text, expected=text, actual=[text, text, None]) for _ in range(evidence)
    )
    findings = tuple(
        a_finding(f"{text}{number}", title=text, evidence=proof) for number in range(count)
    )
    message = msgspec.structs.replace(
        a_message(findings=findings),
        headline=text,
        command=text,
        accept=text,
        url="https://x/" + text,
        database=text,
        around=Surroundings(NOW, (text,) * 9, (text,) * 9),
    )
    body = render(message)
    assert len(body) <= MAX_BODY
    said = json.loads(body)
    assert len(said["findings"]) + said["truncated"] == count


@pytest.mark.parametrize(
    "secret", ["whsec_A", "whsec_!!!", "hunter2", "whsec_aHVudGVyMg==", a_secret(23), a_secret(65)]
)
async def test_a_secret_that_is_none_is_refused_without_being_quoted(
    client: Client, secret: str
) -> None:
    with pytest.raises(ConfigurationError, match="24 to 64 bytes") as caught:
        Webhook("ops", "https://example.com", secrets=secret, client=client)
    assert secret not in str(caught.value)


def make_channels(url: str, client: Client) -> tuple[Channel, ...]:
    return (
        Webhook("ops", url, secrets=a_secret(), client=client),
        Slack("chat", url, client=client),
    )


def expected(status: int, kind: str) -> FailureReason | None:
    """The whole table of what an HTTP status means."""
    if 200 <= status < 300:
        return None
    gone = {"slack": (404, 410), "webhook": (410,)}[kind]
    if status in gone:
        return FailureReason.GONE
    if status == 429:
        return FailureReason.RATE_LIMITED
    if status in (408, 425) or status >= 500:
        return FailureReason.SERVER
    return FailureReason.REFUSED if status >= 400 else FailureReason.REDIRECTED


BORDERS = [200, 204, 299, 300, 304, 399, 400, 403, 404, 407, 408, 409, 410, 411, 424, 425, 426]
BORDERS += [428, 429, 430, 499, 500, 503, 599]


@pytest.mark.parametrize(
    "statuses", [BORDERS, pytest.param(range(200, 600), marks=pytest.mark.long)], ids=len
)
async def test_every_status_means_the_same_to_every_channel_but_for_gone(
    client: Client, httpserver: HTTPServer, statuses: Sequence[int]
) -> None:
    def answer(request: Request) -> Response:
        status = int(request.path.rpartition("/")[2])
        location = {"Location": httpserver.url_for("/trap")} if 300 <= status < 400 else {}
        return Response(status=status, headers=location)

    httpserver.expect_request("/trap").respond_with_data("", status=200)
    for status in statuses:
        path = f"/T000/hunter2/{status}"
        httpserver.expect_oneshot_request(path).respond_with_handler(answer)
        httpserver.expect_oneshot_request(path).respond_with_handler(answer)
        for channel in make_channels(httpserver.url_for(path), client):
            reason = expected(status, channel.kind)
            if reason is None:
                assert await channel.send(a_message(), attempt_at=NOW) == f"HTTP {status}"
                continue
            with pytest.raises(DeliveryError) as caught:
                await channel.send(a_message(), attempt_at=NOW)
            assert caught.value.reason is reason
            refused = reason is FailureReason.REFUSED and channel.kind == "slack"
            dead = reason is FailureReason.GONE or refused
            assert caught.value.permanent is dead
            assert "hunter2" not in str(caught.value)
            assert str(status) in str(caught.value)
    assert not [1 for request, _ in httpserver.log if request.path == "/trap"]


async def test_a_retry_after_is_handed_on(client: Client, httpserver: HTTPServer) -> None:
    for channel in make_channels(httpserver.url_for("/hook"), client):
        httpserver.expect_oneshot_request("/hook").respond_with_data(
            "", status=429, headers={"Retry-After": "17"}
        )
        with pytest.raises(DeliveryError) as caught:
            await channel.send(a_message(), attempt_at=NOW)
        assert caught.value.retry_after == 17


async def test_nobody_there_and_no_answer_are_tried_again(
    client: Client, httpserver: HTTPServer
) -> None:
    for channel in make_channels("http://127.0.0.1:1/hunter2", client):
        with pytest.raises(DeliveryError) as caught:
            await channel.send(a_message(), attempt_at=NOW)
        assert caught.value.reason is FailureReason.CONNECT
        assert not caught.value.permanent
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("soon", None),
        ("-1", None),
        ("1e9", None),
        ("99999999999999999999", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Sun, 01 Mar 2026 12:00:05", 5.0),
        ("Sun, 99 Mar 2026 12:00:05 GMT", None),
        ("Sun, 1 Mar 99999999999 12:00:05 GMT", None),
        ("", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert read_retry_after(text, NOW) == seconds


def test_hostile_names_survive_as_json() -> None:
    findings = (a_finding(HOSTILE, title=HOSTILE),)
    (finding,) = json.loads(render(a_message(findings=findings)))["findings"]
    assert finding["name"] == HOSTILE
