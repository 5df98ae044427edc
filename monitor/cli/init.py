"""`anchorwatch init`: a first configuration, or the agent described to Railway."""

from typing import Annotated, Final

import typer

from monitor.cli.choices import Format
from monitor.cli.options import FormatOption

_DEFAULTS: Final = ("service", "anchorwatch", "anchorwatch/anchorwatch", "main")
"""The store, the agent's service, its repository and branch, when nothing is said."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(
    railway: Annotated[
        bool, typer.Option("--railway", help="Write .railway/railway.ts, the agent's service.")
    ] = False,
    show: Annotated[bool, typer.Option("--print", help="Print it, and write nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    database: Annotated[
        list[str] | None,
        typer.Option(
            "--database",
            metavar="NAME=SERVICE",
            help="With --railway: a database and its PostgreSQL service; as often as needed.",
        ),
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            "--store",
            metavar="service|server|volume",
            help="With --railway: the ledger in a PostgreSQL service of its own, in a database on "
            "a server that is there, or on a volume.",
        ),
    ] = _DEFAULTS[0],
    service: Annotated[
        str, typer.Option("--service", help="With --railway: the name of the agent's service.")
    ] = _DEFAULTS[1],
    source: Annotated[
        str, typer.Option("--source", help="With --railway: the repository on GitHub.")
    ] = _DEFAULTS[2],
    branch: Annotated[
        str, typer.Option("--branch", help="With --railway: what of it is deployed.")
    ] = _DEFAULTS[3],
    unpooled: Annotated[
        bool,
        typer.Option(
            "--unpooled", help="With --railway: pass by the pooler that Railway put in between."
        ),
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Write a first anchorwatch.yaml for the databases that the environment names.

    Secrets are never written: the file names the variables that hold them.
    """
    from monitor.cli import starting

    if railway:
        plan = starting.make_plan(
            database,
            store=store,
            service=service,
            repository=source,
            branch=branch,
            is_unpooled=unpooled,
        )
        made = starting.make_railway(plan, is_block=show and starting.has_railway())
    else:
        if database or unpooled or (store, service, source, branch) != _DEFAULTS:
            starting.refuse_railway_options()
        made = starting.make_document()
    starting.deliver(made, show=show, force=force, as_json=form is Format.JSON)
