"""What other sessions do to a schema at the moment it is read."""

import msgspec

from monitor.core.keys import ObjectKey


class Activity(msgspec.Struct, frozen=True):
    """Changes to a schema that are under way, as far as locks show them.

    Attributes:
        changing: tables and views that somebody holds, or waits for, a lock on that only
            DDL takes, sorted; the Alembic version table is among them while it is written.
        unseen: how many more such relations there are that are not to be seen yet:
            most are being created.
        building: indexes that are not valid because they are being built, sorted.
    """

    changing: tuple[ObjectKey, ...] = ()
    unseen: int = 0
    building: tuple[ObjectKey, ...] = ()

    @property
    def is_changing(self) -> bool:
        """Whether DDL is in flight, apart from indexes that are built without a lock."""
        return bool(self.changing or self.unseen)
