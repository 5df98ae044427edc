"""How long each wait for a watched database or a shadow may take, and why."""

from dataclasses import dataclass
from typing import Final

CONNECT_SECONDS: Final = 10.0
"""A database that sleeps wakes within seconds; three times that is not a slow one but none."""
STATEMENT_SECONDS: Final = 15.0
"""The catalog of 10 000 tables reads in under 5 s; what takes longer is stuck."""
LOCK_SECONDS: Final = 0.3
"""We must never queue in front of a migration: what waits behind us waits this long at most."""
IDLE_SECONDS: Final = 30.0
"""If we die between two statements, the server drops our snapshot by itself."""
READ_SECONDS: Final = 60.0
"""An open snapshot holds back vacuum: a whole read ends before anyone could notice."""
SCRIPT_SECONDS: Final = 300.0
"""A history of migrations in a shadow may build large indexes, and still must end."""
GRACE_SECONDS: Final = 2.0
"""The server speaks first, for it knows why; we give up only where it cannot be heard."""
CLOSE_SECONDS: Final = 2.0
"""A goodbye and a cancel request take one round trip; a dead peer gets no more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long each wait may take, in seconds; see the constants for why."""

    connect_seconds: float = CONNECT_SECONDS
    statement_seconds: float = STATEMENT_SECONDS
    lock_seconds: float = LOCK_SECONDS
    idle_seconds: float = IDLE_SECONDS
    read_seconds: float = READ_SECONDS
    script_seconds: float = SCRIPT_SECONDS
    grace_seconds: float = GRACE_SECONDS
    close_seconds: float = CLOSE_SECONDS


DEADLINES: Final = Deadlines()
