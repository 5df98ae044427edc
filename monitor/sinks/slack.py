"""Slack by an incoming webhook: each word is a message of its own."""

from datetime import datetime
from http import HTTPStatus
from typing import Final, final

import msgspec

from monitor.core.errors import DeliveryError, LookError
from monitor.core.message import Message
from monitor.sinks.channel import ChannelKind, FailureReason, accept, explain
from monitor.sinks.slack_blocks import render
from monitor.sources.http import Answer, Client, read_address

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
        body = msgspec.json.encode(render(message, mention=self._mention))
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
