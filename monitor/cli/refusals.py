"""Whatever ends a command early, as one sentence, the next step and an exit code."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import typer

from monitor.cli.signals import tidy_end
from monitor.cli.streams import prepare_streams
from monitor.core.errors import AnchorwatchError, Fault, UsageError

INTERRUPTED: Final = 130
"""What typer makes of an interrupt, whichever signal it came of."""

_MISUSE: Final = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""Every way to write a command line wrongly; typer gives the class itself no name."""

_SECRET: Final = re.compile(
    r"""['"(]*[^\s'"(]*(?:://|passw\w*\s*=).*""", re.IGNORECASE | re.DOTALL
)
"""From the first word that may be a database's address: where it ends nobody knows."""


def run_command(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code.

    With `--format json` an error is the one document on standard output.
    """
    prepare_streams()
    with tidy_end() as ending:
        try:
            code = int(app(list(arguments), "anchorwatch", standalone_mode=False) or 0)
        except KeyboardInterrupt:
            code = INTERRUPTED
        except Exception as error:  # noqa: BLE001  # the rim: a traceback could hold a secret
            if not ending.explains(error):
                return _fail(_explain(error), as_json=_asks_for_json(arguments))
            code = INTERRUPTED
    return ending.exit_code if code == INTERRUPTED else code


def _fail(failure: AnchorwatchError, *, as_json: bool) -> int:
    from monitor.cli.output import fail

    try:
        return fail(failure, as_json=as_json)
    except AnchorwatchError as worse:  # standard output takes no document
        return fail(worse, as_json=False)


def _asks_for_json(arguments: Sequence[str]) -> bool:
    pairs = zip(arguments, [*arguments[1:], ""], strict=True)
    return "--format=json" in arguments or ("--format", "json") in pairs


def _explain(error: Exception) -> AnchorwatchError:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, AnchorwatchError):
        return error
    if isinstance(error, _MISUSE):
        return _explain_misuse(error)
    if isinstance(error, FileNotFoundError) and not _has_directory():
        return UsageError(
            "The working directory is gone.", next_step="Change to one that is there: `cd`."
        )
    from monitor.core.fault import locate_fault

    return Fault(
        f"anchorwatch broke: {locate_fault(error)}.",
        next_step="Please report this line with what you did; it holds no data of yours.",
    )


def _has_directory() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _explain_misuse(error: typer.BadParameter) -> UsageError:
    """The sentence of the library, without what may be a password."""
    text = _SECRET.sub("***", error.format_message()).replace("Value error, ", "").strip()
    command = error.ctx.command_path if error.ctx else "anchorwatch"
    return UsageError(
        text if text.endswith((".", "?", "!")) else f"{text}.",
        next_step=f"Run `{command} --help` to see what it takes.",
    )
