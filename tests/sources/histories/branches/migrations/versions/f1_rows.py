"""f1 rows."""

import sqlalchemy as sa
from alembic import op

revision = "f1"
down_revision = "e1"


def upgrade() -> None:
    users = sa.table("users", sa.column("email", sa.Text))
    op.bulk_insert(users, [{"email": "100%@example.org"}])
    op.execute("UPDATE users SET mood = 'wild' WHERE email LIKE '100!%%' ESCAPE '!'")
    op.alter_column("users", "mood", nullable=True, server_default="calm")
