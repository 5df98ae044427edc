"""A message as plain text, by way of Apprise: the channels that have no module of their own.

Apprise (https://github.com/caronc/apprise) is an optional extra, and imported only where a
URL for it is configured. It says that something was not taken, but seldom why; it blocks, so
that it runs in a thread; and it logs addresses, so that its loggers are silenced.
"""

import asyncio
import logging
import warnings
from datetime import datetime
from types import ModuleType
from typing import Any, Final, final

from monitor.core.duration import describe_moment
from monitor.core.errors import ConfigurationError, DeliveryError
from monitor.core.findings import Severity
from monitor.core.incidents import Status
from monitor.core.message import VERDICT, Message
from monitor.core.printing import cut, flatten
from monitor.sinks.channel import ChannelKind, FailureReason

SEND_SECONDS: Final = 25.0
"""For one message, below what the outbox allows a channel."""

_MAX_LINE: Final = 300
_MAX_TITLE: Final = 200
_CHATTY: Final = ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib")
_UNHARMED: Final = str.maketrans(
    {"@": "\uff20", "<": "\u2039", ">": "\u203a", "`": "'", "*": "\u2217"}
)
"""What a chat makes mentions, links and code of; plain text needs none of them."""

_UNLINKED: Final = (("](", "] ("), ("://", ": //"))
"""What a chat makes a link of, with its own words on it or as it stands."""


@final
class Apprise:
    """Sends by one URL of Apprise's.

    Args:
        name: in the configuration.
        url: of Apprise's, as in ``discord://ID/TOKEN``; a secret as a whole.

    Raises:
        ConfigurationError: Apprise is not installed, or does not know the URL.
    """

    kind: Final = ChannelKind.APPRISE

    def __init__(self, name: str, url: str) -> None:
        self.name: Final = name
        library = _load()
        # No redirects, no files, no plugins of others, nothing read into the text.
        asset = library.AppriseAsset(
            app_id="anchorwatch",
            app_desc="anchorwatch",
            app_url="",
            storage_mode=library.PersistentStoreMode.MEMORY,
            service_timeout=SEND_SECONDS,
            allow_templates=False,
            interpret_escapes=False,
            interpret_emojis=False,
            http_redirects=False,
            secure_logging=True,
        )
        self._sender = library.Apprise(asset=asset)
        self._kinds = library.NotifyType
        self._form = library.NotifyFormat.TEXT
        with warnings.catch_warnings():
            # It imports every service that it knows, and modules that Python gives up.
            warnings.simplefilter("ignore", DeprecationWarning)
            is_known = self._sender.add(url)
        if not is_known:
            raise ConfigurationError(
                f"Apprise does not know the URL of the channel {name}.",
                next_step="Write it as https://github.com/caronc/apprise/wiki says.",
            )

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        """Send the message once.

        Raises:
            DeliveryError: it was not taken; it may be tried again, for nobody says why.
        """
        del attempt_at
        result = await asyncio.to_thread(
            self._sender.notify,
            body=write_body(message),
            title=clean(message.headline, _MAX_TITLE),
            notify_type=self._choose_kind(message),
            body_format=self._form,
            timeout=SEND_SECONDS,
        )
        if not result:
            is_late = result.status.name == "TIMEOUT"
            late = " in time" if is_late else ""
            raise DeliveryError(
                f"{self.name} did not take the message{late}; Apprise does not say why.",
                next_step="It is tried again; check the URL if this goes on: "
                f"anchorwatch notify --test {self.name}",
                reason=FailureReason.TIMEOUT if is_late else FailureReason.SERVER,
            )
        return "taken"

    def _choose_kind(self, message: Message) -> Any:
        is_over = message.status is Status.RESOLVED and message.type != VERDICT
        if is_over:
            return self._kinds.SUCCESS
        return {
            Severity.CRITICAL: self._kinds.FAILURE,
            Severity.WARNING: self._kinds.WARNING,
            Severity.INFO: self._kinds.INFO,
        }[message.severity]


def _load() -> ModuleType:
    for name in _CHATTY:
        # Addresses hold tokens: Apprise logs them, and urllib3 logs paths.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        import apprise  # noqa: PLC0415  # an optional extra, and half a second
    except ImportError:
        raise ConfigurationError(
            "A channel of apprise is configured, and Apprise is not installed.",
            next_step='Install it: pip install "anchorwatch[apprise]"',
        ) from None
    return apprise


def write_body(message: Message) -> str:
    """The message below its headline, in plain lines."""
    lines = [f"• {clean(line, _MAX_LINE)}" for line in message.lines]
    if message.omitted:
        lines.append(f"…and {message.omitted} more")
    lines.append(f"Since: {describe_moment(message.since)}")
    if message.cause:
        lines.append(f"Likely cause: {clean(message.cause, _MAX_LINE)}")
    lines.append(f"Next step: {clean(message.command, _MAX_LINE)}")
    if message.accept is not None:
        lines.append(f"If it is right as it is: {clean(message.accept, _MAX_LINE)}")
    if message.url is not None:
        lines.append(message.url)
    return "\n".join(lines)


def clean(text: str, limit: int) -> str:
    """One line that is no mention, no link and no markup anywhere, at most `limit` long."""
    shown = flatten(text).translate(_UNHARMED)
    for link, harmless in _UNLINKED:
        shown = shown.replace(link, harmless)
    return cut(shown, limit)
