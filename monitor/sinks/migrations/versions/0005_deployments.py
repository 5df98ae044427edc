"""Deployments that were reported."""

import sqlalchemy as sa
from alembic import op

from monitor.sinks.tables import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "anchorwatch_deployment",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("concluded_at", Moment),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("anchorwatch_deployment_at", "at"),
    )
