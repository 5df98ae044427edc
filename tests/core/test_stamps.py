import pytest

from monitor.core.history import Revision, make_history
from monitor.core.lock import VersionPlace
from monitor.core.lock_building import Built, make_lock
from monitor.core.snapshot import VersionTable, make_snapshot
from monitor.core.stamps import find_too_long, has_strangers, read_rows

LOCK = make_lock(
    make_snapshot([]),
    [Built(Revision(id="a"), "", make_snapshot([]))],
    place=VersionPlace(schema="app", name="alembic_version"),
    server_version=180000,
)


def a_table(schema: str, *rows: str, name: str = "alembic_version") -> VersionTable:
    return VersionTable(schema=schema, name=name, width=32, revisions=rows)


@pytest.mark.parametrize(
    ("names", "width", "longest"),
    [(["a", "abc"], 2, "abc"), (["a", "abc"], 3, None), (["abc"], None, None), ([], 1, None)],
)
def test_the_longest_id_is_held_against_the_column(
    names: list[str], width: int | None, longest: str | None
) -> None:
    history = make_history(Revision(id=name) for name in names)
    assert find_too_long(history, width) == longest


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


def test_labels_are_not_handed_on_to_what_only_depends_on_a_branch() -> None:
    history = make_history(
        [
            Revision(id="x1", branch_labels=("expand",)),
            Revision(id="x2", down=("x1",)),
            Revision(id="x3", down=("x2",)),
            Revision(id="c1", branch_labels=("contract",)),
            Revision(id="c2", down=("c1",), depends_on=("x2",)),
        ]
    )
    assert not has_strangers(history, ["x3", "c2"])
    bare = make_history([Revision(id="a"), Revision(id="b"), Revision(id="c", depends_on=("a",))])
    assert has_strangers(bare, ["b", "c"])
