"""anchorwatch: watches PostgreSQL databases that Alembic migrates.

core       values and reasoning; no I/O, no clock
sources    reading the world: PostgreSQL, HTTP, migrations, models
checks     judging what was read
sinks      telling: the ledger, the outbox, channels, metrics
remedy     ways back (later releases)
watch      one look at one database, and when to look
web        pages, JSON API, health, metrics
agent      builds the objects, starts them, stops them
cli        one module a command group
"""


def __getattr__(name: str) -> str:
    """The version, looked up when it is asked for: reading metadata delays `--help`."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # see above

        return version("anchorwatch")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
