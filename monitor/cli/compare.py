"""`anchorwatch snapshot` and `anchorwatch diff`: read sources, write them down, compare them."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.choices import DiffFormat, SnapshotFormat
from monitor.cli.options import (
    PostgresOption,
    PythonOption,
    ShadowOption,
    UrlEnvOption,
    VerboseOption,
)
from monitor.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("snapshot")(snapshot)
    app.command("diff")(diff)


SourceArgument = Annotated[
    str,
    typer.Argument(
        help="postgresql://..., alembic:INI[@REV], models:MODULE:ATTR, sql:FILE, snapshot:FILE, "
        "or the name of a configured database."
    ),
]


def snapshot(
    source: SourceArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A file instead of standard output.")
    ] = None,
    shadow: ShadowOption = None,
    python: PythonOption = None,
    url_env: UrlEnvOption = None,
    postgres: PostgresOption = None,
    verbose: VerboseOption = False,
    form: Annotated[
        SnapshotFormat, typer.Option("--format", help="Its only form; errors take it as well.")
    ] = SnapshotFormat.JSON,
) -> None:
    """Write down the schema of a source as JSON."""
    del form  # there is one; the rim looks for it when something fails
    from monitor.cli.comparing import read_one, refuse_directory, write_file
    from monitor.cli.output import print_text, say
    from monitor.cli.sources import make_choices
    from monitor.core.snapshot import dump_snapshot

    choices = make_choices(shadow, python, url_env, postgres, verbose=verbose)
    if output is not None:
        refuse_directory(output)
    data = dump_snapshot(read_one(source, choices))
    if output is None:
        print_text(data.decode())
        return
    write_file(output, data)
    say(f"wrote {output}")


def diff(
    expected: SourceArgument,
    actual: SourceArgument,
    form: Annotated[
        DiffFormat, typer.Option("--format", help="How to print it.")
    ] = DiffFormat.TEXT,
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="With --format sql: let the plan drop data.")
    ] = False,
    shadow: ShadowOption = None,
    python: PythonOption = None,
    url_env: UrlEnvOption = None,
    postgres: PostgresOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Compare two sources: what is missing, unexpected or altered in ACTUAL.

    Exits with 1 when there is any change.
    """
    del allow_drop  # comes to mean something with --format sql
    if form is DiffFormat.SQL:
        raise UsageError(
            "Plans as SQL come with a later release.",
            next_step="Use --format text, json or markdown.",
        )
    from monitor.cli import layout, output
    from monitor.cli.comparing import compare_both
    from monitor.cli.sources import make_choices

    choices = make_choices(shadow, python, url_env, postgres, verbose=verbose)
    difference, note = compare_both(expected, actual, choices)
    if note is not None:
        output.say(note.message)
    match form:
        case DiffFormat.JSON:
            output.print_json(output.describe_difference(difference, note))
        case DiffFormat.MARKDOWN:
            output.print_text(layout.write_markdown(difference))
        case _:
            output.print_text(layout.write_difference(difference))
    if difference:
        raise typer.Exit(1)
