"""`anchorwatch grants`: the SQL that gives a role just what looking needs."""

from typing import Annotated, Final

import typer

from monitor.cli.choices import Format
from monitor.cli.options import FormatOption
from monitor.core.errors import UsageError
from monitor.core.quoting import quote_ident, quote_literal

LONGEST_NAME: Final = 63
"""Bytes: https://www.postgresql.org/docs/current/limits.html"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("grants")(grants)


def grants(
    role: Annotated[str, typer.Option(help="The role that looks.")] = "anchorwatch",
    database: Annotated[str, typer.Option(help="The database to look at.")] = "railway",
    schema: Annotated[str, typer.Option(help="The schema of the version table.")] = "public",
    version_table: Annotated[
        str, typer.Option(help="Alembic's version table.")
    ] = "alembic_version",
    level: Annotated[
        int,
        typer.Option(
            min=1, max=3, help="1 schema and history, 2 who is in the way, 3 orphan rows too."
        ),
    ] = 1,
    railway: Annotated[
        bool, typer.Option("--railway", help="As one block to paste into Railway's data tab.")
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Print the SQL for a role that may look and nothing else."""
    from monitor.cli.output import print_json, print_text, say

    statements = list_grants(
        role=role, database=database, schema=schema, version_table=version_table, level=level
    )
    if form is Format.JSON:
        print_json({"statements": statements})
    else:
        print_text((" " if railway else "\n").join(statements))
    say("Run it as the owner of the database; choose a password of your own.")


def list_grants(
    *, role: str, database: str, schema: str, version_table: str, level: int
) -> list[str]:
    """Statements in order; each level includes the ones below it.

    Raises:
        UsageError: a name is none.
    """
    for name in (role, database, schema, version_table):
        _check_name(name)
    who, where = quote_ident(role), quote_ident(schema)
    statements = [
        f"CREATE ROLE {who} LOGIN PASSWORD {quote_literal('CHANGE-ME')};",
        f"ALTER ROLE {who} SET default_transaction_read_only = on;",
        f"GRANT CONNECT ON DATABASE {quote_ident(database)} TO {who};",
        f"GRANT USAGE ON SCHEMA {where} TO {who};",
        f"GRANT SELECT ON {where}.{quote_ident(version_table)} TO {who};",
    ]
    if level > 1:
        statements.append(f"GRANT pg_read_all_stats TO {who};")
    if level > 2:  # noqa: PLR2004  # the levels are the vocabulary of this page
        statements += [
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {where} TO {who};",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {where} GRANT SELECT ON TABLES TO {who};",
        ]
    return statements


def _check_name(name: str) -> None:
    """PostgreSQL takes no empty name, and silently cuts a long one."""
    if not 0 < len(name.encode(errors="surrogateescape")) <= LONGEST_NAME:
        raise UsageError(
            f"The name {name[:LONGEST_NAME]!r} is empty or too long.",
            next_step=f"Names in PostgreSQL have 1 to {LONGEST_NAME} bytes.",
        )
