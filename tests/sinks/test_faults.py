"""What Sentry is told: the type and the place of an exception, and nothing that was in it."""

import gzip
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.sinks.faults import (
    check_in,
    name_monitor,
    report_fault,
    start_reporting,
    stop_reporting,
)

PLANTED = "pl4nted-s3cret"


@pytest.fixture
def envelopes(httpserver: HTTPServer) -> Iterator[list[bytes]]:
    """What a real HTTP peer got, unpacked; reporting to it has begun."""
    got: list[bytes] = []

    def take(request: Request) -> Response:
        body = request.get_data()
        is_packed = request.headers.get("Content-Encoding") == "gzip"
        got.append(gzip.decompress(body) if is_packed else body)
        return Response("{}", content_type="application/json")

    httpserver.expect_request("/api/1/envelope/").respond_with_handler(take)
    start_reporting(
        f"http://public@127.0.0.1:{httpserver.port}/1",
        environment="production",
        release="1.2.3",
        replica="r1",
    )
    yield got
    stop_reporting()
    sentry_sdk.init(default_integrations=False)


def find_row(password: str) -> None:
    row = {"email": password}
    raise ValueError(f"row {row}")


def fail_with_secrets(password: str) -> None:
    url = f"postgresql://user:{password}@db/app"
    try:
        find_row(password)
    except ValueError as error:
        error.add_note(f"more of {password}")
        raise RuntimeError(f"could not use {url}") from error


def send() -> None:
    sentry_sdk.add_breadcrumb(message=PLANTED)
    sentry_sdk.set_extra("url", PLANTED)
    try:
        fail_with_secrets(PLANTED)
    except RuntimeError as error:
        report_fault(error)
    stop_reporting()


def read_event(envelopes: list[bytes]) -> dict[str, Any]:
    (envelope,) = envelopes
    event: dict[str, Any] = json.loads(envelope.splitlines()[2])
    return event


def test_an_event_holds_no_secret_and_no_words_of_the_exception(envelopes: list[bytes]) -> None:
    send()
    (envelope,) = envelopes
    text = envelope.decode()
    assert PLANTED not in text
    assert "could not use" not in text
    assert "email" not in text


def test_an_event_tells_the_types_and_the_place(envelopes: list[bytes]) -> None:
    send()
    event = read_event(envelopes)
    values = event["exception"]["values"]
    assert [value["type"] for value in values] == ["ValueError", "RuntimeError"]
    frames = values[-1]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "fail_with_secrets"
    assert (event["environment"], event["release"]) == ("production", "1.2.3")
    assert event["server_name"] == "r1"


def test_an_event_holds_no_locals_no_source_and_no_request(envelopes: list[bytes]) -> None:
    send()
    event = read_event(envelopes)
    assert not event.keys() & {"request", "extra", "breadcrumbs", "modules", "user"}
    for value in event["exception"]["values"]:
        for frame in value["stacktrace"]["frames"]:
            assert not frame.keys() & {"vars", "context_line", "pre_context", "post_context"}


def test_members_of_a_group_are_as_silent(envelopes: list[bytes]) -> None:
    error = ExceptionGroup(PLANTED, [ValueError(PLANTED), KeyError(PLANTED)])
    report_fault(error)
    stop_reporting()
    assert PLANTED not in envelopes[0].decode()


def test_without_an_address_nothing_is_sent(httpserver: HTTPServer) -> None:
    start_reporting(None, environment="production", release="1", replica=None)
    report_fault(ValueError(PLANTED))
    stop_reporting()
    assert httpserver.log == []


def test_uncaught_exceptions_are_not_taken_from_python(envelopes: list[bytes]) -> None:
    assert sys.excepthook is sys.__excepthook__ or "sentry" not in sys.excepthook.__module__


@pytest.mark.parametrize(("is_well", "status"), [(True, "ok"), (False, "error")])
def test_a_check_in_says_how_the_agent_is_and_what_sentry_has_to_miss(
    envelopes: list[bytes], status: str, *, is_well: bool
) -> None:
    sentry_sdk.set_extra("url", PLANTED)
    check_in("production", is_well=is_well)
    stop_reporting()
    event = read_event(envelopes)
    assert json.loads(envelopes[0].splitlines()[1])["type"] == "check_in"
    assert (event["monitor_slug"], event["status"]) == ("anchorwatch-production", status)
    assert event["monitor_config"]["schedule"] == {
        "type": "interval",
        "value": 1,
        "unit": "minute",
    }
    assert event["environment"] == "production"
    assert PLANTED not in envelopes[0].decode()


@pytest.mark.parametrize(
    ("environment", "slug"),
    [("production", "anchorwatch-production"), ("PR #7: <x>", "anchorwatch-pr-7-x")],
)
def test_a_monitor_has_a_name_that_sentry_takes(environment: str, slug: str) -> None:
    assert name_monitor(environment) == slug
    assert len(name_monitor(environment * 20)) <= 50
