"""Alerts as a real Alertmanager takes them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.core.errors import DeliveryError
from monitor.core.findings import INCIDENT_CLASSES, FindingClass, Severity
from monitor.core.incidents import EventKind, Incident, Status
from monitor.core.message import Message, compose
from monitor.sinks.alertmanager import BATCH, ENDS_AFTER, Alertmanager, describe_alert, name_alert
from monitor.sinks.channel import ChannelKind, FailureReason
from monitor.sinks.retry import PACES
from monitor.sources.http import Client, open_client
from tests.sinks.alertmanager_peer import running_alertmanager
from tests.sinks.builders import HOSTILE, NOW, a_finding, a_message, an_incident

TOKEN = "s3cret"  # noqa: S105  # nobody's


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setenv("NO_PROXY", "*")
    async with open_client() as opened:
        yield opened


def an_alertmanager(url: str, client: Client, token: str | None = None) -> Alertmanager:
    return Alertmanager("alertmanager", url, token=token, client=client)


def now() -> datetime:
    return datetime.now(UTC)


def say(kind: EventKind, incident: Incident) -> Message:
    return compose(incident, kind, delivery="01DELIVERY", at=now(), url="https://watch.example/x")


async def test_what_is_opened_is_active_and_what_is_resolved_is_gone(
    client: Client, tmp_path: Path
) -> None:
    async with running_alertmanager(tmp_path) as peer:
        channel = an_alertmanager(f"{peer.url}/", client)
        incident = an_incident(first_seen=now() - timedelta(hours=1))
        receipt = await channel.send(say(EventKind.OPENED, incident), attempt_at=now())
        assert receipt == "HTTP 200"
        (alert,) = await peer.wait_for("AnchorwatchDrift")
        assert alert["labels"] == {
            "alertname": "AnchorwatchDrift",
            "severity": "critical",
            "app_environment": "production",
            "database": "app",
            "class": "drift",
        }
        assert alert["annotations"] == {
            "summary": "CRITICAL app (production): 1 schema difference",
            "description": "table public.orders is missing (persistence: "
            "expected permanent, is nothing)",
            "cause": "dropped by hand, or a migration that did not run to its end",
            "command": "anchorwatch check app",
            "incident": "i1",
        }
        assert alert["generatorURL"] == "https://watch.example/x"
        over = an_incident(
            first_seen=incident.first_seen, status=Status.RESOLVED, resolved_at=now()
        )
        await channel.send(say(EventKind.RESOLVED, over), attempt_at=now())
        await peer.wait_for()


async def test_a_hostile_name_is_taken_and_breaks_nothing(client: Client, tmp_path: Path) -> None:
    async with running_alertmanager(tmp_path) as peer:
        incident = an_incident(
            first_seen=now(),
            environment=HOSTILE,
            findings=(a_finding(title=HOSTILE, evidence=()),),
        )
        await an_alertmanager(peer.url, client).send(
            say(EventKind.OPENED, incident), attempt_at=now()
        )
        (alert,) = await peer.wait_for("AnchorwatchDrift")
        assert alert["labels"]["app_environment"] == 'a"b`c <!channel> & </script> 🐘  '
        assert "\x00" not in alert["annotations"]["description"]


async def test_everything_is_kept_in_one_round_however_much_it_is(
    client: Client, tmp_path: Path
) -> None:
    count = 2 * BATCH + 1
    incidents = [an_incident(database=f"db{number}", first_seen=now()) for number in range(count)]

    async def load() -> list[Message]:
        return [say(EventKind.OPENED, incident) for incident in incidents]

    async with running_alertmanager(tmp_path) as peer:
        await an_alertmanager(peer.url, client).keep(load, clock=now)
        names = {alert["labels"]["database"] for alert in await peer.list_active()}
        assert len(names) == count


async def test_a_token_is_sent_where_there_is_one(client: Client, httpserver: HTTPServer) -> None:
    seen: list[Request] = []

    def take(request: Request) -> Response:
        seen.append(request)
        return Response(status=200)

    httpserver.expect_request("/am/api/v2/alerts", method="POST").respond_with_handler(take)
    channel = an_alertmanager(httpserver.url_for("/am"), client, token=TOKEN)
    await channel.send(a_message(), attempt_at=NOW)
    assert seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("status", "reason", "is_permanent"),
    [
        (404, FailureReason.GONE, True),
        (400, FailureReason.REFUSED, True),
        (503, FailureReason.SERVER, False),
    ],
)
async def test_an_answer_that_is_none_is_a_failure(
    client: Client,
    httpserver: HTTPServer,
    status: int,
    reason: FailureReason,
    *,
    is_permanent: bool,
) -> None:
    httpserver.expect_request("/api/v2/alerts").respond_with_data("", status=status)
    with pytest.raises(DeliveryError) as caught:
        await an_alertmanager(httpserver.url_for(""), client).send(a_message(), attempt_at=NOW)
    assert (caught.value.reason, caught.value.permanent) == (reason, is_permanent)


def test_every_class_has_a_name_of_its_own() -> None:
    names = [name_alert(one) for one in FindingClass] + [name_alert(None)]
    assert len(set(names)) == len(names)
    assert all(name.startswith("Anchorwatch") and name.isalnum() for name in names)


def test_a_round_that_is_missed_ends_nothing() -> None:
    alert = describe_alert(a_message(), NOW)
    assert alert["endsAt"] - NOW == ENDS_AFTER
    assert 3 * timedelta(seconds=60) < ENDS_AFTER
    assert PACES[ChannelKind.ALERTMANAGER].delays[0] < 60


@settings(max_examples=60)
@given(
    finding_class=st.sampled_from(INCIDENT_CLASSES),
    severity=st.sampled_from(Severity),
    kinds=st.lists(
        st.sampled_from([EventKind.OPENED, EventKind.CHANGED, EventKind.REMINDER]), min_size=1
    ),
    minutes=st.integers(-90, 90),
)
def test_the_labels_stay_the_same_and_an_alert_never_ends_before_it_starts(
    finding_class: FindingClass, severity: Severity, kinds: list[EventKind], minutes: int
) -> None:
    """Whatever is said of an incident, and however the clock jumps."""
    at = NOW + timedelta(minutes=minutes)
    said = [a_message(kind, finding_class=finding_class, severity=severity) for kind in kinds]
    said.append(
        a_message(
            EventKind.RESOLVED,
            finding_class=finding_class,
            severity=severity,
            status=Status.RESOLVED,
            resolved_at=at,
        )
    )
    alerts = [describe_alert(message, at) for message in said]
    assert len({str(sorted(alert["labels"].items())) for alert in alerts}) == 1
    assert all(alert["startsAt"] <= alert["endsAt"] for alert in alerts)
    assert alerts[-1]["endsAt"] == max(at, NOW)
