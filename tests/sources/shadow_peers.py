"""What tests of builds share: a look for leftovers, and applications written to a folder."""

from pathlib import Path
from textwrap import dedent

from monitor.sources.dsn import parse_dsn
from monitor.sources.postgres import connect

HISTORIES = Path(__file__).parent / "histories"

ENV = """
    import os
    from alembic import context
    from sqlalchemy import create_engine, pool

    {before}
    engine = create_engine({url}, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""


async def find_leftovers(url: str) -> list[str]:
    """The scratch databases and every role but the first one on a server."""
    dsn, _ = parse_dsn(url)
    async with connect(dsn) as session:
        rows = await session.fetch_values(
            "select datname::text from pg_database where datname like 'anchorwatch%' "
            "union all select rolname::text from pg_roles where rolname !~ '^pg_' and oid <> 10"
        )
    return sorted(row[0] for row in rows)


async def list_tables(url: str) -> list[str]:
    """The tables in a database."""
    dsn, _ = parse_dsn(url)
    async with connect(dsn) as session:
        rows = await session.fetch_values(
            "select relname::text from pg_class where relkind = 'r' and oid >= 16384"
        )
    return sorted(row[0] for row in rows)


def write_files(root: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))


def write_history(
    root: Path,
    *upgrades: str,
    url: str = "os.environ['DATABASE_URL']",
    before: str = "",
    options: str = "",
) -> Path:
    """Write a linear history r1, r2... of one-line upgrades; return its alembic.ini."""
    ini = f"[alembic]\nscript_location = %(here)s/m\npath_separator = os\n{options}\n"
    write_files(root, {"alembic.ini": ini, "m/env.py": ENV.format(url=url, before=before)})
    for number, body in enumerate(upgrades, start=1):
        down = repr(f"r{number - 1}") if number > 1 else None
        write_files(
            root,
            {
                f"m/versions/r{number}.py": f"""
                from alembic import op

                revision = "r{number}"
                down_revision = {down}


                def upgrade():
                    {body}
                """
            },
        )
    return root / "alembic.ini"
