"""`anchorwatch accept`: what is wrong at a database, and right as it is."""

from typing import Annotated

import typer

from monitor.cli.choices import Format
from monitor.cli.options import ConfigOption, FormatOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("accept")(accept)


def accept(
    database: Annotated[str, typer.Argument(help="A configured database.")],
    findings: Annotated[
        list[str] | None,
        typer.Argument(
            help="Ids, codes, or objects as they are printed; none means all that is wrong."
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why it is right as it is.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="The last day of it, as in 2027-01-31.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List what is accepted.")] = False,
    export: Annotated[
        bool, typer.Option("--export", help="Print what is accepted as rules in YAML.")
    ] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back what is named: it is told again.")
    ] = False,
    form: FormatOption = Format.TEXT,
    config: ConfigOption = None,
) -> None:
    """Accept what the last look found, as it is: it is not told, until it changes further.

    It is written into the agent's ledger, and holds from its next look on.
    """
    from monitor.cli.accepting import Wish, choose_act, run_act

    wish = Wish(
        database=database,
        findings=tuple(findings or ()),
        reason=reason,
        until=until,
        config=config,
    )
    run_act(choose_act(show=show, export=export, withdraw=withdraw), wish, form)
