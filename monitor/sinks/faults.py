"""The agent's own errors, told to Sentry: never a secret, never a row."""

from typing import Any, Final

import sentry_sdk
from sentry_sdk.types import Event, Hint

_KEPT: Final = frozenset(
    [
        "event_id",
        "timestamp",
        "platform",
        "level",
        "environment",
        "release",
        "server_name",
        "sdk",
        "contexts",
    ]
)
"""Parts of an event that hold neither a URL, a header, a setting nor a row."""

_KEPT_OF_FRAMES: Final = frozenset(
    [
        "filename",
        "abs_path",
        "module",
        "function",
        "lineno",
        "in_app",
    ]
)

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
    """Keep the types and the place of an exception, not its words: those may quote a secret."""
    del hint
    parts: dict[str, Any] = {key: value for key, value in event.items() if key in _KEPT}
    exceptions = dict(event).get("exception")
    if isinstance(exceptions, dict):
        values = [_scrub_exception(value) for value in exceptions.get("values", [])]
        parts["exception"] = {"values": values}
    return parts  # type: ignore[return-value]  # the same event with fewer parts


def _scrub_exception(value: dict[str, Any]) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames", [])
    return {
        "type": value.get("type"),
        "module": value.get("module"),
        "value": "(see the agent's log)",
        "stacktrace": {
            "frames": [
                {key: part for key, part in frame.items() if key in _KEPT_OF_FRAMES}
                for frame in frames
            ]
        },
    }
