"""`anchorwatch explain`: what a rule means, why it matters, how it is put right."""

from typing import Annotated

import typer

from monitor.cli.choices import Format
from monitor.cli.options import FormatOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    code: Annotated[
        str | None, typer.Argument(help="A code such as AW207; none lists all.")
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Explain a rule code: what it means, why it matters, how to fix it."""
    from monitor.cli.explanation import describe_rule, find_rules, write_rule
    from monitor.cli.output import print_json, print_text

    rules = find_rules(code)
    if form is Format.JSON:
        print_json({"rules": [describe_rule(rule) for rule in rules]})
    elif code is not None:
        print_text(write_rule(rules[0]))
    else:
        print_text("\n".join(f"{r.code}  {r.severity.value:8}  {r.title}" for r in rules))
