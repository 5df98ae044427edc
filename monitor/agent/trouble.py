"""What goes wrong inside of the agent, and what its heartbeat and its readiness say of it."""

from monitor.core.errors import StoreError
from monitor.sinks.faults import report_fault


class Trouble:
    """What went wrong since it was asked last, and what is wrong with the ledger."""

    def __init__(self) -> None:
        self._faults = 0
        self._ledger: dict[str, str] = {}

    def note(self, error: BaseException) -> None:
        """Report what nobody expected; the next heartbeat says that something broke."""
        self.count()
        report_fault(error)

    def count(self) -> None:
        """Note what was reported already."""
        self._faults += 1

    def note_ledger(self, use: str, error: StoreError) -> None:
        """Note that a use of the ledger failed, until the same use succeeds."""
        self._ledger[use] = str(error)

    def clear_ledger(self, use: str) -> None:
        """Note that a use of the ledger succeeded."""
        self._ledger.pop(use, None)

    def list_ledger(self) -> list[str]:
        """What is wrong with the ledger, each sentence once."""
        return sorted({*self._ledger.values()})

    def take(self) -> bool:
        """Whether anything is wrong, or went wrong since this was asked last."""
        faults, self._faults = self._faults, 0
        return bool(faults or self._ledger)
