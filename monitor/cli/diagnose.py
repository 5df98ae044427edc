"""`anchorwatch diagnose`: which revisions a database has, whatever it is stamped with."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.choices import FailOn, Format
from monitor.cli.options import ConfigOption, FormatOption, ShadowOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("diagnose")(diagnose)


def diagnose(
    database: Annotated[
        str, typer.Argument(help="A postgresql:// URL, or the name of a configured database.")
    ],
    lock: Annotated[
        list[Path] | None,
        typer.Option(
            "--lock",
            help="What `anchorwatch lock build` wrote; otherwise the configured one, or "
            "schema.lock.json. Further ones are of other releases than the deployed one.",
        ),
    ] = None,
    schema: Annotated[
        str | None,
        typer.Option("--schema", help="Where the objects of the lock are: that of a tenant, say."),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option("--beside", help="The lock of another history in the same database."),
    ] = None,
    shadow: ShadowOption = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="The severity from which it exits with 1.")
    ] = FailOn.WARNING,
    config: ConfigOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say which revisions a database has, whatever it is stamped with, and what leads out.

    Exits with 1 from --fail-on up, and with 3 when it could not look.
    """
    from monitor.cli import diagnosing
    from monitor.cli.output import print_json, print_text

    asked = diagnosing.Asked(
        database=database,
        locks=lock or [],
        schema=schema,
        beside=beside or [],
    )
    found = diagnosing.diagnose_one(asked, shadow, config)
    if form is Format.JSON:
        print_json(diagnosing.describe_diagnosis(found))
    else:
        print_text(diagnosing.write_diagnosis(found))
    if code := diagnosing.choose_exit(found, fail_on):
        raise typer.Exit(code)
