"""Flows of agents, and discoveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "b2c0ffee0002"
down_revision = "a1c0ffee0001"


def upgrade() -> None:
    """Create what is new."""
    op.create_table(
        "crewai_flow_state_extensions",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("flow_id", sa.UUID(), nullable=False),
        sa.Column("client_account_id", sa.UUID(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("initialized", "running", "paused", "completed", "failed", name="flow_status"),
            server_default="initialized",
            nullable=False,
        ),
        sa.Column("state", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_crewai_flow_state_extensions"),
        sa.UniqueConstraint("flow_id", name="uq_crewai_flow_state_extensions_flow_id"),
        sa.ForeignKeyConstraint(
            ["client_account_id"],
            ["client_accounts.id"],
            name="fk_crewai_flow_state_extensions_client_account_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_crewai_flow_state_extensions_client_account_id",
        "crewai_flow_state_extensions",
        ["client_account_id"],
    )
    op.create_table(
        "discovery_flows",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("flow_id", sa.UUID(), nullable=False),
        sa.Column("client_account_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("progress", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_discovery_flows"),
        sa.UniqueConstraint("flow_id", name="uq_discovery_flows_flow_id"),
        sa.CheckConstraint(
            "progress >= 0 AND progress <= 100", name="ck_discovery_flows_progress_range"
        ),
        sa.ForeignKeyConstraint(
            ["flow_id"],
            ["crewai_flow_state_extensions.flow_id"],
            name="fk_discovery_flows_flow_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_account_id"],
            ["client_accounts.id"],
            name="fk_discovery_flows_client_account_id",
        ),
    )
    op.create_index(
        "ix_discovery_flows_account_name", "discovery_flows", ["client_account_id", "name"]
    )
