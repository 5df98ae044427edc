"""c1 places."""

import sqlalchemy as sa
import sqlalchemy.dialects.postgresql
from alembic import op

revision = "c1"
down_revision = "a1"


def upgrade() -> None:
    # The type is there already: in one run Alembic's metadata remembers that.
    op.execute("DO 'BEGIN CREATE TYPE mood AS ENUM (); EXCEPTION WHEN duplicate_object THEN END'")
    op.create_table(
        "places",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("mood", sa.dialects.postgresql.ENUM("calm", name="mood", create_type=False)),
    )
