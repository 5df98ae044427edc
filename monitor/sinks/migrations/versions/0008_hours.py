"""Looks by the hour, which stay for a month where single looks cannot."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_HOURS = {
    "postgresql": "CAST(floor(extract(epoch FROM at) / 3600) AS integer)",
    "sqlite": "CAST(strftime('%s', at) AS integer) / 3600",
}


def upgrade() -> None:
    """Create the table, and sum up the looks that are there."""
    op.create_table(
        "anchorwatch_hour",
        sa.Column("environment", sa.Text, primary_key=True),
        sa.Column("database", sa.Text, primary_key=True),
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("longest", sa.Float, nullable=False),
        sa.Column("total", sa.Float, nullable=False),
        sa.Column("least", sa.Integer, nullable=False),
        sa.Column("most", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment", "database"],
            ["anchorwatch_record.environment", "anchorwatch_record.database"],
            ondelete="CASCADE",
        ),
    )
    hour = _HOURS[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO anchorwatch_hour"  # noqa: S608  # one of the two texts above
        " (environment, database, hour, state, looks, longest, total, least, most)"
        f" SELECT environment, database, {hour}, state, count(*), max(seconds), sum(seconds),"
        " min(findings), max(findings)"
        " FROM anchorwatch_look GROUP BY 1, 2, 3, 4"
    )
