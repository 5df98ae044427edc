"""Who is at an incident, what is kept quiet, and what is told together."""

import sqlalchemy as sa
from alembic import op

from monitor.sinks.tables import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and say of each row of the outbox what it is told together with."""
    op.create_table(
        "anchorwatch_acknowledgement",
        sa.Column("incident", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "anchorwatch_silence",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("until", Moment, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index(
        "anchorwatch_incident_resolved",
        "anchorwatch_incident",
        ["environment", "database", "resolved_at"],
    )
    for name in ("environment", "finding_class"):
        op.add_column(
            "anchorwatch_outbox", sa.Column(name, sa.Text, nullable=False, server_default="")
        )
    op.add_column("anchorwatch_outbox", sa.Column("held", sa.Text))
    op.create_index("anchorwatch_outbox_ended", "anchorwatch_outbox", ["channel", "ended"])
    op.execute(
        "UPDATE anchorwatch_outbox SET"
        " environment = (SELECT i.environment FROM anchorwatch_incident i"
        " WHERE i.id = anchorwatch_outbox.incident),"
        " finding_class = (SELECT i.finding_class FROM anchorwatch_incident i"
        " WHERE i.id = anchorwatch_outbox.incident)"
    )
