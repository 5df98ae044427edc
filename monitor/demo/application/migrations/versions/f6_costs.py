"""What an asset costs."""

import sqlalchemy as sa
from alembic import op

revision = "f6c0ffee0006"
down_revision = "e5c0ffee0005"


def upgrade() -> None:
    """Create what is new."""
    op.add_column("assets", sa.Column("monthly_cost", sa.Numeric(12, 2), nullable=True))
