import pytest

from monitor.core.history import Revision
from monitor.core.lock import VersionPlace
from monitor.core.lock_building import Built, make_lock
from monitor.core.snapshot import VersionTable, make_snapshot
from monitor.core.stamps import read_rows

LOCK = make_lock(
    make_snapshot([]),
    [Built(Revision(id="a"), "", make_snapshot([]))],
    place=VersionPlace(schema="app", name="alembic_version"),
    server_version=180000,
)


def a_table(schema: str, *rows: str, name: str = "alembic_version") -> VersionTable:
    return VersionTable(schema=schema, name=name, width=32, revisions=rows)


@pytest.mark.parametrize(
    ("tables", "rows"),
    [
        ([], ()),
        ([a_table("app", "a")], ("a",)),
        ([a_table("app"), a_table("public", "a")], ()),
        ([a_table("app", "zz"), a_table("public", "a")], ("zz",)),
        ([a_table("public", "a"), a_table("other", "b")], ("a",)),
        ([a_table("public", "b"), a_table("other", "c")], ("b", "c")),
        ([VersionTable(schema="app", name="alembic_version", width=32, revisions=None)], None),
    ],
)
def test_the_rows_are_those_of_the_locks_own_table(
    tables: list[VersionTable], rows: tuple[str, ...] | None
) -> None:
    assert read_rows(tables, LOCK) == rows
