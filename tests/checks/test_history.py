"""What the stamp alone decides."""

import pytest

from monitor.checks.history import describe_stamp, is_empty, judge_stamp, read_stamp
from monitor.core.findings import Finding
from monitor.core.history import Revision, make_history
from monitor.core.keys import Kind, ObjectKey
from monitor.core.scope import Scope
from monitor.core.snapshot import SchemaObject, Snapshot, VersionTable, make_snapshot
from monitor.core.verdict import State
from tests.core.builders import a_column, a_table

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
    finding = describe(State.UNKNOWN_REVISION, "gone")
    assert finding is not None
    assert finding.code == "AW103"
    assert finding.title.endswith(": gone")
    assert finding.remedy


def test_a_state_that_is_fine_has_no_finding() -> None:
    assert describe(State.IN_SYNC) is None


def describe(state: State, *stamp: str, snapshot: Snapshot | None = None) -> Finding | None:
    found = snapshot or a_snapshot()
    return describe_stamp(state, stamp, found, Scope(), environment="e", database="d")


@pytest.mark.parametrize("state", [State.UNKNOWN_REVISION, State.UNSTAMPED])
def test_a_stamp_is_accepted_on_the_schema_that_it_is_on(state: State) -> None:
    """Nothing else is judged in these states: what changes would never be told."""
    parent = a_table("t", columns=["c"], partition_by="RANGE (c)")
    day = a_table("t_1", columns=["c"], inherits=[["public", "t"]], partition_bound="DEFAULT")
    columns = [a_column("t", "c"), a_column("t_1", "c")]
    whole = make_snapshot([parent, day, *columns])
    digest = get_digest(describe(state, "gone", snapshot=whole))
    assert get_digest(describe(state, "gone", snapshot=make_snapshot([parent, columns[0]]))) == (
        digest
    )
    other = make_snapshot([parent, a_column("t", "c", type="text")])
    assert get_digest(describe(state, "gone", snapshot=other)) != digest
    assert get_digest(describe(state, "other", snapshot=whole)) != digest


def test_an_empty_version_row_is_called_so() -> None:
    finding = describe(State.UNKNOWN_REVISION, "")
    assert finding is not None
    assert finding.title == "a version row is empty"


def get_digest(finding: Finding | None) -> str:
    assert finding is not None
    return finding.digest
