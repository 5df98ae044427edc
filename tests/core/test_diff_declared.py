"""Owners and privileges count where somebody declared some."""

import pytest

from monitor.core.diff import diff
from monitor.core.findings import Severity
from monitor.core.keys import Kind
from monitor.core.snapshot import ServerFacts, make_snapshot
from tests.cases.reader import describe
from tests.core.builders import a_column, a_table, an_object


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("owner", "alice"), ("grants", [["alice", "SELECT", False]])],
)
def test_what_a_shadow_does_not_declare_is_information(attribute: str, value: object) -> None:
    live = make_snapshot([a_table("t", columns=[], **{attribute: value})])
    built = make_snapshot([a_table("t", columns=[])], builder="builder")
    [change] = diff(built, live).changes
    assert (change.severity, [e.name for e in change.attributes]) == (Severity.INFO, [attribute])
    assert not diff(live, built)
    [change] = diff(make_snapshot([a_table("t", columns=[])]), live).changes
    assert change.severity is Severity.WARNING


def test_the_owner_of_the_database_stands_for_the_builder() -> None:
    server = ServerFacts(version_num=180000, database="d", owner="alice")
    live = make_snapshot([a_table("t", columns=[], owner="alice")], server=server)
    assert not diff(make_snapshot([a_table("t", columns=[])], builder="builder"), live)


def test_who_declares_one_privilege_declares_all_of_them() -> None:
    read, write = ["anna", "SELECT", False], ["ben", "INSERT", False]
    taken = ["PUBLIC", "EXECUTE", False]
    for rights in ({"grants": [read, write]}, {"grants": [read], "revokes": [taken]}):
        built = make_snapshot([a_table("t", columns=[], grants=[read])], builder="builder")
        live = make_snapshot([a_table("t", columns=[], **rights)])
        [change] = diff(built, live).changes
        assert (change.code, change.severity) == ("AW285", Severity.WARNING)


@pytest.mark.parametrize("declared", ["t", "n"])
def test_a_table_and_its_columns_are_declared_together(declared: str) -> None:
    """A right on the whole table makes one on a single column say nothing."""
    grants = {"grants": [["anna", "SELECT", False]]}
    table, column = a_table("t", columns=["n"]), a_column("t", "n")
    own = {"t": a_table("t", columns=["n"], **grants), "n": a_column("t", "n", **grants)}
    plain = {"t": table, "n": column}
    built = make_snapshot((plain | {declared: own[declared]}).values(), builder="builder")
    [change] = diff(built, make_snapshot(own.values())).changes
    assert change.severity is Severity.WARNING


def test_what_differs_and_was_declared_is_apart_from_what_was_not() -> None:
    built = make_snapshot([a_table("t", columns=[])], builder="builder")
    live = make_snapshot([a_table("t", columns=[], owner="anna", persistence="unlogged")])
    told = [(c.code, c.severity.value) for c in diff(built, live).changes]
    assert told == [("AW206", "warning"), ("AW286", "info")]


def test_default_privileges_of_which_nothing_is_declared_are_information() -> None:
    read = [["anna", "SELECT", False]]
    given = an_object(Kind.DEFAULT_PRIVILEGE, "ben tables", grants=read)
    other = an_object(Kind.DEFAULT_PRIVILEGE, "ben types", grants=read)
    for declared, severity in (([], "info"), ([other], "info"), ([given], None)):
        built = make_snapshot(declared, builder="builder")
        changes = diff(built, make_snapshot([*declared, given])).changes
        assert [c.severity.value for c in changes] == ([severity] if severity else [])
    cleo = an_object(Kind.DEFAULT_PRIVILEGE, "cleo tables", grants=read)
    built = make_snapshot([given], builder="builder")
    [change] = diff(built, make_snapshot([given, cleo])).changes
    assert change.severity is Severity.WARNING


def test_what_default_privileges_gave_is_told_once() -> None:
    """A reader of all tables is one fact, however many tables there are."""
    read = ["anna", "SELECT", False]
    tables = [a_table(name, columns=[]) for name in "tu"]
    readable = [a_table(name, columns=[], grants=[read]) for name in "tu"]
    given = an_object(Kind.DEFAULT_PRIVILEGE, "ben tables", grants=[read])
    built = make_snapshot(tables, builder="builder")
    assert describe(diff(built, make_snapshot([*readable, given]))) == (
        "unexpected default_privilege public.ben tables",
    )
    assert len(diff(built, make_snapshot(readable)).changes) == 2


def test_what_a_shadow_declares_is_compared() -> None:
    built = make_snapshot([a_table("t", columns=[], owner="alice")], builder="builder")
    live = make_snapshot([a_table("t", columns=[], owner="bob")])
    assert describe(diff(built, live)) == ("altered table public.t: owner",)
