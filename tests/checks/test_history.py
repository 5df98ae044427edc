"""What the stamp alone decides."""

import pytest

from monitor.checks.history import describe_stamp, is_empty, judge_stamp, read_stamp
from monitor.core.history import Revision, make_history
from monitor.core.keys import Kind, ObjectKey
from monitor.core.snapshot import SchemaObject, Snapshot, VersionTable, make_snapshot
from monitor.core.verdict import State

HISTORY = make_history([Revision(id="r1"), Revision(id="r2", down=("r1",))])
STAMPED = VersionTable(schema="public", name="alembic_version", width=32, revisions=("r1",))
HIDDEN = VersionTable(schema="app", name="alembic_version", width=32, revisions=None)


def a_snapshot(*tables: VersionTable, is_empty: bool = False) -> Snapshot:
    key = ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name="users")
    objects = [] if is_empty else [SchemaObject(key=key, attributes={})]
    return make_snapshot(objects, version_tables=tables)


def test_the_stamp_is_what_all_version_tables_hold() -> None:
    other = VersionTable(schema="app", name="alembic_version", width=32, revisions=("r0",))
    assert read_stamp(a_snapshot(STAMPED, other)) == ("r0", "r1")


def test_one_version_table_that_is_hidden_hides_the_stamp() -> None:
    assert read_stamp(a_snapshot(STAMPED, HIDDEN)) is None


def test_without_a_version_table_nothing_is_stamped() -> None:
    assert read_stamp(a_snapshot()) == ()


@pytest.mark.parametrize("stamp", [(), ("gone",)])
def test_a_database_without_tables_is_empty_rather_than_wrongly_stamped(
    stamp: tuple[str, ...],
) -> None:
    assert judge_stamp(a_snapshot(STAMPED, is_empty=True), stamp, HISTORY) is State.EMPTY


def test_a_database_without_tables_is_empty_unless_none_are_expected() -> None:
    bare, full = a_snapshot(STAMPED, is_empty=True), a_snapshot()
    assert judge_stamp(bare, ("r1",), HISTORY) is None
    assert is_empty(bare, full)
    assert is_empty(bare, None)
    assert not is_empty(bare, bare)
    assert not is_empty(full, None)


@pytest.mark.parametrize(
    ("stamp", "state"),
    [
        ((), State.UNSTAMPED),
        (("r1",), None),
        (("r2",), None),
        (("gone",), State.UNKNOWN_REVISION),
        (("gone", "r1"), State.UNKNOWN_REVISION),
    ],
)
def test_the_stamp_is_judged_by_the_history(stamp: tuple[str, ...], state: State | None) -> None:
    assert judge_stamp(a_snapshot(), stamp, HISTORY) is state


def test_without_a_history_no_stamp_is_wrong() -> None:
    assert judge_stamp(a_snapshot(), ("gone",), None) is None
    assert judge_stamp(a_snapshot(), (), None) is None


def test_an_unknown_revision_is_named() -> None:
    finding = describe_stamp(State.UNKNOWN_REVISION, ("gone",), environment="e", database="d")
    assert finding is not None
    assert finding.code == "AW103"
    assert finding.title.endswith(": gone")
    assert finding.remedy


def test_a_state_that_is_fine_has_no_finding() -> None:
    assert describe_stamp(State.IN_SYNC, (), environment="e", database="d") is None
