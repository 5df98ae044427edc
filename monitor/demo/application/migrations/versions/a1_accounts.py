"""Customers."""

import sqlalchemy as sa
from alembic import op

revision = "a1c0ffee0001"
down_revision = None


def upgrade() -> None:
    """Create what is new."""
    op.create_table(
        "client_accounts",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_client_accounts"),
        sa.UniqueConstraint("name", name="uq_client_accounts_name"),
    )
