"""No secret leaves a run, in whatever form it comes back."""

import base64
import html
import json
import re
from urllib.parse import quote

import msgspec
import pytest

from monitor.checks.smoke import SmokeRunner
from monitor.core.smoke import StepStatus, SuiteOutcome
from tests.checks.smoke_peers import Exchange, make_suite, peer

SECRET = 'pl4n"ted/s3+cret é'  # noqa: S105  # planted


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


async def run(url: str, *steps: dict[str, object]) -> SuiteOutcome:
    secrets = {"token": {"value": SECRET}}
    return await SmokeRunner().run(make_suite(*steps, base_url=url, secrets=secrets))


def assert_is_clean(outcome: SuiteOutcome) -> None:
    text = msgspec.json.encode(outcome).decode() + repr(outcome)
    for form in (SECRET, json.dumps(SECRET)[1:-1], quote(SECRET, safe=""), quote(SECRET)):
        assert form not in text
    encoded = base64.b64encode(SECRET.encode()).decode()
    assert encoded[:12] not in text
    assert "cret" not in text
    assert "\\u0063\\u0072" not in text.replace("\\\\", "\\")
    assert "&#99;" not in text


@pytest.mark.parametrize(
    "echo",
    [
        lambda s: json.dumps({"id": s}),
        lambda s: json.dumps({"id": f"before {s} after"}, ensure_ascii=False),
        lambda s: json.dumps({"id": quote(s, safe="")}),
        lambda s: json.dumps({"id": re.sub("%..", lambda it: it[0].lower(), quote(s))}),
        lambda s: json.dumps({"id": base64.b64encode(s.encode()).decode()}),
        lambda s: json.dumps({"id": base64.b64encode(f"user:{s}".encode()).decode()}),
        lambda s: json.dumps({"id": base64.urlsafe_b64encode(f"u:{s}!".encode()).decode()}),
        lambda s: json.dumps({"id": html.escape(s)}),
        lambda s: json.dumps({"id": s}).replace("/", "\\/"),
        lambda s: json.dumps({"id": "".join(f"&#{ord(c)};" for c in s)}),
        lambda s: json.dumps({"id": "".join(f"\\u{ord(c):04x}" for c in s)}),
        lambda s: json.dumps({"id": [s, {s: 1}]}),
        lambda s: json.dumps({"id": "x" * 190 + s}),
        lambda s: f'"{s}"',
    ],
)
async def test_a_body_that_echoes_the_secret_does_not_get_it_out(echo: object) -> None:
    assert callable(echo)

    async def serve(exchange: Exchange) -> None:
        secret = exchange.headers["authorization"].removeprefix("bearer ")
        assert secret  # it was sent
        await exchange.answer(echo(SECRET).encode())

    async with peer(serve) as app:
        outcome = await run(
            app.url,
            {
                "name": "echo",
                "get": "/{{ token }}?t={{ token }}",
                "headers": '{"Authorization": "Bearer {{ token }}"}',
                "expect": ("body.id == 1", 'body.text == "no"', 'body == "{{ token }}"'),
            },
        )
    assert outcome.status is StepStatus.FAIL
    assert "***" in "".join(outcome.steps[0].messages)
    assert_is_clean(outcome)
    assert "/***?t=***" in outcome.steps[0].curl
    assert "Bearer ***" in outcome.steps[0].curl


async def test_headers_and_redirects_that_echo_it_do_not_get_it_out() -> None:
    async def serve(exchange: Exchange) -> None:
        target = f"http://other.example/?t={quote(SECRET, safe='')}"
        headers = {"Location": target, "X-Echo": quote(SECRET)}
        await exchange.answer(b"", status=302, headers=headers)

    async with peer(serve) as app:
        outcome = await run(
            app.url,
            {
                "name": "echo",
                "get": "/",
                "expect": ("status == 200", "header.x-echo absent", "redirect absent"),
            },
        )
    assert len(outcome.steps[0].messages) == 4
    assert_is_clean(outcome)


async def test_a_captured_token_is_a_secret_once_it_is_sent_as_one() -> None:
    async def serve(exchange: Exchange) -> None:
        await exchange.answer(b'{"access": "tok-1234567890", "code": "c0de-9876"}')

    async with peer(serve) as app:
        outcome = await run(
            app.url,
            {
                "name": "log in",
                "get": "/",
                "warn": 'body.access == "x"',
                "capture": {"access": "body.access", "code": "body.code"},
            },
            {
                "name": "use",
                "post": "/{{ code }}",
                "headers": '{"Authorization": "Bearer {{ access }}"}',
                "text": "{{ code }}",
                "expect": "body.access == 1",
            },
        )
    text = msgspec.json.encode(outcome).decode()
    assert "tok-1234567890" not in text
    assert "c0de-9876" not in text
    assert outcome.steps[0].status is StepStatus.WARN
    assert outcome.steps[1].messages == (
        'body.access == 1, but it is "***", a string and not a number.',
    )
    assert "'Authorization: Bearer {{ access }}'" in outcome.steps[1].curl
    assert "--data-raw '{{ code }}'" in outcome.steps[1].curl


async def test_a_captured_value_that_holds_the_secret_is_masked() -> None:
    async def serve(exchange: Exchange) -> None:
        await exchange.answer(json.dumps({"id": f"id-{SECRET}"}).encode())

    async with peer(serve) as app:
        outcome = await run(
            app.url,
            {"name": "take", "get": "/", "capture": {"id": "body.id"}},
            {"name": "use", "get": "/{{ id }}", "expect": 'body.id == "x{{ id }}"'},
        )
    assert "id-***" in outcome.steps[1].messages[0]
    assert_is_clean(outcome)


async def test_a_token_that_is_written_into_a_header_is_masked_where_it_is_never_sent() -> None:
    async def serve(exchange: Exchange) -> None:
        await exchange.answer(b"{}", status=500)

    async with peer(serve) as app:
        outcome = await run(
            app.url,
            {"name": "fail", "get": "/"},
            {"name": "later", "get": "/", "headers": '{"Authorization": "Bearer tok-123456"}'},
        )
    assert outcome.steps[1].status is StepStatus.SKIPPED
    assert outcome.steps[1].curl.endswith("-H 'Authorization: ***'")
