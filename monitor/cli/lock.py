"""`anchorwatch lock`: build, show and verify what every revision of a history changes."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.choices import Format
from monitor.cli.options import (
    FormatOption,
    PythonOption,
    ShadowOption,
    UrlEnvOption,
    VerboseOption,
)

HistoryArgument = Annotated[
    str | None,
    typer.Argument(
        help="alembic:PATH/alembic.ini; without it the file that ALEMBIC_CONFIG names, or "
        "alembic.ini here."
    ),
]
LockArgument = Annotated[Path, typer.Argument(help="What `anchorwatch lock build` wrote.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Lock what every revision of an Alembic history changes.")
    group.command("build")(build)
    group.command("show")(show)
    group.command("verify")(verify)
    app.add_typer(group, name="lock")


def build(
    source: HistoryArgument = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")] = Path(
        "schema.lock.json"
    ),
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline", help="sql:FILE or models:MODULE:ATTR: what the first revision needs."
        ),
    ] = None,
    baseline_at: Annotated[
        str | None,
        typer.Option(
            "--baseline-at",
            help="The revision that the baseline is of, `heads` for all: the lock begins there.",
        ),
    ] = None,
    downgrade: Annotated[
        bool,
        typer.Option(
            "--downgrade",
            help="The baseline is of the heads: take it back to what the first revision needs.",
        ),
    ] = False,
    models: Annotated[
        str | None,
        typer.Option("--models", help="models:MODULE:ATTR to compare with what is built."),
    ] = None,
    shadow: ShadowOption = None,
    python: PythonOption = None,
    url_env: UrlEnvOption = None,
    postgres: Annotated[
        str | None,
        typer.Option(
            "--postgres",
            help="The major version of the shadow, and others whose spellings are learnt: 15,16.",
        ),
    ] = None,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Run a history in a shadow, and write down what each revision changes.

    Exits with 1 where a revision does not run: what came before it is written all the same.
    """
    from monitor.cli import locks
    from monitor.cli.comparing import refuse_directory, write_file
    from monitor.cli.output import print_json, print_text
    from monitor.cli.sources import make_choices
    from monitor.core.lock_file import dump_lock

    majors = locks.read_majors(postgres, shadow)
    choices = make_choices(shadow, python, url_env, *majors[:1], verbose=verbose)
    refuse_directory(output)
    built = locks.build_one(
        source,
        choices,
        baseline=locks.BaselineChoice(baseline, baseline_at, is_of_heads=downgrade),
        models=models,
        output=output,
        others=majors[1:],
    )
    write_file(output, dump_lock(built.lock))
    if form is Format.JSON:
        print_json(locks.describe_built(built, output))
    else:
        print_text(locks.write_built(built, output))
    if built.lock.stopped_at is not None:
        raise typer.Exit(1)


def show(
    file: LockArgument,
    revision: Annotated[
        str | None, typer.Option("--revision", help="Only this revision, with its statements.")
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Show the graph of a lock, its heads, and what each revision changes."""
    from monitor.cli import lock_showing, locks
    from monitor.cli.output import print_json, print_text

    lock = locks.read_lock(file)
    if form is Format.JSON:
        print_json(lock_showing.describe_lock(lock, revision))
    else:
        print_text(lock_showing.write_lock(lock, revision))


def verify(
    file: LockArgument,
    source: HistoryArgument = None,
    python: PythonOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Compare a lock with the history it was built from, for a pipeline.

    Exits with 1 when anything is wrong: a file edited since, an id twice, several heads, a
    version column too narrow, a revision inserted below a released one.
    """
    from monitor.cli import locks
    from monitor.cli.output import print_json, print_text

    problems = locks.verify_one(file, source, python)
    if form is Format.JSON:
        print_json(locks.describe_problems(problems))
    else:
        print_text(locks.write_problems(problems, file))
    if problems:
        raise typer.Exit(1)
