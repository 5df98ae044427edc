"""Several applications in one database: a history asks its own version table."""

from monitor.checks.history import read_stamp
from monitor.core.history import Revision, make_history
from monitor.core.snapshot import VersionTable, make_snapshot


def a_version_table(schema: str, *revisions: str) -> VersionTable:
    return VersionTable(schema=schema, name="alembic_version", width=32, revisions=revisions)


def test_the_version_table_of_another_application_says_nothing_about_ours() -> None:
    history = make_history([Revision(id="r1")])
    snapshot = make_snapshot(
        [], version_tables=[a_version_table("app", "r1"), a_version_table("other", "zz")]
    )
    assert read_stamp(snapshot, history) == ("r1",)
    assert read_stamp(snapshot) == ("r1", "zz")


def test_where_no_table_is_known_all_are_told() -> None:
    history = make_history([Revision(id="r1")])
    snapshot = make_snapshot([], version_tables=[a_version_table("other", "zz")])
    assert read_stamp(snapshot, history) == ("zz",)
