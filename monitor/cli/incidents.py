"""`anchorwatch incidents` and `anchorwatch ack`: what is open, and who is at it."""

from typing import Annotated

import typer

from monitor.cli.choices import Format
from monitor.cli.options import ConfigOption, FormatOption


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("incidents")(incidents)
    app.command("ack")(ack)


def incidents(
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATABASE|INCIDENT]",
            help="Only those of this database, or one incident with all that was told of it.",
        ),
    ] = None,
    include_resolved: Annotated[
        bool, typer.Option("--all", help="Also those that are over.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 100,
    form: FormatOption = Format.TEXT,
    config: ConfigOption = None,
) -> None:
    """List the incidents of the agent's ledger, the newest first."""
    from monitor.cli.incident_showing import show_incidents

    show_incidents(which, include_resolved=include_resolved, limit=limit, form=form, config=config)


def ack(
    incident: Annotated[str, typer.Argument(help="Its id, as messages and `incidents` show it.")],
    note: Annotated[str, typer.Option("--note", help="What you do about it.")] = "",
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Nobody is at it any more.")
    ] = False,
    form: FormatOption = Format.TEXT,
    config: ConfigOption = None,
) -> None:
    """Say that you are at an incident: nobody is reminded of it, until it becomes worse."""
    from monitor.cli.acknowledging import run_acknowledge

    run_acknowledge(incident, note=note, withdraw=withdraw, form=form, config=config)
