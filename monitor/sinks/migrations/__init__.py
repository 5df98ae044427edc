"""The Alembic environment of the ledger, run by `monitor.sinks.upgrade`."""
