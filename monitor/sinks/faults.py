"""The agent's own errors, told to Sentry: never a secret, never a row."""

from typing import Any, Final

import sentry_sdk
from sentry_sdk.types import Event, Hint

_DROPPED: Final = ("request", "extra", "breadcrumbs", "modules")
"""Parts of an event that could carry a URL, a header or a setting."""

FLUSH_SECONDS: Final = 1.0
"""A platform kills soon after it asked us to stop."""


def start_reporting(
    dsn: str | None, *, environment: str, release: str, replica: str | None
) -> None:
    """Begin to report; without a DSN nothing is ever sent.

    Args:
        dsn: Sentry's address for the project.
        environment: where the agent runs.
        release: the version, or the commit it was built from.
        replica: which of several agents this is.
    """
    if dsn is None:
        return
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release,
        server_name=replica,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        default_integrations=False,
        auto_session_tracking=False,
        before_send=_scrub,
    )


def stop_reporting() -> None:
    """Send what waits, for a second at most, and report no more. Blocks."""
    sentry_sdk.get_client().close(timeout=FLUSH_SECONDS)


def report_fault(error: BaseException) -> None:
    """Report an exception that nobody expected."""
    sentry_sdk.capture_exception(error)


def _scrub(event: Event, hint: Hint) -> Event:
    """Keep the type and the place of an exception, not its words: those may quote a secret."""
    del hint
    parts: dict[str, Any] = {key: value for key, value in event.items() if key not in _DROPPED}
    for value in parts.get("exception", {}).get("values", []):
        value["value"] = "(see the agent's log)"
    return parts  # type: ignore[return-value]  # the same event with fewer parts
