"""What was accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "anchorwatch_acceptance",
        sa.Column("environment", sa.Text, primary_key=True),
        sa.Column("database", sa.Text, primary_key=True),
        sa.Column("finding", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
