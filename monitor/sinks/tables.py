"""The tables of the ledger: one schema for SQLite and PostgreSQL.

Every name begins with `anchorwatch_`, so that a ledger that shares a database
with somebody else's tables (and their `alembic_version`) is still told apart.
A table holds the columns that queries ask for, and the whole value as JSON.
"""

from datetime import UTC, datetime
from typing import Any, Final, final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

VERSION_TABLE: Final = "anchorwatch_version"
"""Where Alembic notes which of our migrations ran."""


@final
class Moment(TypeDecorator[datetime]):
    """A moment in UTC, which both servers put in the right order.

    PostgreSQL keeps a `timestamptz`; SQLite has no such type and keeps text of one
    width, which sorts as the moments do. A naive datetime is refused.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC, and without a zone for SQLite."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Always aware."""
        if value is None:
            return None
        moment: datetime = value
        is_naive = dialect.name == "sqlite"
        return moment.replace(tzinfo=UTC) if is_naive else moment.astimezone(UTC)


NUL: Final = "\0"
"""No text of PostgreSQL holds one, and it refuses to compare with it: nothing is called that."""

METADATA: Final = sa.MetaData()

SNAPSHOTS: Final = sa.Table(
    "anchorwatch_snapshot",
    METADATA,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""Compressed snapshots by digest; what no record refers to is pruned."""

RECORDS: Final = sa.Table(
    "anchorwatch_record",
    METADATA,
    sa.Column("environment", sa.Text, primary_key=True),
    sa.Column("database", sa.Text, primary_key=True),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("snapshot", sa.Text, sa.ForeignKey(SNAPSHOTS.c.digest)),
    sa.Column("body", sa.Text, nullable=False),
)
"""One database as the last look left it; `looks` is the fence."""

LOOKS: Final = sa.Table(
    "anchorwatch_look",
    METADATA,
    sa.Column("environment", sa.Text, primary_key=True),
    sa.Column("database", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("findings", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(
        ["environment", "database"],
        [RECORDS.c.environment, RECORDS.c.database],
        ondelete="CASCADE",
    ),
    sa.Index("anchorwatch_look_at", "environment", "database", "at"),
)
"""One line a look; the old ones go, however often a database is looked at."""

HOURS: Final = sa.Table(
    "anchorwatch_hour",
    METADATA,
    sa.Column("environment", sa.Text, primary_key=True),
    sa.Column("database", sa.Text, primary_key=True),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("longest", sa.Float, nullable=False),
    sa.Column("total", sa.Float, nullable=False),
    sa.Column("least", sa.Integer, nullable=False),
    sa.Column("most", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(
        ["environment", "database"],
        [RECORDS.c.environment, RECORDS.c.database],
        ondelete="CASCADE",
    ),
)
"""The looks of one hour that saw one state, summed up: a month of them stays.

`hour` counts from 1970, which both servers compare and divide alike; `least` and `most`
are findings.
"""

CHECKS: Final = sa.Table(
    "anchorwatch_check",
    METADATA,
    sa.Column("environment", sa.Text, primary_key=True),
    sa.Column("database", sa.Text, primary_key=True),
    sa.Column("check", sa.Text, primary_key=True),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""One check of a database that goes beyond its schema, as it was last; `looks` is the fence."""

DEPLOYMENTS: Final = sa.Table(
    "anchorwatch_deployment",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("concluded_at", Moment),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("anchorwatch_deployment_at", "at"),
)
"""Deployments that were reported; those that nobody has concluded wait for a verdict."""

INCIDENTS: Final = sa.Table(
    "anchorwatch_incident",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("environment", sa.Text, nullable=False),
    sa.Column("database", sa.Text, nullable=False),
    sa.Column("finding_class", sa.Text, nullable=False),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("anchorwatch_incident_first_seen", "environment", "database", "first_seen"),
    sa.Index("anchorwatch_incident_ended", "resolved_at"),
)
sa.Index(
    "anchorwatch_incident_unresolved",
    INCIDENTS.c.environment,
    INCIDENTS.c.database,
    INCIDENTS.c.finding_class,
    unique=True,
    postgresql_where=INCIDENTS.c.resolved_at.is_(None),
    sqlite_where=INCIDENTS.c.resolved_at.is_(None),
)
"""One database has at most one unresolved incident of a class, whoever writes it."""
sa.Index(
    "anchorwatch_incident_resolved",
    INCIDENTS.c.environment,
    INCIDENTS.c.database,
    INCIDENTS.c.resolved_at,
)

ACKNOWLEDGEMENTS: Final = sa.Table(
    "anchorwatch_acknowledgement",
    METADATA,
    sa.Column("incident", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)
"""Who is at an incident: beside it, as the agent writes the incident itself."""

SILENCES: Final = sa.Table(
    "anchorwatch_silence",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("until", Moment, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""What is kept quiet, whoever asked for it."""

ACCEPTANCES: Final = sa.Table(
    "anchorwatch_acceptance",
    METADATA,
    sa.Column("environment", sa.Text, primary_key=True),
    sa.Column("database", sa.Text, primary_key=True),
    sa.Column("finding", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)
"""What was accepted; of a database that is no longer watched too, for it may come back."""

LOCK_BODIES: Final = sa.Table(
    "anchorwatch_lock_body",
    METADATA,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""Compressed locks by digest; what no database refers to is dropped."""

LOCKS: Final = sa.Table(
    "anchorwatch_lock",
    METADATA,
    sa.Column("environment", sa.Text, primary_key=True),
    sa.Column("database", sa.Text, primary_key=True),
    sa.Column("commit", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, sa.ForeignKey(LOCK_BODIES.c.digest), primary_key=True),
    sa.Column("at", Moment, nullable=False),
)
"""The locks of one database, by the commit that each is of."""

EVENTS: Final = sa.Table(
    "anchorwatch_event",
    METADATA,
    sa.Column("incident", sa.Text, sa.ForeignKey(INCIDENTS.c.id), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
"""What was worth telling."""

OUTBOX: Final = sa.Table(
    "anchorwatch_outbox",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("environment", sa.Text, nullable=False, server_default=""),
    sa.Column("finding_class", sa.Text, nullable=False, server_default=""),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("due", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("holder", sa.Text),
    sa.Column("claimed_until", Moment),
    sa.Column("may_have_arrived", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("held", sa.Text),
    sa.Column("receipt", sa.Text),
    sa.Column("ended", Moment),
    sa.Column("revived_at", Moment),
    sa.ForeignKeyConstraint(["incident", "version"], [EVENTS.c.incident, EVENTS.c.version]),
    sa.UniqueConstraint("channel", "incident", "version", name="anchorwatch_outbox_once"),
    sa.Index("anchorwatch_outbox_receipt", "channel", "receipt"),
)
"""One row an event and channel: what waits, and what became of it."""


def _index_outbox(name: str, status: str, moment: sa.Column[datetime]) -> None:
    """Of years of deliveries, the few that are counted every few seconds."""
    these = sa.text(f"status = '{status}'")
    sa.Index(
        f"anchorwatch_outbox_{name}",
        OUTBOX.c.channel,
        moment,
        postgresql_where=these,
        sqlite_where=these,
    )


_index_outbox("waiting", "pending", OUTBOX.c.at)
_index_outbox("taken", "delivered", OUTBOX.c.ended)
_index_outbox("lost", "dead", OUTBOX.c.ended)
