"""What went wrong inside is said once; what is wrong with the ledger, until it is right."""

from monitor.agent.trouble import Trouble
from monitor.core.errors import StoreError

FULL = StoreError("The disk is full.", next_step="Make room.")


def test_a_fault_is_taken_once() -> None:
    trouble = Trouble()
    assert not trouble.take()
    trouble.note(ValueError("nobody expected it"))
    trouble.count()
    assert trouble.take()
    assert not trouble.take()


def test_a_ledger_that_fails_is_trouble_until_the_same_use_succeeds() -> None:
    trouble = Trouble()
    trouble.note_ledger("look", FULL)
    trouble.note_ledger("try", FULL)
    assert trouble.list_ledger() == [str(FULL)]
    trouble.clear_ledger("try")
    assert trouble.take()
    assert trouble.take(), "it is still wrong"
    trouble.clear_ledger("look")
    assert not trouble.list_ledger()
    assert not trouble.take()
