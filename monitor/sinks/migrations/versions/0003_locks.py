"""Locks of the releases of each database."""

import sqlalchemy as sa
from alembic import op

from monitor.sinks.tables import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "anchorwatch_lock_body",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "anchorwatch_lock",
        sa.Column("environment", sa.Text, primary_key=True),
        sa.Column("database", sa.Text, primary_key=True),
        sa.Column("commit", sa.Text, primary_key=True),
        sa.Column(
            "digest", sa.Text, sa.ForeignKey("anchorwatch_lock_body.digest"), primary_key=True
        ),
        sa.Column("at", Moment, nullable=False),
    )
