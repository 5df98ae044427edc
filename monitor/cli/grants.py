"""`anchorwatch grants`: the SQL that gives a role just what looking needs."""

from collections.abc import Iterable
from typing import Annotated, Final

import typer

from monitor.cli.choices import Format
from monitor.cli.options import FormatOption
from monitor.core.errors import UsageError
from monitor.core.pasting import reveal
from monitor.core.printing import clean
from monitor.core.quoting import quote_ident, quote_literal

LONGEST_NAME: Final = 63
"""Bytes: https://www.postgresql.org/docs/current/limits.html"""
_NO_ROLES: Final = ("public", "none")
_OWN_ROLES: Final = "pg_"


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
    if railway:
        _refuse_lines(statements)
    if form is Format.JSON:
        print_json({"statements": statements})
    else:
        shown = [reveal(statement) or clean(statement) for statement in statements]
        print_text((" " if railway else "\n").join(shown))
    say("Run it as the owner of the tables, who may make roles; choose a password of your own.")


def list_grants(
    *, role: str, database: str, schema: str, version_table: str, level: int
) -> list[str]:
    """Statements in order; each level includes the ones below it.

    Raises:
        UsageError: a name is none, or no role can have it.
    """
    for name in (role, database, schema, version_table):
        _check_name(name)
    _check_role(role)
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


def _check_role(role: str) -> None:
    """In quotes too, `public` is everybody: no role would be made, and all would be granted.

    https://www.postgresql.org/docs/current/sql-createrole.html
    """
    if role in _NO_ROLES or role.startswith(_OWN_ROLES):
        raise UsageError(
            f"The name {role!r} is PostgreSQL's own, and no role can be made with it.",
            next_step="Choose another one with --role.",
        )


def _refuse_lines(statements: Iterable[str]) -> None:
    """A name may hold the end of a line, and what is pasted into one line may not."""
    if any(len(statement.splitlines()) > 1 for statement in statements):
        raise UsageError(
            "A name with the end of a line in it cannot stand in one line.",
            next_step="Leave out --railway, and run the statements with psql.",
        )


def _check_name(name: str) -> None:
    """PostgreSQL takes no empty name, and silently cuts a long one."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"The name {name!r} is no UTF-8.", next_step="Run it in a terminal with UTF-8."
        ) from None
    if not 0 < len(name.encode()) <= LONGEST_NAME:
        raise UsageError(
            f"The name {name[:LONGEST_NAME]!r} is empty or too long.",
            next_step=f"Names in PostgreSQL have 1 to {LONGEST_NAME} bytes.",
        )
