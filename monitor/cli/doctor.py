"""`anchorwatch doctor`: whether everything that anchorwatch needs is at hand."""

from typing import Annotated

import typer

from monitor.cli.choices import Format
from monitor.cli.options import ConfigOption, FormatOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    install_postgres: Annotated[
        int | None,
        typer.Option(
            "--install-postgres", help="Install the programs of a PostgreSQL major for shadows."
        ),
    ] = None,
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test", help="Plant a drift of every kind in a shadow, and see it told."
        ),
    ] = False,
    shadow: Annotated[
        str | None, typer.Option("--shadow", help="A server for the self-test: its URL.")
    ] = None,
    config: ConfigOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Examine the installation, the configuration, the ledger and the databases."""
    from monitor.cli.examination import describe_examined, examine, write_examined
    from monitor.cli.output import print_json, print_text, say

    if install_postgres is not None:
        from monitor.sources.engine import install_binaries

        say(f"installing PostgreSQL {install_postgres}")
        say(f"installed in {install_binaries(install_postgres).root}")
    examined = list(examine(config))
    if self_test:
        from monitor.cli.examination import examine_sight

        examined += examine_sight(shadow)
    code = max(one.exit_code for one in examined)
    if form is Format.JSON:
        print_json({"ok": not code, "steps": [describe_examined(one) for one in examined]})
    else:
        print_text("\n".join(write_examined(one) for one in examined))
    if code:
        raise typer.Exit(code)
