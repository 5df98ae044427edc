"""A message as a Standard Webhook: https://www.standardwebhooks.com, version 1.0.0."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, final

import msgspec

from monitor.core.errors import ConfigurationError, LookError
from monitor.core.findings import Evidence, Finding
from monitor.core.kinds import Value
from monitor.core.message import Message, describe_sides
from monitor.core.printing import cut
from monitor.sinks.channel import ChannelKind, accept, explain
from monitor.sources.http import Client, read_address

MAX_FINDINGS: Final = 20
MAX_BODY: Final = 19_000
"""Bytes; the specification advises less than 20 kB."""

_MAX_TEXT: Final = 300
_MAX_NAME: Final = 256
_MAX_REVISION: Final = 64
_MAX_HEADS: Final = 4
_MAX_EVIDENCE: Final = 12
_MAX_LINK: Final = 2000
_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)
_GONE: Final = frozenset({HTTPStatus.GONE})


@final
class Webhook:
    """Posts JSON, signed with every secret so that the receiver can change its own.

    Args:
        name: in the configuration.
        url: where to; a secret.
        secrets: `whsec_` and base64, several separated by spaces; empty for none.
        client: see `monitor.sources.http.open_client`.

    Raises:
        ConfigurationError: the URL or a secret is none.
    """

    kind: Final = ChannelKind.WEBHOOK

    def __init__(self, name: str, url: str, *, secrets: str, client: Client) -> None:
        self.name: Final = name
        self._address = read_address(url)
        self._keys = tuple(_read_key(text) for text in secrets.split())
        self._client = client

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Post the message once; the receipt is the status.

        Raises:
            DeliveryError: it was not taken; 410 says that nobody wants it any more.
        """
        body = render(message)
        headers = {"Content-Type": "application/json"} | sign(
            self._keys, message.id, attempt_at, body
        )
        try:
            answer = await self._client.post(self._address, body, headers=headers)
        except LookError as error:
            raise explain(error) from None
        # Standard Webhooks: everything but 2xx and 410 is tried again.
        accept(answer, gone=_GONE, at=attempt_at, is_refusal_final=False)
        return f"HTTP {answer.status}"


def sign(keys: tuple[bytes, ...], id_: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers; without keys there is no signature.

    Signed is `id.timestamp.body` with HMAC-SHA256; the id is that of the delivery over
    every attempt, the timestamp that of the attempt.
    """
    timestamp = str(int(at.timestamp()))
    content = b".".join((id_.encode(), timestamp.encode(), body))
    signatures = (
        base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys
    )
    headers = {"webhook-id": id_, "webhook-timestamp": timestamp}
    if keys:
        headers["webhook-signature"] = " ".join(f"v1,{signature}" for signature in signatures)
    return headers


def _read_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if len(key) not in _KEY_BYTES:
        raise ConfigurationError(
            "A webhook secret is not whsec_ and the base64 of 24 to 64 bytes.",
            next_step='Make one with: echo "whsec_$(openssl rand -base64 32)"',
        )
    return key


def render(message: Message) -> bytes:
    """The body: as many findings, the worst first, as fit into `MAX_BODY`."""
    told = message.findings[:MAX_FINDINGS]
    body = b""
    for count in range(len(told), -1, -1):
        body = _encode(message, told[:count])
        if len(body) <= MAX_BODY:
            break
    return body


def _encode(message: Message, findings: tuple[Finding, ...]) -> bytes:
    link = message.url
    return msgspec.json.encode(
        {
            "format": 1,
            "type": message.type,
            "id": message.id,
            "incident": message.incident,
            "environment": cut(message.environment, _MAX_NAME),
            "database": cut(message.database, _MAX_NAME),
            "severity": message.severity,
            "status": message.status,
            "headline": cut(message.headline, _MAX_TEXT),
            "since": message.since.astimezone(UTC),
            "at": message.at.astimezone(UTC),
            "ended": _in_utc(message.ended),
            "findings": [_describe(finding) for finding in findings],
            "truncated": len(message.findings) - len(findings),
            "cause": cut(message.cause, _MAX_TEXT),
            "revisions": _list_revisions(message.around.revisions),
            "expected_revisions": _list_revisions(message.around.expected_revisions),
            "deployed_at": _in_utc(message.around.deployed_at),
            "command": cut(message.command, _MAX_TEXT),
            "accept": cut(message.accept, _MAX_TEXT) if message.accept else None,
            "url": link if link and len(link) <= _MAX_LINK else None,
        }
    )


def _in_utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at is not None else None


def _list_revisions(revisions: Sequence[str] | None) -> list[str] | None:
    if revisions is None:
        return None
    return [cut(one, _MAX_REVISION) for one in revisions[:_MAX_HEADS]]


def _describe(finding: Finding) -> dict[str, Any]:
    key = finding.key
    return {
        "id": finding.id,
        "code": finding.code,
        "severity": finding.severity,
        "kind": key.kind if key else None,
        "schema": cut(key.schema, _MAX_NAME) if key and key.schema is not None else None,
        "parent": cut(key.parent, _MAX_NAME) if key and key.parent is not None else None,
        "name": cut(key.name, _MAX_NAME) if key else None,
        "title": cut(finding.title, _MAX_TEXT),
        "evidence": [_show(evidence) for evidence in finding.evidence[:_MAX_EVIDENCE]],
    }


def _show(evidence: Evidence) -> dict[str, Any]:
    expected, actual = describe_sides(evidence)
    return {
        "name": cut(evidence.name, _MAX_NAME),
        "expected": _shorten(evidence.expected, expected),
        "actual": _shorten(evidence.actual, actual),
    }


def _shorten(value: Value, words: str) -> Value:
    """The value itself while it is short, words for it otherwise."""
    return value if len(msgspec.json.encode(value)) <= _MAX_NAME else words
