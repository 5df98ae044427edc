"""The ledger and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create every table."""
    _create_records()
    _create_incidents()
    _create_outbox()


def _create_records() -> None:
    op.create_table(
        "anchorwatch_snapshot",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "anchorwatch_record",
        sa.Column("environment", sa.Text, primary_key=True),
        sa.Column("database", sa.Text, primary_key=True),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("snapshot", sa.Text, sa.ForeignKey("anchorwatch_snapshot.digest")),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "anchorwatch_look",
        sa.Column("environment", sa.Text, primary_key=True),
        sa.Column("database", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("findings", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment", "database"],
            ["anchorwatch_record.environment", "anchorwatch_record.database"],
            ondelete="CASCADE",
        ),
    )
    op.create_index("anchorwatch_look_at", "anchorwatch_look", ["environment", "database", "at"])


def _create_incidents() -> None:
    op.create_table(
        "anchorwatch_incident",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("database", sa.Text, nullable=False),
        sa.Column("finding_class", sa.Text, nullable=False),
        sa.Column("first_seen", _MOMENT, nullable=False),
        sa.Column("resolved_at", _MOMENT),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index(
        "anchorwatch_incident_first_seen",
        "anchorwatch_incident",
        ["environment", "database", "first_seen"],
    )
    op.create_index(
        "anchorwatch_incident_unresolved",
        "anchorwatch_incident",
        ["environment", "database", "finding_class"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
        sqlite_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "anchorwatch_event",
        sa.Column("incident", sa.Text, sa.ForeignKey("anchorwatch_incident.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )


def _create_outbox() -> None:
    op.create_table(
        "anchorwatch_outbox",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("due", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("claimed_until", _MOMENT),
        sa.Column("may_have_arrived", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("receipt", sa.Text),
        sa.Column("ended", _MOMENT),
        sa.ForeignKeyConstraint(
            ["incident", "version"], ["anchorwatch_event.incident", "anchorwatch_event.version"]
        ),
        sa.UniqueConstraint("channel", "incident", "version", name="anchorwatch_outbox_once"),
    )
    op.create_index("anchorwatch_outbox_due", "anchorwatch_outbox", ["channel", "status", "due"])
