"""A message as Slack's blocks: https://docs.slack.dev/reference/block-kit/blocks.

All that comes from a database is hostile text: `&`, `<` and `>` are escaped, so that
nothing becomes a mention or a link, and what cannot be escaped (backticks, newlines,
control characters) is replaced.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

from monitor.core.duration import describe_duration, describe_moment
from monitor.core.findings import Finding, Severity
from monitor.core.incidents import Status
from monitor.core.message import VERDICT, Message, Surroundings
from monitor.core.waivers import is_waivable
from monitor.sources.http import USER_AGENT

MAX_PAYLOAD: Final = 8000
"""Characters; Slack has an unwritten limit on the sum, met at about 11 000."""
MAX_BLOCKS: Final = 12
MAX_HEADER: Final = 150

_MAX_FIELD: Final = 200
_MAX_LINE: Final = 280
_MAX_LINK: Final = 1000
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"}
_ICONS: Final = {
    Severity.CRITICAL: "🔴",
    Severity.WARNING: "🟡",
    Severity.INFO: "🔵",
}
_RESOLVED: Final = "🟢"


def render(message: Message, *, mention: str = "") -> dict[str, Any]:
    """The payload, within every limit whatever the message holds.

    Args:
        message: what is told.
        mention: as `write_mention` writes it; those are called when something critical is
            opened, and not again.
    """
    title = escape(f"{_icon(message)} {message.headline}", MAX_HEADER)
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": True}},
        {"type": "section", "fields": [_mrkdwn(text) for text in _write_fields(message)]},
        *_write_lines(message),
        *_write_cause(message),
        _section(f"*Next step*: `{escape(message.command, _MAX_FIELD)}`"),
        *_write_offer(message),
        *_write_buttons(message),
        *([_section(mention)] if mention and message.has_alarm else []),
        {"type": "context", "elements": [_mrkdwn(_write_context(message))]},
    ]
    return {"text": title, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def write_mention(who: str) -> str:
    """`here` and `channel`, a group's id or a person's as Slack calls them.

    Source: https://docs.slack.dev/messaging/formatting-message-text#mentioning-groups
    """
    if who in ("here", "channel"):
        return f"<!{who}>"
    return f"<!subteam^{who}>" if who.startswith("S") else f"<@{who}>"


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
    return [*fields, *_write_revision(message.around), *_write_deployment(message)]


def _write_revision(around: Surroundings) -> list[str]:
    """Where the history is, and where it should be if that is elsewhere."""
    if around.revisions is None:
        return []
    stamped = _list_revisions(around.revisions)
    expected = around.expected_revisions
    if expected is None or sorted(expected) == sorted(around.revisions):
        return [f"*Revision*\n{stamped}"]
    return [f"*Revision*\n{stamped} → expected {_list_revisions(expected)}"]


def _list_revisions(revisions: Sequence[str]) -> str:
    return f"`{escape(', '.join(revisions), _MAX_FIELD)}`" if revisions else "none"


def _write_deployment(message: Message) -> list[str]:
    at = message.around.deployed_at
    if at is None or message.type == VERDICT:  # which is about that deployment
        return []
    apart = describe_duration(abs(message.since - at))
    side = "before" if at <= message.since else "after"
    return [f"*Last deploy*\n{_date(at)}, {apart} {side}"]


def _date(at: datetime) -> str:
    """In the reader's own time zone, with UTC for clients that cannot."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{describe_moment(at)}>"


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
