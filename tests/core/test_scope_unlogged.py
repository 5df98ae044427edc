"""A sequence of an unlogged table is as persistent as its server makes it, and no drift."""

from typing import Any

import pytest

from monitor.core.keys import Kind
from monitor.core.scope import DEFAULT_SCOPE, compare
from monitor.core.snapshot import ServerFacts, Snapshot, make_snapshot
from tests.cases.reader import describe
from tests.core.builders import a_column, a_table, an_object

DRIFT = ("altered sequence public.t_id_seq: persistence",)
NOTE = ("note unlogged sequence public.t_id_seq",)


def a_server(
    major: int,
    sequence: str,
    *,
    table: str = "unlogged",
    owned: bool = True,
    builder: str | None = None,
) -> Snapshot:
    owner: dict[str, Any] = {"owned_by": ["public", "t", "id"]} if owned else {}
    return make_snapshot(
        [
            a_table("t", columns=["id"], persistence=table),
            a_column("t", "id"),
            an_object(Kind.SEQUENCE, "t_id_seq", persistence=sequence, **owner),
        ],
        server=ServerFacts(version_num=major * 10000, database="d", owner="app"),
        builder=builder,
    )


def tell(expected: Snapshot, actual: Snapshot) -> tuple[str, ...]:
    return describe(compare(expected, actual, DEFAULT_SCOPE))


@pytest.mark.parametrize("builder", [None, "builder"])
def test_what_an_old_server_cannot_do_is_not_expected_of_a_new_one(builder: str | None) -> None:
    old = a_server(14, "permanent", builder=builder)
    assert tell(old, a_server(15, "unlogged")) == ()


@pytest.mark.parametrize("builder", [None, "builder"])
def test_what_an_old_server_cannot_do_is_a_note_there(builder: str | None) -> None:
    new = a_server(18, "unlogged", builder=builder)
    assert tell(new, a_server(14, "permanent")) == NOTE


def test_what_a_restored_database_carries_along_is_a_note_where_a_build_is_expected() -> None:
    assert tell(a_server(18, "unlogged", builder="b"), a_server(18, "permanent")) == NOTE


def test_what_somebody_changed_is_told() -> None:
    assert tell(a_server(18, "unlogged"), a_server(18, "permanent")) == DRIFT
    for builder in (None, "builder"):
        built = a_server(18, "permanent", builder=builder)
        assert tell(built, a_server(18, "unlogged")) == DRIFT


@pytest.mark.parametrize("apart", [{"table": "permanent"}, {"owned": False}])
def test_a_sequence_that_need_not_follow_an_unlogged_table_is_told(apart: dict[str, Any]) -> None:
    """After a crash it counts from the start, and the rows are still there."""
    old = a_server(14, "permanent", **apart)
    assert tell(old, a_server(18, "unlogged", **apart)) == DRIFT
    built = a_server(18, "unlogged", builder="b", **apart)
    assert tell(built, a_server(18, "permanent", **apart)) == DRIFT


def test_a_table_that_is_unlogged_on_one_side_is_told_with_its_sequence() -> None:
    old = a_server(14, "permanent", table="permanent")
    assert len(tell(old, a_server(18, "unlogged"))) == len([*DRIFT, "the table"])
