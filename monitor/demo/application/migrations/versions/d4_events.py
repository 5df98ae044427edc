"""Events, on another branch."""

import sqlalchemy as sa
from alembic import op

revision = "d4c0ffee0004"
down_revision = "b2c0ffee0002"


def upgrade() -> None:
    """Create what is new."""
    op.create_table(
        "flow_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_flow_events"),
        sa.ForeignKeyConstraint(
            ["flow_id"],
            ["crewai_flow_state_extensions.flow_id"],
            name="fk_flow_events_flow_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_flow_events_flow_id", "flow_events", ["flow_id"])
