"""Notes, and an extension that the owner of a database may create."""

import sqlalchemy as sa
from alembic import op

revision: str = "a1"
down_revision: str | None = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION citext")
    op.create_table("notes", sa.Column("id", sa.BigInteger, primary_key=True))
    op.execute("ALTER TABLE notes ADD COLUMN title citext")
