"""`anchorwatch silence`: what nobody is told of for a while."""

from typing import Annotated

import typer

from monitor.cli.choices import Format
from monitor.cli.options import ConfigOption, FormatOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("silence")(silence)


def silence(  # the options of a command
    database: Annotated[
        str | None, typer.Argument(help="A database, or a pattern like 'app_*'.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why it is quiet.")] = None,
    duration: Annotated[
        str | None, typer.Option("--for", help="How long: 30m, 2h, 7d; a month at most.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="Until when instead: 2027-01-31T06:00Z, or a day."),
    ] = None,
    finding_class: Annotated[
        str | None,
        typer.Option("--class", help="Only drift, history, orphans, smoke, unreachable..."),
    ] = None,
    object: Annotated[  # noqa: A002  # the name of the option
        str, typer.Option("--object", help="Only what is about these: 'table:public.audit_*'.")
    ] = "*",
    environment: Annotated[
        str, typer.Option("--environment", help="Only there: a name or a pattern.")
    ] = "*",
    show: Annotated[bool, typer.Option("--list", help="List what is silenced.")] = False,
    end: Annotated[
        str | None, typer.Option("--end", help="End the silence with this id now.")
    ] = None,
    form: FormatOption = Format.TEXT,
    config: ConfigOption = None,
) -> None:
    """Send nothing of what matches, until it ends: then what is still so is told.

    It is looked at, decided and shown all the same.
    """
    from monitor.cli.silencing import Wish, run_silence

    wish = Wish(
        database=database,
        reason=reason,
        duration=duration,
        until=until,
        finding_class=finding_class,
        object=object,
        environment=environment,
        show=show,
        end=end,
    )
    run_silence(wish, form=form, config=config)
