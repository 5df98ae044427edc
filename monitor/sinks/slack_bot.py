"""Slack by a bot: the first word is a message, the next ones are in its thread.

The message itself always says how it stands, and turns green when it is over. Needs the scope
`chat:write`, and the bot in the channel.
Source: https://docs.slack.dev/reference/methods/chat.postMessage, .../chat.update.
"""

import re
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple, final

import msgspec

from monitor.core.errors import DeliveryError, LookError
from monitor.core.findings import Severity
from monitor.core.message import Message
from monitor.sinks.channel import ChannelKind, FailureReason, accept, explain
from monitor.sinks.slack_blocks import render
from monitor.sinks.slack_refusals import PASSING, TOO_MUCH, defer
from monitor.sources.http import Address, Answer, Client, read_address

API: Final = "https://slack.com/api"
_WORD: Final = re.compile(r"[a-z_]{1,60}")
_GONE: Final = frozenset(
    {
        "account_inactive",
        "channel_not_found",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "not_authed",
        "not_in_channel",
        "token_expired",
        "token_revoked",
    }
)
"""Errors after which nothing will arrive until somebody does something."""
_LOST: Final = frozenset(
    {
        "cant_update_message",
        "channel_not_found",
        "edit_window_closed",
        "is_archived",
        "is_inactive",
        "message_not_found",
        "not_in_channel",
        "thread_not_found",
    }
)
"""The head of a thread is no more, or where it is: a new one is begun where messages go by now.

The channel may be another one since; where it is the same, it says no once more.
"""


class _Said(msgspec.Struct):
    """What the Web API answers, with 200 whatever happened."""

    ok: bool = False
    error: str = ""
    channel: str = ""
    ts: str = ""


class _Head(NamedTuple):
    """The message at the head of a thread, as a receipt has it."""

    channel: str
    ts: str

    def __str__(self) -> str:
        return f"{self.channel}/{self.ts}"


@final
class SlackBot:
    """Posts and updates messages of one channel.

    Args:
        name: in the configuration.
        token: of the bot, `xoxb-...`, a secret.
        channel: its id or name.
        client: see `monitor.sources.http.open_client`.
        mention: who is called when something critical is opened; empty for nobody.
        api: where the Web API is.

    Raises:
        ConfigurationError: the address of the Web API is none.
    """

    kind: Final = ChannelKind.SLACK_BOT

    def __init__(  # noqa: PLR0913  # what it is made of, by name
        self,
        name: str,
        *,
        token: str,
        channel: str,
        client: Client,
        mention: str = "",
        api: str = API,
    ) -> None:
        self.name: Final = name
        self._post = read_address(f"{api}/chat.postMessage")
        self._update = read_address(f"{api}/chat.update")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json; charset=utf-8",
        }
        self._channel = channel
        self._client = client
        self._mention = mention

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Post the message, or the next word in its thread; the receipt names the thread.

        Raises:
            DeliveryError: it was not taken; reason `gone` where token or channel are no more.
        """
        head = _read_head(message.thread)
        if head is not None and await self._go_on(head, message, attempt_at):
            return str(head)
        body = render(message, mention=self._mention)
        said = await self._say(self._post, {"channel": self._channel, **body}, attempt_at)
        _check(self.name, said)
        return str(_Head(said.channel, said.ts))

    async def _go_on(self, head: _Head, message: Message, at: datetime) -> bool:
        """Bring the head up to date, and say the next word below it; False where it is lost."""
        place = {"channel": head.channel}
        root = {**place, "ts": head.ts, **render(message.root or message)}
        reply = {
            **place,
            "thread_ts": head.ts,
            "reply_broadcast": _is_loud(message),
            **render(message),
        }
        for address, body in ((self._update, root), (self._post, reply)):
            said = await self._say(address, body, at)
            if said.error in _LOST:
                return False
            _check(self.name, said)
        return True

    async def _say(self, address: Address, body: dict[str, Any], at: datetime) -> _Said:
        """Ask once, and once more with words alone where the layout is refused."""
        said = await self._ask(address, body, at)
        if said.error in TOO_MUCH and "blocks" in body:
            plain = {name: value for name, value in body.items() if name != "blocks"}
            said = await self._ask(address, plain, at)
        return said

    async def _ask(self, address: Address, body: dict[str, Any], at: datetime) -> _Said:
        try:
            answer = await self._client.post(
                address, msgspec.json.encode(body), headers=self._headers
            )
        except LookError as error:
            raise explain(error) from None
        accept(answer, gone=frozenset({HTTPStatus.GONE}), at=at)
        return _read(answer, at)


def _read_head(thread: str | None) -> _Head | None:
    channel, _, ts = (thread or "").partition("/")
    return _Head(channel, ts) if channel and ts else None


def _is_loud(message: Message) -> bool:
    """Whether the whole channel hears of it again: a reminder of something critical."""
    return message.type == "incident.reminder" and message.severity is Severity.CRITICAL


def _read(answer: Answer, at: datetime) -> _Said:
    try:
        said = msgspec.json.decode(answer.body, type=_Said)
    except msgspec.DecodeError:
        raise DeliveryError(
            f"{answer.label} answered what is no answer of Slack's Web API.",
            next_step="Check what stands between anchorwatch and Slack.",
            reason=FailureReason.SERVER,
        ) from None
    if not said.ok and said.error in PASSING:
        raise defer(answer, said.error, at)
    return said


def _check(name: str, said: _Said) -> None:
    """Nothing where it was taken.

    Raises:
        DeliveryError: it was not.
    """
    if said.ok:
        return
    word = said.error if _WORD.fullmatch(said.error) else "an error without a name"
    is_gone = word in _GONE
    raise DeliveryError(
        f"Slack refused the message for {name}: {word}.",
        next_step="Check token, scope (chat:write) and channel, and invite the bot to it."
        if is_gone
        else "Look the word up at https://docs.slack.dev/reference/methods/chat.postMessage.",
        permanent=True,
        reason=FailureReason.GONE if is_gone else FailureReason.REFUSED,
    )
