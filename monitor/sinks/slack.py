"""A message as a post of a Slack incoming webhook.

Layout: https://docs.slack.dev/reference/block-kit/blocks. All that comes from a
database is hostile text: `&`, `<` and `>` are escaped, so that nothing becomes a
mention or a link, and what cannot be escaped (backticks, newlines, control
characters) is replaced.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from itertools import zip_longest
from typing import Any, Final, final

import msgspec

from monitor.core.duration import describe_duration
from monitor.core.errors import DeliveryError, LookError
from monitor.core.findings import Finding, Severity
from monitor.core.incidents import Status
from monitor.core.message import VERDICT, Message
from monitor.core.waivers import is_waivable
from monitor.sinks.channel import ChannelKind, FailureReason, accept, explain
from monitor.sources.http import USER_AGENT, Answer, Client, read_address

MAX_PAYLOAD: Final = 8000
"""Characters; Slack has an unwritten limit on the sum, met at about 11 000."""
MAX_BLOCKS: Final = 12
MAX_HEADER: Final = 150

_MAX_FIELD: Final = 200
_MAX_LINE: Final = 280
_MAX_LINK: Final = 1000
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"}
_ICONS: Final = {
    Severity.CRITICAL: "🔴",
    Severity.WARNING: "🟡",
    Severity.INFO: "🔵",
}
_RESOLVED: Final = "🟢"


@final
class Slack:
    """Posts to an incoming webhook; each word is a message of its own.

    Args:
        name: in the configuration.
        url: of the webhook, a secret as a whole.
        client: see `monitor.sources.http.open_client`.

    Raises:
        ConfigurationError: the URL is none.
    """

    kind: Final = ChannelKind.SLACK

    def __init__(self, name: str, url: str, *, client: Client) -> None:
        self.name: Final = name
        self._address = read_address(url)
        self._client = client

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Post the message once; the receipt is the status.

        Raises:
            DeliveryError: it was not taken; 404 and 410 say that the webhook is no more.
        """
        body = msgspec.json.encode(render(message))
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            answer = await self._client.post(self._address, body, headers=headers)
        except LookError as error:
            raise explain(error) from None
        accept(answer, gone=_GONE, at=attempt_at)
        _refuse_denial(answer)
        return f"HTTP {answer.status}"


class _Denial(msgspec.Struct):
    ok: bool = True


def _refuse_denial(answer: Answer) -> None:
    """Slack's Web API, and what imitates it, says no with 200 and `{"ok": false}`."""
    try:
        is_fine = msgspec.json.decode(answer.body, type=_Denial).ok
    except msgspec.DecodeError:
        return
    if not is_fine:
        raise DeliveryError(
            f"{answer.label} refused the message.",
            next_step="Check that the address is that of an incoming webhook.",
            permanent=True,
            reason=FailureReason.REFUSED,
        )


def render(message: Message) -> dict[str, Any]:
    """The payload, within every limit whatever the message holds."""
    title = escape(f"{_icon(message)} {message.headline}", MAX_HEADER)
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": True}},
        {"type": "section", "fields": [_mrkdwn(text) for text in _write_fields(message)]},
        *_write_lines(message),
        *_write_cause(message),
        _section(f"*Next step*: `{escape(message.command, _MAX_FIELD)}`"),
        *_write_offer(message),
        *_write_buttons(message),
        {"type": "context", "elements": [_mrkdwn(_write_context(message))]},
    ]
    return {"text": title, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escape(text: str, limit: int) -> str:
    """One line that Slack shows as it is, at most `limit` characters with its escapes."""
    shown = [_ESCAPES.get(char, char if char.isprintable() else " ") for char in text[:limit]]
    if sum(map(len, shown)) > limit or len(text) > limit:
        while sum(map(len, shown)) > limit - 1:
            shown.pop()
        shown.append("…")
    return "".join(shown)


def _icon(message: Message) -> str:
    if message.type == VERDICT:
        return _RESOLVED if message.severity is Severity.INFO else _ICONS[message.severity]
    return _RESOLVED if message.status is Status.RESOLVED else _ICONS[message.severity]


def _write_fields(message: Message) -> list[str]:
    place = f"*Database*\n{escape(message.database, _MAX_FIELD)}"
    fields = [
        f"{place} · {escape(message.environment, _MAX_FIELD)}",
        f"*Severity*\n{message.severity.value}, {message.status.value}",
        f"*Since*\n{_date(message.since)}",
    ]
    if message.ended is not None:
        lasted = describe_duration(message.ended - message.since)
        fields.append(f"*Over*\n{_date(message.ended)}, after {lasted}")
    return fields


def _date(at: datetime) -> str:
    """In the reader's own time zone, with UTC for clients that cannot."""
    plain = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{plain}>"


def _write_lines(message: Message) -> list[dict[str, Any]]:
    if not message.lines:
        return []
    told = zip_longest(message.lines, message.findings[: len(message.lines)])
    lines = [f"• {escape(line, _MAX_LINE)}{_write_id(message, one)}" for line, one in told]
    if message.omitted:
        lines.append(f"…and {message.omitted} more")
    return [_section("\n".join(lines))]


def _write_id(message: Message, finding: Finding | None) -> str:
    """What `anchorwatch accept DATABASE FINDING` takes, while there is something to accept.

    A line about several databases is of no finding.
    """
    is_over = message.status is Status.RESOLVED
    return "" if finding is None or is_over or not is_waivable(finding) else f" `{finding.id}`"


def _write_cause(message: Message) -> list[dict[str, Any]]:
    if not message.cause:
        return []
    return [_section(f"*Likely cause*: {escape(message.cause, _MAX_LINE)}")]


def _write_offer(message: Message) -> list[dict[str, Any]]:
    if message.accept is None:
        return []
    return [_section(f"*If it is right as it is*: `{escape(message.accept, _MAX_FIELD)}`")]


def _write_buttons(message: Message) -> list[dict[str, Any]]:
    if message.url is None or len(message.url) > _MAX_LINK:
        return []
    label = {"type": "plain_text", "text": "Open"}
    return [
        {"type": "actions", "elements": [{"type": "button", "text": label, "url": message.url}]}
    ]


def _write_context(message: Message) -> str:
    return f"incident {escape(message.incident, _MAX_FIELD)} · {USER_AGENT}"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, Any]:
    # Verbatim: bare addresses and @names in a text are not turned into links.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
