"""The agent's own errors, told to Sentry: never a secret, never a row."""

import re
from typing import Any, Final

import sentry_sdk
from sentry_sdk.crons import MonitorStatus, capture_checkin
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

_KEPT_OF_CHECK_INS: Final = frozenset(
    [
        "type",
        "monitor_slug",
        "check_in_id",
        "status",
        "duration",
        "monitor_config",
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


def check_in(environment: str, *, is_well: bool) -> None:
    """Tell Sentry's monitor of the agent how it is; Sentry misses a word that does not come.

    The monitor is made, or changed, by what is sent with the word:
    https://docs.sentry.io/platforms/python/crons/
    """
    status = MonitorStatus.OK if is_well else MonitorStatus.ERROR
    capture_checkin(
        monitor_slug=name_monitor(environment),
        status=status,
        monitor_config={
            "schedule": {"type": "interval", "value": 1, "unit": "minute"},
            "checkin_margin": 2,
            "max_runtime": 1,
            "failure_issue_threshold": 2,
            "recovery_threshold": 1,
            "timezone": "UTC",
        },
    )


def name_monitor(environment: str) -> str:
    """``anchorwatch-production``: what Sentry takes as a slug, at most 50 characters."""
    words = re.sub(r"[^a-z0-9]+", "-", environment.lower()).strip("-")
    return f"anchorwatch-{words}"[:50].rstrip("-")


def _scrub(event: Event, hint: Hint) -> Event:
    """Keep the types and the place of an exception, not its words: those may quote a secret."""
    del hint
    if dict(event).get("type") == "check_in":
        kept = _KEPT | _KEPT_OF_CHECK_INS
        return {key: value for key, value in event.items() if key in kept}  # type: ignore[return-value]  # as below
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
