"""Deployments, as platforms and pipelines report them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.deployment import Deployment, Phase, concerns, read_railway, read_report
from monitor.core.errors import UsageError

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def a_webhook(type_: str = "Deployment.deployed", **changes: Any) -> dict[str, Any]:
    """As Railway documents it; the status of its own example contradicts its type."""
    return {
        "type": type_,
        "details": {
            "id": "d1",
            "source": "GitHub",
            "status": "SUCCESS",
            "branch": "main",
            "commitHash": "3f2a1c0ffee",
            "commitAuthor": "somebody",
            "commitMessage": "Fix it",
        },
        "resource": {
            "workspace": {"id": "w", "name": "us"},
            "project": {"id": "p", "name": "shop"},
            "environment": {"id": "e", "name": "production", "isEphemeral": False},
            "service": {"id": "s", "name": "web app"},
            "deployment": {"id": "d1"},
        },
        "severity": "INFO",
        "timestamp": "2026-11-27T12:00:00.000Z",
        **changes,
    }


def read(webhook: dict[str, Any]) -> Deployment | None:
    return read_railway(msgspec.json.encode(webhook), NOW)


def test_a_webhook_of_railway_is_a_deployment() -> None:
    found = read(a_webhook())
    assert found is not None
    assert (found.phase, found.commit) == (Phase.SUCCEEDED, "3f2a1c0ffee")
    assert (found.service, found.environment) == ("web app", "production")
    assert found.at == NOW
    assert len(found.id) == 12


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("deployed", Phase.SUCCEEDED),
        ("SUCCESS", Phase.SUCCEEDED),
        ("failed", Phase.FAILED),
        ("Crashed", Phase.FAILED),
        ("building", None),
        ("removed", None),
        ("", None),
    ],
)
def test_the_type_alone_is_trusted(word: str, phase: Phase | None) -> None:
    found = read(a_webhook(f"Deployment.{word}"))
    assert (found and found.phase) == phase


def test_what_is_no_deployment_or_lives_for_one_pull_request_concerns_nobody() -> None:
    assert read(a_webhook("VolumeAlert.triggered")) is None
    preview = a_webhook()
    preview["resource"]["environment"]["isEphemeral"] = True
    assert read(preview) is None


def test_the_same_webhook_is_the_same_deployment_and_another_end_is_not() -> None:
    once, again = read(a_webhook()), read(a_webhook(timestamp="later"))
    failed = read(a_webhook("Deployment.failed"))
    assert once is not None
    assert again is not None
    assert failed is not None
    assert once.id == again.id != failed.id


def test_a_webhook_without_most_of_it_is_taken() -> None:
    found = read({"type": "Deployment.success"})
    assert found is not None
    assert (found.commit, found.service, found.environment) == ("", "", "")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"type": 5}', b"\xff\xfe", b'"x"', b"null"])
def test_what_is_cut_off_or_no_webhook_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError, match="a webhook of Railway"):
        read_railway(body, NOW)


@given(JSON)
def test_whatever_is_posted_is_read_or_refused(value: Any) -> None:
    body = msgspec.json.encode(value)
    for take in (read_railway, read_report):
        with suppress(UsageError):
            take(body, NOW)


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(body: bytes) -> None:
    for take in (read_railway, read_report):
        with suppress(UsageError):
            take(body, NOW)


def test_the_report_of_a_pipeline_says_what_it_knows() -> None:
    body = b'{"commit": "3f2a\\u202e1c\\n", "databases": ["app"], "status": "failed"}'
    found = read_report(body, NOW)
    assert (found.commit, found.databases, found.phase) == ("3f2a 1c", ("app",), Phase.FAILED)
    assert read_report(b"", NOW).phase is Phase.SUCCEEDED


def test_a_report_without_an_id_is_the_same_for_ten_minutes() -> None:
    body = b'{"commit": "3f2a1c"}'
    first = read_report(body, NOW)
    assert read_report(body, NOW + timedelta(minutes=5)).id == first.id
    assert read_report(body, NOW + timedelta(minutes=15)).id != first.id
    named = b'{"commit": "3f2a1c", "id": "42"}'
    assert read_report(named, NOW).id == read_report(named, NOW + timedelta(days=1)).id


@pytest.mark.parametrize("body", [b"[]", b'{"comit": "x"}', b'{"status": "maybe"}', b"{"])
def test_a_report_that_says_something_else_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError):
        read_report(body, NOW)


@pytest.mark.parametrize(
    ("said", "is_concerned"),
    [
        ({}, True),
        ({"environment": "Production"}, True),
        ({"environment": "staging"}, False),
        ({"service": "web"}, True),
        ({"service": "billing"}, False),
        ({"databases": ("app",)}, True),
        ({"databases": ("other",), "environment": "production"}, False),
        ({"databases": ("app",), "environment": "staging"}, True),
    ],
)
def test_a_deployment_concerns_the_databases_of_its_environment_and_service(
    said: dict[str, Any], *, is_concerned: bool
) -> None:
    deployment = Deployment(id="d", at=NOW, phase=Phase.SUCCEEDED, **said)
    assert concerns(deployment, "app", "production", ("web", "worker")) is is_concerned


def test_where_nobody_says_what_is_where_everything_is_concerned() -> None:
    deployment = Deployment(
        id="d", at=NOW, phase=Phase.SUCCEEDED, environment="staging", service="x"
    )
    assert concerns(deployment, "app", "default", ())


def test_the_words_that_railway_has_for_one_end_are_one_deployment() -> None:
    words = ("Deployment.success", "Deployment.deployed", "deployment.success")
    assert len({found.id for word in words if (found := read(a_webhook(word)))}) == 1
    failed = read(a_webhook("Deployment.failed"))
    succeeded = read(a_webhook())
    assert failed is not None
    assert succeeded is not None
    assert failed.id != succeeded.id


@pytest.mark.parametrize("take", [read_railway, read_report])
@pytest.mark.parametrize("depth", [5_000, 500_000])
def test_what_is_nested_without_end_is_refused(take: Any, depth: int) -> None:
    with pytest.raises(UsageError):
        take(b'{"x":' + b"[" * depth + b"]" * depth + b"}", NOW)
