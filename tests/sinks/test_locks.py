"""Locks in the ledger, the same on SQLite and on PostgreSQL."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
import sqlalchemy as sa

from monitor.sinks.locks import KEEP_LOCKS, Keeping, KeptLock, NewLock, is_same_commit
from monitor.sinks.store import Store
from monitor.sinks.tables import LOCK_BODIES, NUL
from tests.sinks.builders import HOSTILE, NOW


def a_lock(body: bytes, commit: str = "", minutes: int = 0, *, database: str = "app") -> NewLock:
    digest = hashlib.sha256(body).hexdigest()
    lock = KeptLock(digest=digest, commit=commit, at=NOW + timedelta(minutes=minutes))
    return NewLock(environment="production", database=database, lock=lock, body=body)


async def list_commits(store: Store, database: str = "app") -> list[str]:
    return [one.commit for one in await store.list_locks("production", database)]


async def count_bodies(store: Store) -> int:
    async with store._backend.reading() as connection:
        return int(
            (
                await connection.execute(sa.select(sa.func.count()).select_from(LOCK_BODIES))
            ).scalar_one()
        )


async def test_a_lock_is_read_back_as_it_was_brought(store: Store) -> None:
    new = a_lock(HOSTILE.encode() * 1000, HOSTILE.replace(NUL, ""))
    assert await store.keep_lock(new) is Keeping.NEW
    assert await store.list_locks("production", "app") == [new.lock]
    assert await store.load_lock(new.lock.digest) == new.body
    assert await store.load_lock("other") is None
    assert await store.list_locks("staging", "app") == []


async def test_the_same_lock_again_is_the_newest(store: Store) -> None:
    for number, commit in enumerate(("a", "b")):
        await store.keep_lock(a_lock(commit.encode(), commit, number))
    assert await list_commits(store) == ["b", "a"]
    assert await store.keep_lock(a_lock(b"a", "a", 2)) is Keeping.SAME
    assert await list_commits(store) == ["a", "b"]


async def test_a_commit_has_one_lock(store: Store) -> None:
    await store.keep_lock(a_lock(b"one", "a"))
    assert await store.keep_lock(a_lock(b"two", "a", 1)) is Keeping.CONFLICT
    [kept] = await store.list_locks("production", "app")
    assert (kept.digest, kept.at) == (a_lock(b"one").lock.digest, NOW)
    assert await store.keep_lock(a_lock(b"one", "b", 2)) is Keeping.NEW  # it changed no schema
    assert await count_bodies(store) == 1


async def test_locks_of_no_commit_are_kept_one_beside_the_other(store: Store) -> None:
    for body in (b"one", b"two"):
        assert await store.keep_lock(a_lock(body)) is Keeping.NEW
    assert await store.keep_lock(a_lock(b"two")) is Keeping.SAME
    assert await list_commits(store) == ["", ""]


async def test_the_oldest_go_where_there_are_many_and_of_no_other_database(store: Store) -> None:
    await store.keep_lock(a_lock(b"0", "0", database="crm"))
    for number in range(KEEP_LOCKS + 3):
        await store.keep_lock(a_lock(str(number).encode(), str(number), number))
    commits = await list_commits(store)
    assert commits == [str(n) for n in reversed(range(3, KEEP_LOCKS + 3))]
    assert await list_commits(store, "crm") == ["0"]
    assert await count_bodies(store) == KEEP_LOCKS + 1
    assert await store.load_lock(a_lock(b"1").lock.digest) is None


async def test_a_history_that_begins_anew_leaves_nothing(store: Store) -> None:
    await store.keep_lock(a_lock(b"0", "0", database="crm"))
    await store.keep_lock(a_lock(b"one", "a"))
    await store.keep_lock(a_lock(b"two", "b"))
    assert await store.forget_locks("production", "app") == 2
    assert await list_commits(store) == []
    assert await list_commits(store, "crm") == ["0"]
    assert await count_bodies(store) == 1


async def test_many_at_once_lose_nothing(store: Store) -> None:
    locks = [a_lock(str(n).encode(), str(n), n) for n in range(8)]
    assert {*await asyncio.gather(*map(store.keep_lock, locks))} == {Keeping.NEW}
    assert await list_commits(store) == [str(n) for n in reversed(range(8))]
    assert all([await store.load_lock(one.lock.digest) == one.body for one in locks])


async def test_the_lock_of_the_deployed_commit_stays_however_old_it_is(store: Store) -> None:
    await store.keep_lock(a_lock(b"old", "abcdef1234"))
    for number in range(1, KEEP_LOCKS + 3):
        new = a_lock(str(number).encode(), str(number), number)
        await store.keep_lock(new, deployed="abcdef1")
    commits = await list_commits(store)
    assert commits[-1] == "abcdef1234"
    assert len(commits) == KEEP_LOCKS + 1


async def test_another_commit_that_begins_like_the_deployed_one_is_no_reason_to_keep_it(
    store: Store,
) -> None:
    for number, commit in enumerate(("abcdef1234", "abcdef1", "v2024.10")):
        await store.keep_lock(a_lock(commit.encode(), commit, number))
    for number in range(3, KEEP_LOCKS + 4):
        new = a_lock(str(number).encode(), str(number), number)
        await store.keep_lock(new, deployed="abcdef1")
    commits = await list_commits(store)
    assert commits[-1] == "abcdef1"
    assert len(commits) == KEEP_LOCKS + 1


async def test_what_a_configured_place_says_now_takes_the_place_of_what_it_said(
    store: Store,
) -> None:
    await store.keep_lock(a_lock(b"one", "a"))
    await store.keep_lock(a_lock(b"zero", ""))
    assert await store.keep_lock(a_lock(b"two", "a", 1), replaces=True) is Keeping.NEW
    assert [one.digest for one in await store.list_locks("production", "app")] == [
        a_lock(b"two").lock.digest,
        a_lock(b"zero").lock.digest,
    ]
    assert await count_bodies(store) == 2


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("abcdef1", "abcdef1234", True),
        ("abcdef1234", "abcdef1", True),
        ("abcdef", "abcdef1234", False),
        ("v1", "v1", True),
        ("", "", False),
        ("", "abcdef1234", False),
        ("v2024.1", "v2024.10", False),
        ("release-1", "release-12", False),
        ("abcdef1", "abcdef1-rebuilt", False),
        ("abcdef1", f"{'abcdef1':0<40}", True),
        ("abcdef1", f"{'abcdef1':0<64}", True),
        ("abcdef1", f"{'abcdef1':0<41}", False),
    ],
)
def test_a_commit_is_known_by_how_it_begins(one: str, other: str, *, is_same: bool) -> None:
    assert is_same_commit(one, other) is is_same
