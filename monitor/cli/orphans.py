"""`anchorwatch orphans`: count the rows that have lost their parents."""

from typing import Annotated

import typer

from monitor.cli.choices import FailOn, Format
from monitor.cli.compare import PythonOption, ShadowOption, UrlEnvOption, VerboseOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("orphans")(orphans)


def orphans(  # one parameter an option
    database: Annotated[
        str, typer.Argument(help="A configured database, or a postgresql:// URL.")
    ],
    relations: Annotated[
        list[str] | None,
        typer.Option(
            "--relation",
            help="A relation that no foreign key says: `orders.user_id -> users.id`. Only these "
            "are counted then.",
        ),
    ] = None,
    where: Annotated[
        str, typer.Option("--where", help="Which rows of `--relation` are counted, in SQL.")
    ] = "",
    reverse: Annotated[
        bool, typer.Option("--reverse", help="Of `--relation`: each parent has to have a child.")
    ] = False,
    expected: Annotated[
        str | None,
        typer.Option(help="What the schema should be: its foreign keys are counted as well."),
    ] = None,
    row_keys: Annotated[
        bool, typer.Option("--row-keys", help="Print up to ten keys of such rows.")
    ] = False,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="The least severity that makes it exit with 1.")
    ] = FailOn.WARNING,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TEXT,
    config: Annotated[
        str | None, typer.Option("--config", help="The configuration: a path or https:// URL.")
    ] = None,
    shadow: ShadowOption = None,
    python: PythonOption = None,
    url_env: UrlEnvOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Count the rows that have lost their parents, in one database.

    Of every foreign key, there or only expected, and of the relations that are configured.
    Reads rows, in transactions that only read; writes and stores nothing.
    """
    from monitor.cli.orphan_counts import choose_exit, count, describe_counts, write_counts
    from monitor.cli.output import print_json, print_text
    from monitor.cli.sources import make_choices

    choices = make_choices(shadow, python, url_env, verbose=verbose)
    asked = [(text, where, reverse) for text in relations or ()]
    report = count(database, expected, choices, config, asked=asked, row_keys=row_keys)
    if form is Format.JSON:
        print_json(describe_counts(report))
    else:
        print_text(write_counts(report))
    if code := choose_exit(report, fail_on):
        raise typer.Exit(code)
