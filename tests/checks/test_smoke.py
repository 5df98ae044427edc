"""Suites run against servers of every kind: what is right passes, what is rude ends in time."""

import asyncio
import json
import re
import resource
import socket
import time

import pytest

from monitor.checks.smoke import BODY_BYTES, SmokeRunner
from monitor.core.smoke import Reason, StepOutcome, StepStatus, Suite, SuiteOutcome
from monitor.sources.http import USER_AGENT
from tests.checks.smoke_peers import Exchange, Peer, Serve, make_suite, peer

FAIL, PASS, SKIPPED = StepStatus.FAIL, StepStatus.PASS, StepStatus.SKIPPED


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


async def run(suite: Suite) -> SuiteOutcome:
    return await SmokeRunner().run(suite)


async def run_step(url: str, **step: object) -> StepOutcome:
    """The outcome of a suite of one step, which asks for `/` unless it says otherwise."""
    whole = step if {"post", "sql"} & step.keys() else {"get": "/", **step}
    (outcome,) = (await run(make_suite({"name": "only", **whole}, base_url=url))).steps
    return outcome


def answering(body: object, status: int = 200, **headers: str) -> Serve:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def serve(exchange: Exchange) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await exchange.answer(data, status=status, headers=named)

    return serve


async def keep_users(exchange: Exchange) -> None:
    """A small application: a user is made, read and removed."""
    match exchange.method, exchange.path:
        case "POST", "/api/users":
            email = json.loads(exchange.body)["email"]
            await exchange.answer(json.dumps({"id": 7, "email": email}).encode(), status=201)
        case "GET", "/api/users/7":
            await exchange.answer(b'{"id": 7, "roles": ["user"]}')
        case "DELETE", "/api/users/7":
            await exchange.answer(status=204)
        case _:
            await exchange.answer(status=404)


CREATE = {
    "name": "create",
    "post": "/api/users",
    "json": '{"email": "{{ email }}"}',
    "expect": ("status == 201", "body.id is integer", 'body.email == "{{ email }}"'),
    "capture": {"user_id": "body.id"},
}
READ = {
    "name": "read back",
    "get": "/api/users/{{ user_id }}",
    "expect": ("status == 200", "body.id == {{ user_id }}", "len(body.roles) >= 1"),
}
CLEAN_UP = {
    "name": "clean up",
    "delete": "/api/users/{{ user_id }}",
    "always": True,
    "expect": "status in (200, 204, 404)",
}
EMAIL = {"email": "smoke+{{ run_id }}@example.test"}


async def test_a_suite_that_passes_has_done_everything_in_order() -> None:
    async with peer(keep_users) as app:
        outcome = await run(make_suite(CREATE, READ, CLEAN_UP, base_url=app.url, vars=EMAIL))
    assert [step.status for step in outcome.steps] == [PASS] * 3, outcome
    assert app.asked == ["POST /api/users", "GET /api/users/7", "DELETE /api/users/7"]
    assert json.loads(app.seen[0].body) == {"email": f"smoke+{outcome.run_id}@example.test"}
    for exchange in app.seen:
        assert exchange.headers["user-agent"] == USER_AGENT
        assert exchange.headers["x-anchorwatch-run"] == outcome.run_id


async def test_after_a_failure_only_what_always_runs_does() -> None:
    broken = {**CREATE, "expect": ("status == 201", "body.id == 8")}
    async with peer(keep_users) as app:
        outcome = await run(make_suite(broken, READ, CLEAN_UP, base_url=app.url, vars=EMAIL))
    assert [step.status for step in outcome.steps] == [FAIL, SKIPPED, PASS]
    assert outcome.steps[0].messages == ("body.id == 8, but it is 7.",)
    # What was made is known although the step failed, or it would stay.
    assert app.asked == ["POST /api/users", "DELETE /api/users/7"]
    assert outcome.status is FAIL


async def test_every_expectation_that_does_not_hold_is_told() -> None:
    async with peer(answering({"id": "200"}, 500)) as app:
        outcome = await run_step(
            app.url, expect=("status == 200", "body.id == 200", "body.name exists")
        )
    assert outcome.reason is Reason.ASSERTION
    assert outcome.messages == (
        "status == 200, but it is 500.",
        'body.id == 200, but it is "200", a string and not a number.',
        'body.name exists, but body has no "name".',
    )


async def test_the_status_of_the_last_answer_is_kept() -> None:
    read = {**READ, "expect": "status == 418"}
    async with peer(keep_users) as app:
        outcome = await run(
            make_suite(CREATE, read, READ | {"name": "skipped"}, base_url=app.url, vars=EMAIL)
        )
    assert [step.code for step in outcome.steps] == [201, 200, None]
    query = await run(make_suite({"name": "only", "sql": "select 1"}, database="app"))
    assert query.steps[0].code is None


async def test_without_an_expectation_an_error_is_one() -> None:
    async with peer(answering({}, 404)) as app:
        assert (await run_step(app.url)).messages == ("status < 400, but it is 404.",)


async def test_what_should_hold_and_does_not_is_a_warning_and_passes() -> None:
    async with peer(answering({})) as app:
        suite = make_suite(
            {"name": "slow", "get": "/", "warn": "time < 0ms"},
            {"name": "next", "get": "/"},
            base_url=app.url,
        )
        outcome = await run(suite)
    assert [step.status for step in outcome.steps] == [StepStatus.WARN, PASS]
    assert outcome.status is StepStatus.WARN
    assert re.fullmatch(r"time < 0ms, but it is \d+ms\.", outcome.steps[0].messages[0])


async def test_a_target_that_hangs_ends_with_the_step() -> None:
    async with peer(hang) as app:
        begin = time.monotonic()
        outcome = await run_step(app.url, timeout="200ms")
    assert (outcome.status, outcome.reason) == (FAIL, Reason.TIMEOUT)
    assert outcome.messages == ("The step took longer than its timeout of 0.2 s.",)
    assert time.monotonic() - begin < 5


async def hang(exchange: Exchange) -> None:
    if exchange.method == "DELETE":
        await exchange.answer(status=204)
        return
    await asyncio.sleep(60)


async def test_a_target_that_drips_ends_with_the_suite_and_is_cleaned_up() -> None:
    async def drip(exchange: Exchange) -> None:
        if exchange.method == "DELETE":
            await exchange.answer(status=204)
            return
        exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            exchange.writer.write(b".")
            await exchange.writer.drain()
            await asyncio.sleep(0.02)

    async with peer(drip) as app:
        suite = make_suite(
            {"name": "one", "get": "/"},
            {"name": "two", "get": "/"},
            {"name": "clean up", "delete": "/", "always": True},
            base_url=app.url,
            timeout="300ms",
        )
        outcome = await run(suite)
    assert [step.status for step in outcome.steps] == [FAIL, SKIPPED, PASS]
    assert outcome.steps[0].reason is Reason.TIMEOUT
    assert outcome.steps[0].messages == ("The suite took longer than its timeout of 0.3 s.",)
    assert outcome.seconds < 5


async def test_a_clean_up_that_hangs_has_its_own_end() -> None:
    async def serve(_: Exchange) -> None:
        await asyncio.sleep(60)

    async with peer(serve) as app:
        suite = make_suite(
            {"name": "one", "get": "/"},
            {"name": "clean up", "delete": "/", "always": True, "timeout": "200ms"},
            base_url=app.url,
            timeout="200ms",
        )
        outcome = await run(suite)
    assert [step.reason for step in outcome.steps] == [Reason.TIMEOUT] * 2
    assert outcome.seconds < 5


async def test_a_body_of_100_mb_is_cut_off_and_costs_no_memory() -> None:
    sent = 0

    async def flood(exchange: Exchange) -> None:
        nonlocal sent
        exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(1600):
            exchange.writer.write(bytes(62_500))
            await exchange.writer.drain()
            sent += 62_500

    async with peer(flood) as app:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcome = await run_step(app.url)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (outcome.status, outcome.reason) == (FAIL, Reason.BODY)
    assert "larger than 1024 KiB" in outcome.messages[0]
    assert sent < 20 * BODY_BYTES
    assert grown < 40 * 1024  # KiB


async def test_a_redirect_to_another_host_is_told_and_not_followed() -> None:
    async with peer(answering({})) as other:
        async with peer(answering(b"", 302, Location=f"{other.url}/steal")) as app:
            outcome = await run_step(
                app.url,
                headers='{"Authorization": "Bearer abcdefghijkl"}',
                expect=("status == 200", "redirect absent"),
            )
        assert other.asked == []
    assert outcome.reason is Reason.ASSERTION
    assert outcome.messages == (
        "status == 200, but it is 302.",
        f'redirect absent, but it is "{other.url}/steal".',
        f"It sends us to {other.url}/steal; redirects are not followed.",
    )


async def test_where_a_redirect_goes_can_be_expected() -> None:
    async with peer(answering(b"", 303, Location="/login?next=%2F")) as app:
        outcome = await run_step(
            app.url, expect=("status == 303", "redirect matches /^\\/login/", "redirect == /x")
        )
    assert outcome.messages[0] == 'redirect == "/x", but it is "/login?next=%2F".'
    assert len(outcome.messages) == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "is no JSON"),
        (b"", "is empty"),
        (b'{"id": 1} trailing', "is no JSON"),
        (b"\xff\xfe{", "is no JSON"),
        (b"[" * 5000 + b"]" * 5000, "is nested too deeply"),
        (b"[" * 200 + b"]" * 200, "is nested too deeply"),
    ],
)
async def test_a_body_that_is_no_json_is_told(body: bytes, reason: str) -> None:
    async with peer(answering(body)) as app:
        outcome = await run_step(app.url, expect="body.id exists")
    assert (outcome.status, outcome.reason) == (FAIL, Reason.BODY)
    assert outcome.messages[0].startswith(f"The body {reason}, and body.id is asked of it.")


async def test_a_body_that_nobody_asks_for_may_be_anything() -> None:
    async with peer(answering(b"<html>Welcome</html>")) as app:
        outcome = await run_step(app.url, expect='body.text contains "Welcome"')
    assert outcome.status is PASS


async def test_a_compressed_body_is_told() -> None:
    async with peer(answering(b"\x1f\x8b", Content_Encoding="gzip")) as app:
        outcome = await run_step(app.url, expect="body.id exists")
    assert "is compressed" in outcome.messages[0]


async def test_nobody_there_is_a_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = await run_step(f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (outcome.status, outcome.reason, outcome.code) == (FAIL, Reason.CONNECT, 0)


async def test_a_connection_that_breaks_off_is_a_failure() -> None:
    async def mumble(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")

    async with peer(mumble) as app:
        assert (await run_step(app.url)).reason is Reason.CONNECT


@pytest.mark.parametrize("body", [{}, {"id": None}, {"id": {"a": 1}}, {"id": "x" * 9000}])
async def test_a_capture_that_is_missing_is_a_failure(body: object) -> None:
    async with peer(answering(body)) as app:
        outcome = await run_step(app.url, capture={"user_id": "body.id"})
    assert (outcome.status, outcome.reason) == (FAIL, Reason.CAPTURE)
    assert outcome.messages[0].startswith("body.id cannot be captured as user_id: ")


async def test_a_step_that_needs_what_was_never_captured_says_so() -> None:
    async with peer(answering({}, 500)) as app:
        outcome = await run(make_suite(CREATE, CLEAN_UP, base_url=app.url, vars=EMAIL))
    assert outcome.steps[1].reason is Reason.CAPTURE
    assert outcome.steps[1].messages[0].startswith("{{ user_id }} has no value")
    assert app.asked == ["POST /api/users"]


@pytest.mark.parametrize("hostile", ["", ".", ".."])
async def test_a_value_that_would_name_another_path_is_not_sent(hostile: str) -> None:
    async with peer(answering({"id": hostile})) as app:
        suite = make_suite(
            {"name": "create", "post": "/users", "capture": {"user_id": "body.id"}},
            {"name": "delete", "delete": "/users/{{ user_id }}", "always": True},
            base_url=app.url,
        )
        outcome = await run(suite)
    assert outcome.steps[1].reason is Reason.REQUEST
    assert app.asked == ["POST /users"]


HOSTILE = '../x?y=1&z="}\r\nX-Evil: 1#\u00e9'


async def test_a_hostile_value_stays_a_value_wherever_it_goes() -> None:
    async with peer(answering({"id": HOSTILE})) as app:
        suite = make_suite(
            {"name": "take", "get": "/", "capture": {"id": "body.id"}},
            {"name": "path", "get": "/a/{{ id }}?q={{ id }}", "expect": 'body.id == "{{ id }}"'},
            {"name": "json", "post": "/", "json": '{"a": ["x{{ id }}"], "{{": 1}'},
            {"name": "form", "post": "/", "form": '{"a": "{{ id }}", "b": [1, true]}'},
            base_url=app.url,
        )
        outcome = await run(suite)
    assert outcome.status is PASS, outcome
    quoted = "..%2Fx%3Fy%3D1%26z%3D%22%7D%0D%0AX-Evil%3A%201%23%C3%A9"
    assert app.seen[1].path == f"/a/{quoted}?q={quoted}"
    assert json.loads(app.seen[2].body) == {"a": ["x" + HOSTILE], "{{": 1}
    assert app.seen[3].body.endswith(b"&b=1&b=true")
    assert not [one for one in app.seen if "x-evil" in one.headers]


async def test_a_line_break_never_gets_into_a_header() -> None:
    async with peer(answering({"id": HOSTILE})) as app:
        suite = make_suite(
            {"name": "take", "get": "/", "capture": {"id": "body.id"}},
            {"name": "header", "get": "/", "headers": '{"X-Id": "{{ id }}"}'},
            base_url=app.url,
        )
        outcome = await run(suite)
    assert outcome.steps[1].reason is Reason.REQUEST
    assert outcome.steps[1].messages[0].startswith("The header X-Id would hold a line break")
    assert len(app.seen) == 1


def failing_first(times: int) -> Serve:
    left = times

    async def serve(exchange: Exchange) -> None:
        nonlocal left
        left -= 1
        await exchange.answer(b"{}", status=503 if left >= 0 else 200)

    return serve


async def test_a_step_is_tried_again_where_that_does_no_harm() -> None:
    async with peer(failing_first(2)) as app:
        outcome = await run_step(app.url, retry={"times": 3, "wait": "10ms"})
    assert (outcome.status, outcome.tries, len(app.seen)) == (PASS, 3, 3)


@pytest.mark.parametrize(("unsafe", "tries"), [(False, 1), (True, 3)])
async def test_a_post_is_tried_again_only_where_that_is_asked_for(
    *, unsafe: bool, tries: int
) -> None:
    async with peer(failing_first(2)) as app:
        outcome = await run_step(
            app.url, post="/", retry={"times": 3, "wait": "1ms", "unsafe": unsafe}
        )
    assert (outcome.tries, len(app.seen)) == (tries, tries)


async def test_tries_end_with_the_suite() -> None:
    async with peer(answering({}, 503)) as app:
        step = {"name": "one", "get": "/", "retry": {"times": 20, "wait": "100ms"}}
        outcome = await run(make_suite(step, base_url=app.url, timeout="250ms"))
    (only,) = outcome.steps
    # Its end may come in the middle of a try.
    assert only.reason in (Reason.ASSERTION, Reason.TIMEOUT)
    assert only.tries < 5
    assert outcome.seconds < 5


async def test_two_runs_of_one_suite_never_overlap() -> None:
    inside, most = 0, 0

    async def serve(exchange: Exchange) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.05)
        inside -= 1
        await exchange.answer(b"{}")

    async with peer(serve) as app:
        runner, suite = SmokeRunner(), make_suite({"name": "a", "get": "/"}, base_url=app.url)
        first, second = await asyncio.gather(runner.run(suite), runner.run(suite))
    assert (most, first.status, second.status) == (1, PASS, PASS)
    assert first.run_id != second.run_id


async def test_a_run_that_is_cancelled_lets_the_next_one_in() -> None:
    async with peer(hang) as app:
        runner, suite = SmokeRunner(), make_suite({"name": "a", "get": "/"}, base_url=app.url)
        task = asyncio.create_task(runner.run(suite))
        async with asyncio.timeout(5):
            while not app.seen:  # noqa: ASYNC110  # what a server has seen sets no event
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cleaned = make_suite({"name": "a", "delete": "/"}, base_url=app.url)
        assert (await runner.run(cleaned)).status is PASS


async def test_a_pattern_that_would_run_for_years_is_answered() -> None:
    async with peer(answering({"a": "a" * 50_000 + "!"})) as app:
        begin = time.monotonic()
        outcome = await run_step(app.url, expect="body.a matches /^(a+)+$/")
    assert outcome.reason is Reason.ASSERTION
    assert time.monotonic() - begin < 10


async def test_a_message_is_bounded_whatever_was_answered() -> None:
    async with peer(answering({"a": "x" * 500_000})) as app:
        outcome = await run_step(app.url, expect=('body.a == "y"', 'body == "y"'))
    assert all(len(message) < 300 for message in outcome.messages)
    assert all("…" in message for message in outcome.messages)


async def test_cookies_of_one_run_stay_in_it() -> None:
    async with peer(answering({}, Set_Cookie="session=abc")) as app:
        suite = make_suite({"name": "a", "get": "/"}, {"name": "b", "get": "/"}, base_url=app.url)
        runner = SmokeRunner()
        await runner.run(suite)
        await runner.run(suite)
    assert [one.headers.get("cookie") for one in app.seen] == [None, "session=abc"] * 2


def test_the_peers_say_what_they_saw() -> None:
    assert Peer("http://x").asked == []
