"""What is open, as alerts of Prometheus' Alertmanager.

Alertmanager knows no events, only what holds: an alert that is not sent again ends by
itself. So `send` says at once what happened to one incident, and `keep` says again, for as
long as it lasts, what is open. Sources: https://prometheus.io/docs/alerting/latest/clients/
and Alertmanager's openapi.yaml, version 2.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, final

import msgspec

from monitor.core.errors import LookError
from monitor.core.findings import FindingClass
from monitor.core.incidents import Status
from monitor.core.message import NO_DATABASE, Message
from monitor.core.printing import cut, flatten
from monitor.sinks.channel import ChannelKind, accept, explain
from monitor.sources.http import Client, read_address

KEEP_SECONDS: Final = 60.0
"""How often what is open is sent again."""
ENDS_AFTER: Final = timedelta(minutes=4)
"""When an alert ends that is not sent again: three rounds may be lost."""
BATCH: Final = 100
"""Alerts in one request: some hundred kilobytes at most."""

_MAX_LABEL: Final = 256
_MAX_TEXT: Final = 1000
_MAX_LINK: Final = 2000
_PATH: Final = "/api/v2/alerts"
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_TEST: Final = "AnchorwatchTest"


@final
class Alertmanager:
    """Posts alerts; who is told, and how often again, is for Alertmanager to say.

    Args:
        name: in the configuration.
        url: where Alertmanager answers, with its path prefix; a secret, for it may hold
            a password.
        token: sent as a bearer token; None for none.
        client: see `monitor.sources.http.open_client`.

    Raises:
        ConfigurationError: the URL is none.
    """

    kind: Final = ChannelKind.ALERTMANAGER

    def __init__(self, name: str, url: str, *, token: str | None, client: Client) -> None:
        self.name: Final = name
        self._address = read_address(url.rstrip("/") + _PATH)
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._client = client
        self._turn = asyncio.Lock()

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Say what holds of one incident; the receipt is the status.

        The word about a deployment is no state, and is not for here (`Pace.hears_verdicts`):
        what is wrong after it is an incident of its own.

        Raises:
            DeliveryError: it was not taken; 404 says that no Alertmanager answers there.
        """
        async with self._turn:
            status = await self._post([message], attempt_at)
        return f"HTTP {status}"

    async def keep(
        self, load: Callable[[], Awaitable[Sequence[Message]]], *, clock: Callable[[], datetime]
    ) -> None:
        """Say again what is open, and what is over since a short while.

        Holds: what `load` gives is posted before anything that `send` brings later, so
        that nothing that is over is brought back by what was read before.

        Args:
            load: reads how the incidents stand.
            clock: the time, asked after `load`.

        Raises:
            DeliveryError: it was not taken.
        """
        async with self._turn:
            messages = await load()
            for start in range(0, len(messages), BATCH):
                await self._post(messages[start : start + BATCH], clock())

    async def _post(self, messages: Iterable[Message], at: datetime) -> int:
        body = msgspec.json.encode([describe_alert(message, at) for message in messages])
        try:
            answer = await self._client.post(self._address, body, headers=self._headers)
        except LookError as error:
            raise explain(error) from None
        accept(answer, gone=_GONE, at=at)
        return answer.status


def describe_alert(message: Message, at: datetime) -> dict[str, Any]:
    """One alert as the API takes it.

    Holds: the labels of an incident are the same from its beginning to its end, as long
    as it does not become worse or milder, for Alertmanager knows an alert by its labels.
    """
    over = message.ended or at
    ends = over if message.status is Status.RESOLVED else at + ENDS_AFTER
    link = message.url
    return {
        "labels": _list_labels(message),
        "annotations": _list_annotations(message),
        "startsAt": message.since.astimezone(UTC),
        # A clock that jumped back must not make an alert that ends before it starts.
        "endsAt": max(ends, message.since).astimezone(UTC),
        "generatorURL": link if link and len(link) <= _MAX_LINK else "",
    }


def name_alert(finding_class: FindingClass | None) -> str:
    """``AnchorwatchDrift``; that of a test message when there is no class."""
    if finding_class is None:
        return _TEST
    return f"Anchorwatch{finding_class.value.title().replace('_', '')}"


def _list_labels(message: Message) -> dict[str, str]:
    is_agents = bool(message.subject) or message.database == NO_DATABASE
    labels = {
        "alertname": name_alert(message.finding_class),
        "severity": message.severity.value,
        "app_environment": message.environment,
        "database": "" if is_agents else message.database,
        "class": message.finding_class.value if message.finding_class else "",
        "channel": message.subject,
    }
    # To Alertmanager an empty label is none.
    return {name: cut(flatten(value), _MAX_LABEL) for name, value in labels.items() if value}


def _list_annotations(message: Message) -> dict[str, str]:
    lines = [*message.lines, *([f"…and {message.omitted} more"] if message.omitted else [])]
    annotations = {
        "summary": cut(flatten(message.headline), _MAX_TEXT),
        "description": "\n".join(cut(flatten(line), _MAX_TEXT) for line in lines),
        "cause": cut(flatten(message.cause), _MAX_TEXT),
        "command": cut(flatten(message.command), _MAX_TEXT),
        "incident": message.incident,
    }
    return {name: value for name, value in annotations.items() if value}
