"""What of a database that several histories share is whose, as their stamps have it."""

from collections.abc import Iterable

import msgspec
import pytest

from monitor.core.keys import Kind
from monitor.core.lock import Lock, VersionPlace
from monitor.core.shares import Share, take_share
from monitor.core.snapshot import Snapshot, VersionTable, make_snapshot
from tests.core.builders import an_object
from tests.core.lock_model import Node, a_node, build, column, list_objects, replay, run


def a_lock(place: str, *nodes: Node) -> Lock:
    return msgspec.structs.replace(build([*nodes]).lock, place=VersionPlace(name=place))


OURS = (
    a_node("a1", ("create", "inv"), ("add", "inv", "old", "text"), ("create", "aa")),
    a_node("a2", ("drop", "inv"), down=("a1",)),
    a_node("a3", ("create", "a3"), down=("a2",)),
)
THEIRS = (
    a_node("b1", ("create", "bb")),
    a_node("b2", ("create", "inv"), ("add", "inv", "n", "int4"), down=("b1",)),
)
A, B = a_lock("av_a", *OURS), a_lock("av_b", *THEIRS)


def shared(ours: Iterable[str] | None, theirs: Iterable[str] | None) -> Snapshot:
    """Both at their heads, whatever is stamped, and a column on the table of the second."""
    tables = replay([*OURS, *THEIRS])
    run(tables, ("add", "inv", "old", "text"))
    stamps = {"av_a": ours, "av_b": theirs}
    return make_snapshot(
        list_objects(tables),
        version_tables=[
            VersionTable("public", name, 32, None if rows is None else (*rows,))
            for name, rows in stamps.items()
        ],
    )


def list_tables(live: Snapshot) -> set[str]:
    return {item.key.name for item in live.objects if item.key.kind is Kind.TABLE}


@pytest.mark.parametrize("theirs", [["b2"], ["newer"], None])
def test_what_was_removed_and_another_history_made_again_is_the_others(
    theirs: list[str] | None,
) -> None:
    live = shared(["a3"], theirs)
    ours = take_share(live, A, Share(beside=(B,)))
    assert list_tables(ours) == {"old", "aa", "a3"}
    assert column("inv", "old") not in ours.by_key
    other = take_share(live, B, Share(beside=(A,)))
    assert list_tables(other) == {"old", "bb", "inv"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (["a1"], ["b2"]),  # it should be there by both stamps
        (["a3"], ["b1"]),  # it should not be there by either
        (["a3"], []),
        ([], ["b2"]),  # what a history should have is not known
        (["newer"], ["b2"]),
        (None, ["b2"]),
    ],
)
def test_what_no_stamp_gives_to_another_history_stays(
    ours: list[str] | None, theirs: list[str]
) -> None:
    live = take_share(shared(ours, theirs), A, Share(beside=(B,)))
    assert list_tables(live) == {"old", "aa", "a3", "inv"}


@pytest.mark.parametrize(
    ("schema", "live", "expected"),
    [
        ("acme", "search_path=acme", "search_path=public"),
        ("acme", "search_path=acme, pg_temp", "search_path=public, pg_temp"),
        ("acme", "search_path=pg_catalog,ACME", "search_path=pg_catalog,public"),
        ("Acme-1", 'search_path="Acme-1", pg_temp', "search_path=public, pg_temp"),
        ("a, b", 'search_path="a, b", a', "search_path=public, a"),
        ('q"uote', 'search_path="q""uote"', "search_path=public"),
        ("acme", 'search_path="$user", acme2, "ACME"', 'search_path="$user", acme2, "ACME"'),
        ("acme", "search_path=public", "search_path=public"),
        ("acme", "role=acme", "role=acme"),
        ("search_path", "search_path=search_path", "search_path=public"),
    ],
)
def test_a_function_that_is_set_to_its_tenants_schema_is_set_to_the_locks(
    schema: str, live: str, expected: str
) -> None:
    function = an_object(Kind.FUNCTION, "tf()", settings=["work_mem=1MB", live])
    key = msgspec.structs.replace(function.key, schema=schema)
    database = make_snapshot([msgspec.structs.replace(function, key=key)])
    taken = take_share(database, A, Share(schema))
    assert taken.by_key[function.key].attributes["settings"] == ["work_mem=1MB", expected]
