"""The command line: one thin module a command group; exit codes are public.

0  nothing found
1  findings at or above --fail-on (of diff: any change)
2  usage or configuration
3  could not look
"""

import sys
from typing import Final

import typer

from monitor.cli import (
    accept,
    check,
    compare,
    configuration,
    demo,
    diagnose,
    doctor,
    explain,
    grants,
    incidents,
    init,
    lock,
    notify,
    orphans,
    run,
    silence,
    smoke,
)
from monitor.cli.refusals import run_command

_MODULES: Final = (
    demo,
    init,
    run,
    check,
    incidents,
    accept,
    silence,
    compare,
    lock,
    diagnose,
    orphans,
    smoke,
    notify,
    explain,
    configuration,
    grants,
    doctor,
)


def make_app() -> typer.Typer:
    """The command with all its groups."""
    app = typer.Typer(
        name="anchorwatch",
        help="Watch PostgreSQL databases that Alembic migrates: see drift, say why, tell once.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # laying out help with rich takes longer than most commands
    )
    app.callback(invoke_without_command=True)(_welcome)
    for module in _MODULES:
        module.register(app)
    return app


def _welcome(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Watch PostgreSQL databases that Alembic migrates: see drift, say why, tell once."""
    from monitor.cli.output import print_text

    if version:
        from monitor import __version__

        print_text(f"anchorwatch {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print_text(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the command; whatever ends it becomes one sentence and an exit code."""
    raise SystemExit(run_command(make_app(), sys.argv[1:]))
