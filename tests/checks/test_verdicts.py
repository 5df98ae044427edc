"""What a lock says of a history, as findings: each accepted as it is, and no other one."""

from monitor.checks.verdicts import describe_diagnosis
from monitor.core.diagnosis import Diagnosis
from monitor.core.history import Revision
from monitor.core.lock import LockedRevision
from monitor.core.traces import Half
from monitor.core.verdict import State

EDITED = LockedRevision(Revision(id="d"), digest="f" * 64)


def tell(found: Diagnosis) -> str:
    [finding] = describe_diagnosis(found, environment="e", database="d")
    return finding.digest


def half(*stamped: str, done: int = 1) -> Diagnosis:
    return Diagnosis(
        verdict=State.HALF_APPLIED,
        stamped=stamped,
        half=Half(revision="d", done=done, steps=4),
        sentences=("d stopped",),
    )


def test_half_of_a_revision_is_accepted_on_the_stamp_that_says_what_alembic_does_next() -> None:
    assert tell(half("a")) == tell(half("a"))
    assert len({tell(half("a")), tell(half("d")), tell(half("a", done=2))}) == 3


def test_an_edited_revision_is_accepted_as_it_was_and_is() -> None:
    told = {
        tell(
            Diagnosis(
                verdict=State.EDITED_REVISION,
                edited=(EDITED,),
                edits=edits,
                sentences=("d was edited",),
            )
        )
        for edits in ("one", "other")
    }
    assert len(told) == 2
