"""A message as a post of a Slack incoming webhook."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.core.errors import ConfigurationError, DeliveryError
from monitor.core.findings import Evidence, Severity
from monitor.core.grouped import Part, compose_several
from monitor.core.incidents import EventKind, Status
from monitor.core.message import Surroundings
from monitor.sinks.channel import FailureReason
from monitor.sinks.slack import Slack
from monitor.sinks.slack_blocks import MAX_BLOCKS, MAX_HEADER, MAX_PAYLOAD, escape, render
from monitor.sources.http import Client, open_client
from tests.sinks.builders import HOSTILE, NOW, a_finding, a_message, an_incident

DATE = re.compile(r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>")
ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
NASTY = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=80),
    st.lists(
        st.sampled_from(
            [
                *("<!channel>", "</script>", "<@U1>", "<http://x|y>", "&amp;", "`", "```"),
                *("\n", "\r", "&", "<", ">", "'", '"', "*", "_", "~", "a" * 63),
                *("🐘", "👩\u200d👧", "\u202e", "\x00", "\u2028"),
            ]
        ),
        max_size=60,
    ).map("".join),
)


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setenv("NO_PROXY", "*")
    async with open_client() as opened:
        yield opened


def find_texts(value: Any) -> Iterator[str]:
    """Every text that Slack would show."""
    match value:
        case {"text": str(text)}:
            yield text
            yield from find_texts(value.get("blocks", []))
        case dict():
            for part in value.values():
                yield from find_texts(part)
        case list():
            for part in value:
                yield from find_texts(part)
        case _:
            return


def check_limits(payload: dict[str, Any]) -> None:
    texts = list(find_texts(payload))
    assert sum(map(len, texts)) <= MAX_PAYLOAD
    assert len(json.dumps(payload, ensure_ascii=False)) <= MAX_PAYLOAD
    assert 0 < len(payload["blocks"]) <= MAX_BLOCKS
    assert len(payload["blocks"][0]["text"]["text"]) <= MAX_HEADER
    for text in texts:
        plain = DATE.sub("", text)
        assert "<" not in plain
        assert ">" not in plain
        assert not ENTITY.search(plain)
        assert len(text) <= 3000
        assert plain.replace("\n", "").isprintable()
    for block in payload["blocks"]:
        assert len(block.get("fields", [])) <= 10
        assert all(0 < len(field["text"]) <= 2000 for field in block.get("fields", []))
        assert block["type"] != "section" or block.get("fields") or block["text"]["text"]


@settings(max_examples=150)
@given(
    names=st.lists(NASTY, max_size=30),
    evidence=NASTY,
    place=NASTY,
    kind=st.sampled_from(EventKind),
    status=st.sampled_from(Status),
)
def test_whatever_a_database_is_called_the_payload_is_within_every_limit(
    names: list[str], evidence: str, place: str, kind: EventKind, status: Status
) -> None:
    proof = (Evidence(name=evidence, expected=evidence, actual=[evidence]),)
    findings = tuple(
        a_finding(name, title=f"table {name} is missing", evidence=proof) for name in names
    )
    resolved_at = NOW if status is Status.RESOLVED else None
    message = a_message(
        kind,
        findings=findings,
        status=status,
        database=place,
        environment=place,
        resolved_at=resolved_at,
    )
    whole = msgspec.structs.replace(
        message,
        url="https://watch.example.com/app",
        accept=f"anchorwatch accept {place}",
        around=Surroundings(NOW, tuple(names), (place,)),
    )
    check_limits(render(whole))


def test_what_was_there_at_first_is_offered_to_be_accepted_and_nothing_else_is() -> None:
    offer = 'anchorwatch accept app --reason "..."'
    assert offer in json.dumps(render(a_message(is_initial=True)), ensure_ascii=False).replace(
        "\\", ""
    )
    assert "anchorwatch accept" not in json.dumps(render(a_message()))


def test_each_line_ends_in_the_id_by_which_it_can_be_accepted() -> None:
    findings = tuple(a_finding(f"t{number}", title="x" * 400) for number in range(11))
    message = a_message(findings=findings)
    bullets = render(message)["blocks"][2]["text"]["text"].splitlines()
    shown = [bullet.rpartition(" ")[2] for bullet in bullets[:-1]]
    assert shown == [f"`{finding.id}`" for finding in message.findings[:8]]


def test_what_cannot_be_accepted_or_is_over_has_no_id() -> None:
    unreachable = a_finding(code="AW901", key=None, title="Nothing listens there.")
    over = a_message(EventKind.RESOLVED, status=Status.RESOLVED, resolved_at=NOW)
    for message in (a_message(findings=(unreachable,)), over):
        lines = render(message)["blocks"][2]["text"]["text"]
        assert message.lines[0] in lines
        assert "`" not in lines


@given(text=st.one_of(NASTY, st.text()), limit=st.integers(1, 200))
def test_an_escaped_text_keeps_its_limit_and_ends_in_no_half_escape(text: str, limit: int) -> None:
    shown = escape(text, limit)
    assert len(shown) <= limit
    assert not ENTITY.search(shown)
    assert shown.isprintable()
    assert not set("<>`\n") & set(shown)


def test_only_three_characters_are_escaped_and_backticks_replaced() -> None:
    assert escape("""a"b'c*_~<&>`x`""", 100) == """a"b'c*_~&lt;&amp;&gt;'x'"""
    assert escape("one\ntwo\tthree", 100) == "one two three"


def test_a_message_reads_from_the_status_to_the_next_step() -> None:
    findings = tuple(a_finding(f"t{number}") for number in range(11))
    payload = render(a_message(findings=findings))
    title = "🔴 CRITICAL app (production): 11 schema differences"
    assert payload["text"] == title
    assert payload["unfurl_links"] is payload["unfurl_media"] is False
    header, fields, lines, cause, step, context = payload["blocks"]
    assert header["text"] == {"type": "plain_text", "text": title, "emoji": True}
    assert fields["fields"][0]["text"] == "*Database*\napp · production"
    assert fields["fields"][1]["text"] == "*Severity*\ncritical, open"
    assert DATE.search(fields["fields"][2]["text"])
    bullets = lines["text"]["text"].splitlines()
    assert len(bullets) == 9
    assert bullets[0].startswith("• table public.t0 is missing")
    assert bullets[-1] == "…and 3 more"
    assert cause["text"]["text"].startswith("*Likely cause*: dropped by hand, or a migration")
    assert step["text"]["text"] == "*Next step*: `anchorwatch check app`"
    assert "incident i1 · anchorwatch/" in context["elements"][0]["text"]


@pytest.mark.parametrize(
    ("severity", "icon"),
    [(Severity.CRITICAL, "🔴"), (Severity.WARNING, "🟡"), (Severity.INFO, "🔵")],
)
def test_the_colour_tells_how_bad_it_is(severity: Severity, icon: str) -> None:
    assert render(a_message(severity=severity))["text"].startswith(icon)


def test_what_is_over_is_green_and_says_how_long_it_was() -> None:
    over = a_message(EventKind.RESOLVED, status=Status.RESOLVED, resolved_at=NOW)
    payload = render(over)
    assert payload["text"].startswith("🟢 RESOLVED app")
    assert "after 0 s" in payload["blocks"][1]["fields"][3]["text"]


@pytest.mark.parametrize(
    ("around", "said"),
    [
        (Surroundings(), []),
        (Surroundings(None, ("9f1c",), ("9f1c",)), ["*Revision*\n`9f1c`"]),
        (Surroundings(None, ("b", "a"), ("a", "b")), ["*Revision*\n`b, a`"]),
        (Surroundings(None, (), ("9f1c",)), ["*Revision*\nnone → expected `9f1c`"]),
        (Surroundings(None, ("`<a>`",), None), ["*Revision*\n`'&lt;a&gt;'`"]),
        (Surroundings(None, None, ("9f1c",)), []),
        (Surroundings(NOW - timedelta(minutes=14)), ["*Last deploy*\nthen, 14 min before"]),
        (Surroundings(NOW + timedelta(minutes=2)), ["*Last deploy*\nthen, 2 min after"]),
    ],
)
def test_where_the_history_is_and_the_last_deployment_are_said(
    around: Surroundings, said: list[str]
) -> None:
    payload = render(msgspec.structs.replace(a_message(), around=around))
    fields = payload["blocks"][1]["fields"][3:]
    assert [DATE.sub("then", field["text"]) for field in fields] == said


def test_the_word_about_a_deployment_does_not_say_twice_when_it_was() -> None:
    message = a_message(EventKind.VERDICT, headline="app · 3f2a1c · all right")
    payload = render(msgspec.structs.replace(message, around=Surroundings(NOW)))
    assert "Last deploy" not in json.dumps(payload)


def test_a_link_becomes_a_button() -> None:
    url = "https://watch.example.com/databases/app"
    payload = render(msgspec.structs.replace(a_message(), url=url))
    (button,) = next(it for it in payload["blocks"] if it["type"] == "actions")["elements"]
    assert button["url"] == url


def test_several_databases_are_one_message_with_a_line_each() -> None:
    parts = [
        Part(
            an_incident(f"i{n}", database=f"db{n}", findings=(a_finding(HOSTILE),)),
            EventKind.OPENED,
            "d",
            NOW,
        )
        for n in range(7)
    ]
    payload = render(compose_several(parts, url="https://watch.example.com"))
    assert payload["text"] == "🔴 CRITICAL 7 databases (production): schema differences"
    bullets = payload["blocks"][2]["text"]["text"].splitlines()
    assert bullets == [f"• db{n}: 1 schema difference, for 0 s" for n in range(7)]
    assert len(json.dumps(payload)) < MAX_PAYLOAD


async def test_a_post_arrives_and_is_receipted(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/services/T0/B0/x", method="POST").respond_with_data("ok")
    slack = Slack("chat", httpserver.url_for("/services/T0/B0/x"), client=client)
    message = a_message(findings=(a_finding(HOSTILE),))
    assert await slack.send(message, attempt_at=NOW) == "HTTP 200"
    request, _ = httpserver.log[0]
    assert request.content_type == "application/json; charset=utf-8"
    assert json.loads(request.data) == render(message)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_webhook_that_is_no_more_is_a_broken_channel(
    client: Client, httpserver: HTTPServer, status: int
) -> None:
    httpserver.expect_request("/x").respond_with_data("channel_is_archived", status=status)
    with pytest.raises(DeliveryError) as caught:
        await Slack("chat", httpserver.url_for("/x"), client=client).send(
            a_message(), attempt_at=NOW
        )
    assert caught.value.reason is FailureReason.GONE
    assert caught.value.permanent


@pytest.mark.parametrize("error", ["invalid_auth", {"code": 5}, None])
async def test_a_no_with_status_200_is_a_no(
    client: Client, httpserver: HTTPServer, error: object
) -> None:
    httpserver.expect_request("/x").respond_with_json({"ok": False, "error": error})
    with pytest.raises(DeliveryError) as caught:
        await Slack("chat", httpserver.url_for("/x"), client=client).send(
            a_message(), attempt_at=NOW
        )
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("ratelimited", FailureReason.RATE_LIMITED),
        ("internal_error", FailureReason.SERVER),
        ("service_unavailable", FailureReason.SERVER),
    ],
)
async def test_a_no_of_the_moment_with_status_200_is_tried_again(
    client: Client, httpserver: HTTPServer, word: str, reason: FailureReason
) -> None:
    """What stands before Slack, or imitates it, answers as its Web API does."""
    httpserver.expect_request("/x").respond_with_json(
        {"ok": False, "error": word}, headers={"Retry-After": "7"}
    )
    with pytest.raises(DeliveryError) as caught:
        await Slack("s", httpserver.url_for("/x"), client=client).send(a_message(), attempt_at=NOW)
    assert (caught.value.permanent, caught.value.reason) == (False, reason)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    "no",
    [
        Response("invalid_blocks", 400),
        Response("msg_blocks_too_long", 400),
        Response("invalid_payload", 400),
        Response('{"ok": false, "error": "invalid_blocks"}'),
    ],
)
async def test_where_the_layout_is_refused_words_alone_arrive(
    client: Client, httpserver: HTTPServer, no: Response
) -> None:
    """Slack has limits that it writes down nowhere: the news is worth more than its layout."""
    posted: list[dict[str, Any]] = []

    def answer(request: Request) -> Response:
        posted.append(request.get_json())
        return no if "blocks" in posted[-1] else Response("ok")

    httpserver.expect_request("/x").respond_with_handler(answer)
    slack = Slack("s", httpserver.url_for("/x"), client=client)
    assert await slack.send(a_message(), attempt_at=NOW) == "HTTP 200"
    assert [sorted(one) for one in posted] == [
        ["blocks", "text", "unfurl_links", "unfurl_media"],
        ["text", "unfurl_links", "unfurl_media"],
    ]


async def test_what_is_refused_in_words_too_is_refused(
    client: Client, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/x").respond_with_data("invalid_payload", status=400)
    with pytest.raises(DeliveryError) as caught:
        await Slack("s", httpserver.url_for("/x"), client=client).send(a_message(), attempt_at=NOW)
    assert (caught.value.permanent, caught.value.reason) == (True, FailureReason.REFUSED)
    assert len(httpserver.log) == 2


@pytest.mark.parametrize("body", ["", "ok", "true", "[]", '{"ok": true}', '{"ok": 1}', "<html>"])
async def test_any_other_200_is_a_yes(client: Client, httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/x").respond_with_data(body)
    slack = Slack("chat", httpserver.url_for("/x"), client=client)
    assert await slack.send(a_message(), attempt_at=NOW) == "HTTP 200"


async def test_an_address_that_is_none_is_refused(client: Client) -> None:
    with pytest.raises(ConfigurationError):
        Slack("chat", "hooks.slack.com/hunter2", client=client)
