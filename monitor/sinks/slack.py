"""Slack by an incoming webhook: each word is a message of its own."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, final

import msgspec

from monitor.core.errors import DeliveryError, LookError
from monitor.core.message import Message
from monitor.sinks.channel import ChannelKind, FailureReason, accept, explain
from monitor.sinks.slack_blocks import render
from monitor.sinks.slack_refusals import PASSING, TOO_MUCH, defer
from monitor.sources.http import Answer, Client, read_address

_LAYOUT: Final = TOO_MUCH | {"invalid_payload"}
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@final
class Slack:
    """Posts to an incoming webhook; each word is a message of its own.

    Args:
        name: in the configuration.
        url: of the webhook, a secret as a whole.
        client: see `monitor.sources.http.open_client`.
        mention: who is called when something critical is opened; empty for nobody.

    Raises:
        ConfigurationError: the URL is none.
    """

    kind: Final = ChannelKind.SLACK

    def __init__(self, name: str, url: str, *, client: Client, mention: str = "") -> None:
        self.name: Final = name
        self._address = read_address(url)
        self._client = client
        self._mention = mention

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Post the message once; the receipt is the status.

        Raises:
            DeliveryError: it was not taken; 404 and 410 say that the webhook is no more.
        """
        body = render(message, mention=self._mention)
        answer = await self._post(body)
        if _refuses_layout(answer):
            answer = await self._post({name: body[name] for name in body if name != "blocks"})
        accept(answer, gone=_GONE, at=attempt_at)
        _refuse_denial(answer, attempt_at)
        return f"HTTP {answer.status}"

    async def _post(self, body: dict[str, Any]) -> Answer:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            return await self._client.post(
                self._address, msgspec.json.encode(body), headers=headers
            )
        except LookError as error:
            raise explain(error) from None


class _Denial(msgspec.Struct):
    ok: bool = True
    error: Any = ""

    @property
    def word(self) -> str:
        return self.error if isinstance(self.error, str) else ""


def _read_denial(answer: Answer) -> _Denial:
    """Slack's Web API, and what imitates it, says no with 200 and `{"ok": false}`."""
    try:
        return msgspec.json.decode(answer.body, type=_Denial)
    except msgspec.DecodeError:
        return _Denial()


def _refuses_layout(answer: Answer) -> bool:
    """Whether it is not the address that is wrong; of a webhook it is a word in plain text."""
    if answer.status == HTTPStatus.BAD_REQUEST:
        return answer.body.decode(errors="replace").strip() in _LAYOUT
    denial = _read_denial(answer)
    return not denial.ok and denial.word in _LAYOUT


def _refuse_denial(answer: Answer, at: datetime) -> None:
    denial = _read_denial(answer)
    if denial.ok:
        return
    if denial.word in PASSING:
        raise defer(answer, denial.word, at)
    raise DeliveryError(
        f"{answer.label} refused the message.",
        next_step="Check that the address is that of an incoming webhook.",
        permanent=True,
        reason=FailureReason.REFUSED,
    )
