"""What was given up comes back when its channel does; who counts the outbox reads little of it."""

import sqlalchemy as sa
from alembic import op

from monitor.sinks.tables import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OUTBOX = "anchorwatch_outbox"
_BY_STATUS = (
    ("waiting", "pending", "at"),
    ("taken", "delivered", "ended"),
    ("lost", "dead", "ended"),
)


def upgrade() -> None:
    """Add the column, and an index for each of what waits, what was taken and what was lost."""
    op.add_column(_OUTBOX, sa.Column("revived_at", Moment))
    for name, status, moment in _BY_STATUS:
        these = sa.text(f"status = '{status}'")
        op.create_index(
            f"{_OUTBOX}_{name}",
            _OUTBOX,
            ["channel", moment],
            postgresql_where=these,
            sqlite_where=these,
        )
    op.create_index("anchorwatch_incident_ended", "anchorwatch_incident", ["resolved_at"])
    op.create_index(f"{_OUTBOX}_receipt", _OUTBOX, ["channel", "receipt"])
    for name in ("due", "ended"):
        op.drop_index(f"{_OUTBOX}_{name}", _OUTBOX)
