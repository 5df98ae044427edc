"""The command line: one thin module a command group; exit codes are public.

0  nothing found
1  findings at or above --fail-on (of diff: any change)
2  usage or configuration
3  could not look
"""

import sys
from typing import Final

import typer

from monitor.cli import check, compare, configuration, demo, doctor, explain, grants, run
from monitor.core.errors import AnchorwatchError

_MODULES: Final = (demo, run, check, compare, explain, configuration, grants, doctor)


def make_app() -> typer.Typer:
    """The command with all its groups."""
    app = typer.Typer(
        name="anchorwatch",
        help="Watch PostgreSQL databases that Alembic migrates: see drift, say why, tell once.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # laying out help with rich takes longer than most commands
    )
    app.callback()(_welcome)
    for module in _MODULES:
        module.register(app)
    return app


def _welcome(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Watch PostgreSQL databases that Alembic migrates: see drift, say why, tell once."""
    if version:
        from monitor import __version__

        sys.stdout.write(f"anchorwatch {__version__}\n")
        raise typer.Exit


def main() -> None:
    """Run the command; every error of ours becomes one sentence and an exit code."""
    try:
        make_app()()
    except AnchorwatchError as error:
        from monitor.cli.output import fail

        raise SystemExit(fail(error, as_json="json" in sys.argv)) from None
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `| head` does.
        sys.stderr.close()
        raise SystemExit(0) from None
