"""Runs the ledger's migrations over the connection that the store hands over."""

from alembic import context

from monitor.sinks.tables import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
