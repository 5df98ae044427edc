"""A side that was built on another major than the other one's server is said to be, with a way."""

from pathlib import Path

import pytest

from monitor.cli.comparing import note_other_major, refuse_directory, write_file
from monitor.core.errors import UsageError
from monitor.core.lock import Lock, VersionPlace
from monitor.core.lock_building import make_lock
from monitor.core.lock_wording import add_spellings
from monitor.core.snapshot import ServerFacts, Snapshot, make_snapshot


def of(major: int, *, builder: str | None = None) -> Snapshot:
    server = ServerFacts(version_num=major * 10000, database="d", owner="o")
    return make_snapshot([], server=server, builder=builder)


LOCK = make_lock(make_snapshot([]), [], place=VersionPlace(), server_version=170000)


@pytest.mark.parametrize(
    ("is_lock", "is_asked", "advice"),
    [
        (False, False, "Name a server of that version"),
        (False, True, "Leave out --postgres"),
        (True, False, "`anchorwatch lock build --postgres 17,13`"),
    ],
)
def test_the_advice_is_one_that_helps(is_lock: bool, is_asked: bool, advice: str) -> None:  # noqa: FBT001
    locks: dict[int, Lock] = {0: LOCK} if is_lock else {}
    note = note_other_major(of(17, builder="b"), of(13), locks=locks, is_asked=is_asked)
    assert note is not None
    assert advice in note.message


def test_a_lock_that_knows_the_spellings_of_that_major_needs_no_word() -> None:
    lock = add_spellings(LOCK, (13, 14), ())
    assert note_other_major(of(17, builder="b"), of(13), locks={0: lock}, is_asked=False) is None


def test_a_path_that_nobody_may_look_at_is_refused_where_it_is_written() -> None:
    path = Path("x" * 300)
    refuse_directory(path)
    with pytest.raises(UsageError, match="cannot be written"):
        write_file(path, b"")
