"""`anchorwatch orphans`: count the rows that have lost their parents, and repair them."""

from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from monitor.cli.choices import FailOn, Format, RepairStrategy
from monitor.cli.options import (
    ConfigOption,
    FormatOption,
    PythonOption,
    ShadowOption,
    UrlEnvOption,
    VerboseOption,
)

_COUNT: Final = "count"
_REPAIR: Final = "repair"


class _Orphans(TyperGroup):
    """A group that is its first command, unless another one is named.

    The first word is a database: `anchorwatch orphans shop` counts, with a help of its own.
    """

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        if args[:1] == [_REPAIR]:
            return super().make_context(info_name, args, parent, **extra)
        return self.commands[_COUNT].make_context(info_name, args, parent, **extra)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        cls=_Orphans, help="Count the rows that have lost their parents, or `repair` them."
    )
    group.command(_COUNT, hidden=True)(orphans)
    group.command(_REPAIR)(repair)
    app.add_typer(group, name="orphans")


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
    form: FormatOption = Format.TEXT,
    config: ConfigOption = None,
    shadow: ShadowOption = None,
    python: PythonOption = None,
    url_env: UrlEnvOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Count the rows that have lost their parents, in one database.

    Of every foreign key, there or only expected, and of the relations that are configured.
    Reads rows, in transactions that only read; writes and stores nothing. To repair what it
    finds: `anchorwatch orphans repair --help`.
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


def repair(  # one parameter an option
    database: Annotated[
        str, typer.Argument(help="A configured database, or a postgresql:// URL.")
    ],
    relation: Annotated[
        str | None,
        typer.Option(
            "--relation",
            help="Whose rows: a constraint's name as `anchorwatch orphans` prints it, or "
            "`orders.user_id -> users.id`.",
        ),
    ] = None,
    strategy: Annotated[
        RepairStrategy | None,
        typer.Option("--strategy", help="What is done about rows without a parent."),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it. Without it nothing is written.")
    ] = False,
    max_rows: Annotated[
        int,
        typer.Option(
            "--max-rows", min=1, max=2**31 - 1, help="The most rows it may change, of all tables."
        ),
    ] = 1000,
    with_dependents: Annotated[
        bool,
        typer.Option("--with-dependents", help="Rows that reference them may be changed too."),
    ] = False,
    fire_triggers: Annotated[
        bool, typer.Option("--fire-triggers", help="Triggers of your own may fire.")
    ] = False,
    values: Annotated[
        list[str] | None,
        typer.Option("--value", help="COLUMN=TEXT of parents that are adopted."),
    ] = None,
    expected: Annotated[
        str | None,
        typer.Option(help="What the schema should be: its foreign keys can be named as well."),
    ] = None,
    where: Annotated[
        str, typer.Option("--where", help="Which rows of the relation, in SQL.")
    ] = "",
    repair_url: Annotated[
        str | None,
        typer.Option(
            "--repair-url",
            help="The same database as a role that may write, in place of `repair_url`.",
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for the record of a quarantine.")
    ] = "",
    undo: Annotated[
        int | None,
        typer.Option("--undo", min=1, help="Bring back what a quarantine kept: its batch."),
    ] = None,
    form: FormatOption = Format.TEXT,
    config: ConfigOption = None,
    shadow: ShadowOption = None,
    python: PythonOption = None,
    url_env: UrlEnvOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Repair rows that have lost their parents, of one relation in one database.

    Says what it would do; with --apply it does so, in one transaction, or not at all. Exits
    with 1 when it is refused, 3 when it could not be done.
    """
    from monitor.cli.orphan_outcome import describe_outcome, write_outcome
    from monitor.cli.orphan_repair import (
        Asked,
        Place,
        refuse_beside_undo,
        repair_rows,
        require_choice,
        undo_batch,
    )
    from monitor.cli.output import print_json, print_text
    from monitor.cli.sources import make_choices
    from monitor.remedy.repair.undoing import Undoing

    choices = make_choices(shadow, python, url_env, verbose=verbose)
    place = Place(database, repair_url, config, expected, choices)
    if undo is not None:
        refuse_beside_undo(relation, strategy, where, values, reason, with_dependents)
        wish = Undoing(batch=undo, fire_triggers=fire_triggers, max_rows=max_rows)
        outcome = undo_batch(place, wish, is_applied=apply)
    else:
        asked = Asked(
            *require_choice(relation, strategy),
            where=where,
            values=values or (),
            max_rows=max_rows,
            with_dependents=with_dependents,
            fire_triggers=fire_triggers,
            reason=reason,
        )
        outcome = repair_rows(place, asked, is_applied=apply)
    if form is Format.JSON:
        print_json(describe_outcome(outcome))
    else:
        print_text(write_outcome(outcome))
    if outcome.refused:
        raise typer.Exit(1)
