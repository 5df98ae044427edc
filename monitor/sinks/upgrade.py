"""Brings the tables of a ledger to this version, inside one transaction."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from monitor.core.errors import StoreError
from monitor.sinks.tables import VERSION_TABLE

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x616E63686F72
"""The key of the PostgreSQL advisory lock that lets one agent migrate at a time."""


def upgrade_ledger(connection: Connection) -> None:
    """Run what is missing; nothing, when nothing is.

    Holds: afterwards the tables are those of `monitor.sinks.tables`. The connection is
    in a transaction that keeps other writers out (SQLite's own write lock, or the
    advisory lock taken here), so that two agents may open one ledger at once.

    Raises:
        StoreError: a newer anchorwatch has migrated this ledger further.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = _configure(connection)
    if not _is_current(connection, config):
        command.upgrade(config, "head")


def require_current(connection: Connection) -> None:
    """Nothing, when the tables are those of this version.

    Raises:
        StoreError: an older or newer anchorwatch made them, or nobody did.
    """
    if not _is_current(connection, _configure(connection)):
        raise StoreError(
            "The ledger is not one of this version of anchorwatch yet.",
            next_step="Start `anchorwatch run` of this version on it.",
        )


def _is_current(connection: Connection, config: Config) -> bool:
    scripts = ScriptDirectory.from_config(config)
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    current = context.get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            "The ledger was written by a newer anchorwatch.",
            next_step="Run the newer version again, or give this one a ledger of its own.",
        )
    return current == scripts.get_current_head()


def _configure(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    # A percent sign in the path would be an interpolation to configparser.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
