"""The same role under another name is the same; another role is told by its own name."""

from typing import Any

import msgspec
import pytest

from monitor.core.difference import Difference
from monitor.core.findings import Severity
from monitor.core.keys import Kind
from monitor.core.scope import Scope, compare
from monitor.core.scope_names import OWNER
from monitor.core.snapshot import SchemaObject, ServerFacts, Snapshot, make_snapshot
from tests.cases.reader import describe
from tests.core.builders import a_column, a_table, an_object

READ = ["reader", "SELECT", False]


def a_database(*items: SchemaObject, owner: str = "app") -> Snapshot:
    return make_snapshot(items, server=ServerFacts(version_num=180000, database="d", owner=owner))


def a_build(*items: SchemaObject, builder: str = "builder_1") -> Snapshot:
    return make_snapshot(items, builder=builder)


def tables(count: int, **attributes: Any) -> list[SchemaObject]:
    return [a_table(f"t{number}", columns=[], **attributes) for number in range(count)]


def tell(expected: Snapshot, actual: Snapshot, **roles: str) -> Difference:
    return compare(expected, actual, Scope(roles=roles))


# ---------------------------------------------------------------- owners


def test_who_owns_the_database_stands_for_the_builder() -> None:
    live = a_database(*tables(3, owner="app"))
    assert tell(a_build(*tables(3)), live) == Difference(changes=(), notes=())


def test_who_migrates_the_database_stands_for_the_builder_though_another_owns_it() -> None:
    """A shadow's role is not production's: that must not make a thousand findings."""
    live = a_database(*tables(3, owner="app"), owner="postgres")
    difference = tell(a_build(*tables(3)), live)
    assert not difference
    assert [note.message for note in difference.notes] == [
        "The role app counts as the owner; the database is owned by postgres."
    ]


@pytest.mark.parametrize("other", ["postgres", "anna"])
def test_the_odd_one_among_the_owners_is_told(other: str) -> None:
    live = a_database(
        *tables(3, owner="app"), a_table("u", columns=[], owner=other), owner="postgres"
    )
    [change] = tell(a_build(*tables(3), a_table("u", columns=[])), live).changes
    assert (change.key.name, change.code, change.severity) == ("u", "AW286", Severity.INFO)
    assert change.attributes[0].actual == other


def test_one_object_alone_does_not_show_who_migrates() -> None:
    [change] = tell(a_build(*tables(1)), a_database(*tables(1, owner="anna"))).changes
    assert change.attributes[0].actual == "anna"


def test_whom_a_dump_gave_everything_stands_for_the_owner() -> None:
    dump = a_build(*tables(3, owner="postgres"))
    assert not tell(dump, a_database(*tables(3, owner="app")))
    odd = a_database(*tables(2, owner="app"), a_table("t2", columns=[], owner="anna"))
    [change] = tell(dump, odd).changes
    assert (change.key.name, change.severity) == ("t2", Severity.WARNING)


def test_who_is_declared_an_owner_beside_the_builder_is_held_to_it() -> None:
    built = a_build(*tables(2), a_table("log", columns=[], owner="auditor"))
    right = a_database(*tables(2, owner="app"), a_table("log", columns=[], owner="auditor"))
    wrong = a_database(*tables(2, owner="app"), a_table("log", columns=[], owner="app"))
    assert not tell(built, right)
    [change] = tell(built, wrong).changes
    assert change.severity is Severity.WARNING


def test_owners_of_two_databases_are_the_same_though_called_otherwise() -> None:
    one, other = (
        a_database(*tables(2, owner="app")),
        a_database(*tables(2, owner="postgres"), owner="postgres"),
    )
    assert not tell(one, other)


def test_a_restored_database_of_another_owner_is_the_same() -> None:
    assert not tell(
        a_database(*tables(2, owner="app")), a_database(*tables(2, owner="app"), owner="postgres")
    )


def test_a_table_that_changed_hands_in_a_database_is_told() -> None:
    one = a_database(*tables(3, owner="app"))
    for new in ("anna", "postgres"):
        [*_, last] = [*tables(2, owner="app"), a_table("t2", columns=[], owner=new)]
        [change] = tell(one, a_database(*tables(2, owner="app"), last)).changes
        assert change.severity is Severity.WARNING


def test_who_migrates_can_be_configured() -> None:
    live = a_database(
        *tables(2, owner="release"), a_table("u", columns=[], owner="app"), owner="postgres"
    )
    built = a_build(*tables(2), a_table("u", columns=[]))
    assert not tell(built, live, release=OWNER, app=OWNER)
    [change] = tell(built, live, app=OWNER).changes[:1]
    assert change.attributes[0].actual == "release"


def test_a_role_can_be_called_otherwise_by_configuration() -> None:
    built = a_build(a_table("t", columns=[], owner="audit"), *tables(2))
    live = a_database(a_table("t", columns=[], owner="audit_prod"), *tables(2, owner="app"))
    assert tell(built, live)
    assert not tell(built, live, audit_prod="audit")


# ---------------------------------------------------------------- privileges


def test_a_right_of_a_role_that_is_called_otherwise_is_the_same() -> None:
    built = a_build(*tables(1, grants=[READ, ["writer", "INSERT", True]]))
    granted = [["Reader-Prod", "SELECT", False], ["writer", "INSERT", True]]
    granted[0][0] = '"Reader-Prod"'
    live = a_database(*tables(1, owner="app", grants=granted))
    assert tell(built, live)
    assert not tell(built, live, **{"Reader-Prod": "reader"})


def test_a_right_is_not_the_same_when_it_can_be_passed_on() -> None:
    built = a_build(*tables(1, grants=[READ]))
    live = a_database(*tables(1, owner="app", grants=[["prod", "SELECT", True]]))
    assert describe(tell(built, live, prod="reader")) == ("altered table public.t0: grants",)


def test_what_is_granted_to_the_owner_is_the_owners_by_itself() -> None:
    built = a_build(*tables(2, grants=[["app", "SELECT", False], READ]))
    live = a_database(*tables(2, owner="app", grants=[READ]))
    assert not tell(built, live)
    lost = {"grants": [READ], "revokes": [["OWNER", "SELECT", False]]}
    assert tell(built, a_database(*tables(2, owner="app", **lost)))


def test_a_right_on_a_column_is_the_owners_of_the_table() -> None:
    column = a_column("t0", "n", grants=[["app", "UPDATE", False]])
    built = a_build(*tables(1), column)
    assert not tell(built, a_database(*tables(1, owner="app"), a_column("t0", "n")))


def test_policies_are_for_the_same_roles() -> None:
    def policy(*roles: str) -> SchemaObject:
        return an_object(Kind.POLICY, "p", parent="t0", roles=sorted(roles))

    built = a_build(*tables(1), policy("builder_1", "reader"))
    live = a_database(*tables(1, owner="app"), policy("app", "reader"))
    assert not tell(built, live)
    [change] = tell(built, a_database(*tables(1, owner="app"), policy("anna", "reader"))).changes
    assert change.attributes[0].expected == ["OWNER", "reader"]


# ---------------------------------------------------------------- names that hold a role


def given_by(role: str, word: str = "tables") -> SchemaObject:
    return an_object(Kind.DEFAULT_PRIVILEGE, f"{role} {word}", grants=[READ])


@pytest.mark.parametrize("word", ["tables", "large objects"])
def test_default_privileges_of_the_builder_are_the_owners(word: str) -> None:
    built = a_build(given_by("builder_1", word))
    assert not tell(built, a_database(given_by("app", word)))
    told = describe(tell(built, a_database(given_by("anna", word))))
    assert told == (
        f"missing default_privilege public.OWNER {word}",
        f"unexpected default_privilege public.anna {word}",
    )


def test_the_name_of_a_builder_is_in_no_key() -> None:
    """It is another one at every build, and the finding has to stay the same."""
    tellings = {
        describe(tell(a_build(given_by(name), builder=name), a_database()))
        for name in ("builder_1", "builder_2")
    }
    assert tellings == {("missing default_privilege public.OWNER tables",)}


def test_default_privileges_of_two_databases_are_their_owners() -> None:
    one, other = (
        a_database(given_by("app")),
        a_database(given_by('"Post gres"'), owner="Post gres"),
    )
    assert not tell(one, other)
    assert tell(one, a_database(given_by("anna")))


def test_user_mappings_of_a_role_that_is_called_otherwise_are_the_same() -> None:
    server = an_object(Kind.FOREIGN_SERVER, "s")
    mapping = [an_object(Kind.USER_MAPPING, name, parent="s") for name in ("app", "prod")]
    built = a_build(server, mapping[0])
    assert tell(built, a_database(server, mapping[1], owner="postgres"))
    assert not tell(built, a_database(server, mapping[1], owner="postgres"), prod="app")


def test_a_role_that_is_called_owner_is_not_the_owner() -> None:
    grants = [['"OWNER"', "SELECT", False]]
    live = a_database(*tables(1, owner="app", grants=grants))
    assert tell(a_build(*tables(1, grants=[READ])), live)


def test_a_right_that_only_the_newer_server_knows_is_not_compared() -> None:
    """GRANT ALL means MAINTAIN too since 17, and a dump says ALL."""
    all_then = [["reader", right, False] for right in ("DELETE", "SELECT")]
    all_now = [all_then[0], ["reader", "MAINTAIN", False], all_then[1]]
    one, other = (a_database(*tables(1, grants=grants)) for grants in (all_then, all_now))
    assert tell(one, other)
    old = msgspec.structs.replace(
        one, server=ServerFacts(version_num=160004, database="d", owner="app")
    )
    assert not tell(old, other)
    assert not tell(other, old)
