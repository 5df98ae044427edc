"""What `anchorwatch smoke run` does: runs configured suites once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monitor.agent.choices import make_deadlines
from monitor.checks.smoke import SmokeDatabase, SmokeRunner
from monitor.cli.loop import run_loop
from monitor.cli.progress import show_progress
from monitor.cli.settings import load_settings
from monitor.config.settings import Settings
from monitor.config.smoke import SuiteSettings
from monitor.core.errors import UsageError
from monitor.core.smoke import StepStatus, SuiteOutcome

FAILED: Final = 1
COULD_NOT_RUN: Final = 3


def run_suites(name: str | None, config: str | None) -> tuple[SuiteOutcome, ...]:
    """Run one suite, or all, one after another.

    Raises:
        ConfigurationError: the configuration cannot be used.
        UsageError: there is no such suite, or none at all.
    """
    settings = load_settings(config, may_be_empty=True).settings
    suites = _choose(settings, name)
    names = ", ".join(suite.suite for suite in suites)
    with show_progress(f"running {names}"):
        return run_loop(_run_all(suites, settings))


def _choose(settings: Settings, name: str | None) -> Sequence[SuiteSettings]:
    if not settings.smoke:
        raise UsageError(
            "No smoke suite is configured.",
            next_step="Add one below smoke:, see docs/how-to/smoke-tests.md.",
        )
    chosen = [suite for suite in settings.smoke if name in (None, suite.suite)]
    if not chosen:
        names = ", ".join(suite.suite for suite in settings.smoke)
        raise UsageError(
            f"No smoke suite {name!r} is configured.", next_step=f"Configured are: {names}."
        )
    return chosen


async def _run_all(
    suites: Sequence[SuiteSettings], settings: Settings
) -> tuple[SuiteOutcome, ...]:
    runner = SmokeRunner()
    # Suites may share what they make and look at: one at a time, as they stand.
    return tuple(
        [await runner.run(one.make_suite(), find_database(settings, one)) for one in suites]
    )


def find_database(settings: Settings, suite: SuiteSettings) -> SmokeDatabase | None:
    """What the suite's SQL steps ask; None without one, or where its entry is wrong."""
    found = settings.databases.get(suite.database or "")
    return SmokeDatabase(found.dsn, make_deadlines(found)) if found else None


def choose_exit(outcomes: Sequence[SuiteOutcome]) -> int:
    """A failure is certain; what could not be run comes after it; a warning passes."""
    statuses = {outcome.status for outcome in outcomes}
    if StepStatus.FAIL in statuses:
        return FAILED
    return COULD_NOT_RUN if StepStatus.UNKNOWN in statuses else 0


def write_file(path: Path, data: bytes) -> None:
    """Write a document.

    Raises:
        UsageError: it cannot be written there.
    """
    try:
        path.write_bytes(data)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "its name cannot be one"
        raise UsageError(
            f"The file of --junit cannot be written: {reason}.",
            next_step="Name a file in a directory that is there.",
        ) from None
