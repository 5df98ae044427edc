"""d1 merge."""

revision = "d1"
down_revision = ("b1", "c1")


def upgrade() -> None:
    pass
