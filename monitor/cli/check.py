"""`anchorwatch check`: look at databases once, store nothing."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.choices import FailOn, Format
from monitor.cli.options import ConfigOption, FormatOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    databases: Annotated[
        list[str] | None,
        typer.Argument(help="postgresql:// URLs or configured names; none checks all configured."),
    ] = None,
    expected: Annotated[
        str | None,
        typer.Option(help="What they should be: a source as `anchorwatch diff` takes it."),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="The least severity that makes it exit with 1.")
    ] = FailOn.WARNING,
    form: FormatOption = Format.TEXT,
    config: ConfigOption = None,
    shadow: Annotated[
        str | None, typer.Option("--shadow", help="A server for scratch databases.")
    ] = None,
    python: Annotated[
        Path | None,
        typer.Option("--python", help="The interpreter that has the application's packages."),
    ] = None,
    url_env: Annotated[
        list[str] | None,
        typer.Option("--url-env", help="A further variable from which env.py reads its URL."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show what env.py and the models print.")
    ] = False,
) -> None:
    """Look at databases once: what is there, what is stamped, what is wrong.

    Reads the catalog and the version table, writes and stores nothing.
    """
    from monitor.cli.checking import check_databases, choose_exit
    from monitor.cli.looks import describe_look, write_looks
    from monitor.cli.output import print_json, print_text
    from monitor.cli.sources import make_choices

    choices = make_choices(shadow, python, url_env, verbose=verbose)
    checked = check_databases(databases or [], expected, choices, config)
    if form is Format.JSON:
        print_json({"databases": [describe_look(look) for look in checked.looks]})
    else:
        print_text(write_looks(checked.looks))
    if code := choose_exit(checked, fail_on):
        raise typer.Exit(code)
