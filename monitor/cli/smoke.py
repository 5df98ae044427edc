"""`anchorwatch smoke`: whether the application does what it is there for."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.choices import Format
from monitor.cli.options import ConfigOption, FormatOption


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Run smoke tests: requests to the application, and queries.")
    group.callback()(_hold)
    group.command("run")(run)
    app.add_typer(group, name="smoke")


def _hold() -> None:
    """Run smoke tests: requests to the application, and queries."""


def run(
    suite: Annotated[
        str | None, typer.Argument(help="The suite to run; none runs all that are configured.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the outcome as JUnit XML to this file.")
    ] = None,
    curl: Annotated[
        bool, typer.Option("--curl", help="Show the curl command of each request.")
    ] = False,
    form: FormatOption = Format.TEXT,
    config: ConfigOption = None,
) -> None:
    """Run the smoke suites of the configuration once: really, against what they name.

    Exits with 1 when a suite fails, 3 when one could not be run; warnings pass.
    """
    from monitor.cli.output import print_json, print_text
    from monitor.cli.smoke_running import choose_exit, run_suites, write_file
    from monitor.cli.smoke_showing import describe_suite, write_junit, write_suites

    outcomes = run_suites(suite, config)
    if junit is not None:
        write_file(junit, write_junit(outcomes))
    if form is Format.JSON:
        print_json({"suites": [describe_suite(one, with_curl=curl) for one in outcomes]})
    else:
        print_text(write_suites(outcomes, with_curl=curl))
    if code := choose_exit(outcomes):
        raise typer.Exit(code)
