"""What everybody may do in the schema public is the same on old and new servers."""

from typing import Any

import pytest

from monitor.core.keys import Kind
from monitor.core.scope import DEFAULT_SCOPE, compare
from monitor.core.snapshot import ServerFacts, Snapshot, make_snapshot
from tests.cases.reader import describe
from tests.core.builders import an_object

CREATE = ["PUBLIC", "CREATE", False]
USAGE = ["PUBLIC", "USAGE", False]
READER = ["reader", "USAGE", False]


def a_server(major: int, **rights: Any) -> Snapshot:
    return make_snapshot(
        [an_object(Kind.SCHEMA, "public", **rights)],
        server=ServerFacts(version_num=major * 10000, database="d", owner="app"),
    )


def tell(expected: Snapshot, actual: Snapshot) -> tuple[str, ...]:
    return describe(compare(expected, actual, DEFAULT_SCOPE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {}),
        ({}, {"grants": [CREATE]}),
        ({"revokes": [CREATE]}, {}),
        ({"revokes": [CREATE, USAGE]}, {"revokes": [USAGE]}),
        ({"grants": [READER]}, {"grants": [CREATE, READER]}),
    ],
    ids=["untouched", "restored", "closed", "closed entirely", "with a reader"],
)
def test_privileges_that_come_to_the_same_are_the_same(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert tell(a_server(14, **old), a_server(16, **new)) == ()
    assert tell(a_server(16, **new), a_server(14, **old)) == ()


def test_privileges_that_differ_are_told() -> None:
    for old, new in (({}, {"revokes": [USAGE]}), ({"grants": [READER]}, {"grants": [CREATE]})):
        assert tell(a_server(14, **old), a_server(16, **new))
    assert tell(a_server(16), a_server(16, grants=[CREATE])) == ("altered schema public: grants",)


def test_what_an_old_database_carries_along_is_a_note_where_nothing_is_declared() -> None:
    built = make_snapshot([an_object(Kind.SCHEMA, "public")], builder="builder")
    assert tell(built, a_server(16, grants=[CREATE])) == ("note public schema public",)
    assert tell(built, a_server(16, grants=[CREATE, READER])) == (
        "altered schema public: grants",
        "note public schema public",
    )
    declared = make_snapshot(
        [an_object(Kind.SCHEMA, "public", grants=[READER])], builder="builder"
    )
    assert tell(declared, a_server(16, grants=[CREATE, READER])) == (
        "altered schema public: grants",
    )
