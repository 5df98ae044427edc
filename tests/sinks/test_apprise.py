"""Plain text by way of Apprise, which posts to a real receiver."""

import json
import logging
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from monitor.core.errors import ConfigurationError, DeliveryError
from monitor.core.findings import Severity
from monitor.core.incidents import EventKind, Status
from monitor.sinks.apprise import Apprise, clean, write_body
from monitor.sinks.channel import Channel, FailureReason
from tests.sinks.builders import HOSTILE, NOW, a_finding, a_message

SECRET = "t0psecretpath"  # noqa: S105  # nobody's


@pytest.fixture(autouse=True)
def straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands between this machine and itself."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")


def an_apprise(httpserver: HTTPServer) -> Apprise:
    return Apprise("apprise:ops", f"json://127.0.0.1:{httpserver.port}/{SECRET}")


async def test_a_message_arrives_as_text(httpserver: HTTPServer) -> None:
    httpserver.expect_request(f"/{SECRET}", method="POST").respond_with_data("")
    channel: Channel = an_apprise(httpserver)
    assert await channel.send(a_message(), attempt_at=NOW) == "taken"
    body = json.loads(httpserver.log[0][0].get_data())
    assert body["title"] == "CRITICAL app (production): 1 schema difference"
    assert body["type"] == "failure"
    assert body["message"].splitlines() == [
        "• table public.orders is missing (persistence: expected permanent, is nothing)",
        "Since: 2026-03-01 12:00 UTC",
        "Likely cause: dropped by hand, or a migration that did not run to its end",
        "Next step: anchorwatch check app",
    ]


@pytest.mark.parametrize(
    ("kind", "status", "severity", "word"),
    [
        (EventKind.OPENED, Status.OPEN, Severity.WARNING, "warning"),
        (EventKind.RESOLVED, Status.RESOLVED, Severity.CRITICAL, "success"),
        (EventKind.VERDICT, Status.RESOLVED, Severity.INFO, "info"),
        (EventKind.VERDICT, Status.RESOLVED, Severity.CRITICAL, "failure"),
    ],
)
async def test_its_kind_says_how_it_stands(
    httpserver: HTTPServer, kind: EventKind, status: Status, severity: Severity, word: str
) -> None:
    httpserver.expect_request(f"/{SECRET}").respond_with_data("")
    over = NOW + timedelta(minutes=5) if status is Status.RESOLVED else None
    message = a_message(kind, status=status, severity=severity, resolved_at=over, headline="x")
    await an_apprise(httpserver).send(message, attempt_at=NOW)
    assert json.loads(httpserver.log[0][0].get_data())["type"] == word


async def test_a_refusal_is_a_failure_that_may_pass(httpserver: HTTPServer) -> None:
    httpserver.expect_request(f"/{SECRET}").respond_with_data("", status=500)
    with pytest.raises(DeliveryError) as caught:
        await an_apprise(httpserver).send(a_message(), attempt_at=NOW)
    assert (caught.value.reason, caught.value.permanent) == (FailureReason.SERVER, False)
    assert SECRET not in str(caught.value)


async def test_a_redirect_is_not_followed(httpserver: HTTPServer) -> None:
    elsewhere = {"Location": httpserver.url_for("/elsewhere")}
    httpserver.expect_request(f"/{SECRET}").respond_with_data("", status=307, headers=elsewhere)
    httpserver.expect_request("/elsewhere").respond_with_data("")
    with pytest.raises(DeliveryError):
        await an_apprise(httpserver).send(a_message(), attempt_at=NOW)
    assert [request.path for request, _ in httpserver.log] == [f"/{SECRET}"]


async def test_no_log_shows_the_address_even_at_its_loudest(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    httpserver.expect_request(f"/{SECRET}").respond_with_data("", status=500)
    with pytest.raises(DeliveryError):
        await an_apprise(httpserver).send(a_message(), attempt_at=NOW)
    logging.getLogger("anything").debug("heard")
    ours = [it.getMessage() for it in caplog.records if it.name != "werkzeug"]  # the receiver's
    assert "heard" in ours
    assert SECRET not in " ".join(ours)


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x/y", ""])
def test_an_url_that_apprise_does_not_know_is_refused_and_not_quoted(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    with pytest.raises(ConfigurationError) as caught:
        Apprise("apprise:ops", url and f"{url}{SECRET}")
    assert SECRET not in str(caught.value) + caplog.text


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigurationError) as caught:
        Apprise("apprise:ops", "json://127.0.0.1/")
    assert "anchorwatch[apprise]" in caught.value.next_step


@given(st.text(st.characters(codec="utf-8"), max_size=400), st.integers(1, 300))
def test_a_name_is_one_short_line_without_markup(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    assert not set(shown) & set("@<>`*\n")


def test_a_name_is_no_link() -> None:
    assert clean("[log in](https://evil.example)", 100) == "[log in] (https: //evil.example)"


def test_hostile_names_stay_text() -> None:
    body = write_body(a_message(findings=(a_finding(title=HOSTILE, evidence=()),)))
    assert body.splitlines()[0] == "• a\"b'c \u2039!channel\u203a & \u2039/script\u203a 🐘  "
