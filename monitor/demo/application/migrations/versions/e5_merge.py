"""The two branches come together."""

revision = "e5c0ffee0005"
down_revision = ("c3c0ffee0003", "d4c0ffee0004")


def upgrade() -> None:
    """Nothing to do: a merge only joins the history."""
