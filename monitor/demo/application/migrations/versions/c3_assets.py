"""Assets, on a branch of their own."""

import sqlalchemy as sa
from alembic import op

revision = "c3c0ffee0003"
down_revision = "b2c0ffee0002"


def upgrade() -> None:
    """Create what is new."""
    op.create_table(
        "assets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.UUID(), nullable=False),
        sa.Column("hostname", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_assets"),
        sa.UniqueConstraint("flow_id", "hostname", name="uq_assets_flow_hostname"),
        sa.ForeignKeyConstraint(
            ["flow_id"], ["discovery_flows.flow_id"], name="fk_assets_flow_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_assets_flow_id", "assets", ["flow_id"])
