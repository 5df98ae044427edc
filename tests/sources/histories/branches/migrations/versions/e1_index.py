"""e1 index."""

from alembic import op

revision = "e1"
down_revision = "d1"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("users_email", "users", ["email"], postgresql_concurrently=True)
