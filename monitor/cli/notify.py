"""`anchorwatch notify`: whether messages arrive."""

from typing import Annotated

import typer

from monitor.cli.choices import Format
from monitor.cli.options import ConfigOption, FormatOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("notify")(notify)


def notify(
    channel: Annotated[
        str | None, typer.Argument(help="The channel, as `slack` or `webhook:NAME`; none for all.")
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Send a test message, which says that it is one.")
    ] = False,
    form: FormatOption = Format.TEXT,
    config: ConfigOption = None,
) -> None:
    """Send a test message to the configured channels, right away and once.

    Exits with 3 when a channel did not take it, 2 when there is none of that name.
    """
    from monitor.cli.notifying import describe_tried, send_tests, write_tried
    from monitor.cli.output import print_json, print_text
    from monitor.core.errors import UsageError

    if not test:
        raise UsageError("Nothing is to be sent.", next_step="Say --test for a test message.")
    tried = send_tests(channel, config)
    if form is Format.JSON:
        print_json({"channels": [describe_tried(one) for one in tried]})
    else:
        print_text("\n".join(write_tried(one) for one in tried))
    if any(one.failure is not None for one in tried):
        raise typer.Exit(3)
