"""The same thing under another name is one change."""

import pytest

from monitor.core.diff import diff
from monitor.core.keys import Kind
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import SchemaObject, make_snapshot
from tests.cases.reader import describe
from tests.core.builders import a_column, a_table, an_object, say


@pytest.mark.parametrize(
    "kind",
    [
        Kind.INDEX,
        Kind.PRIMARY_KEY,
        Kind.UNIQUE,
        Kind.FOREIGN_KEY,
        Kind.CHECK,
        Kind.EXCLUSION,
        Kind.TRIGGER,
        Kind.POLICY,
        Kind.STATISTICS,
    ],
)
def test_a_rename_is_one_change(kind: Kind) -> None:
    table = a_table("t", columns=["id"])
    old, new = an_object(kind, "old", parent="t"), an_object(kind, "new", parent="t")
    difference = diff(make_snapshot([table, old]), make_snapshot([table, new]))
    assert describe(difference) == (f"altered {kind.value} public.t.old: name",)
    [evidence] = difference.changes[0].attributes
    assert (evidence.name, evidence.expected, evidence.actual) == ("name", "old", "new")


@pytest.mark.parametrize("kind", [Kind.TABLE, Kind.COLUMN, Kind.VIEW, Kind.RULE, Kind.FUNCTION])
def test_what_is_known_by_its_name_is_not_renamed(kind: Kind) -> None:
    parent = "t" if kind in (Kind.COLUMN, Kind.RULE) else None
    old, new = an_object(kind, "old", parent=parent), an_object(kind, "new", parent=parent)
    assert {line.split()[0] for line in say([old], [new])} == {"missing", "unexpected"}


@pytest.mark.parametrize(
    ("kind", "wanted", "found"),
    [
        (Kind.INDEX, "deduplicate_items=off", "deduplicate_items=false"),
        (Kind.UNIQUE, "fillfactor=70", "fillfactor=70.0"),
    ],
)
def test_what_was_renamed_and_its_parameters_respelt_is_renamed(
    kind: Kind, wanted: str, found: str
) -> None:
    old = an_object(kind, "old", parent="t", columns=["a"], options=[wanted])
    new = an_object(kind, "new", parent="t", columns=["a"], options=[found])
    told = describe(diff(make_snapshot([old]), make_snapshot([new])))
    assert told == (
        f"altered {kind.value} public.t.old: name",
        f"note spelling {kind.value} public.t.old",
    )


def test_a_rename_is_one_to_one() -> None:
    one, two, three = (an_object(Kind.INDEX, name, parent="t") for name in ("a", "b", "c"))
    assert say([one], [two, three]) == (
        "missing index public.t.a",
        "unexpected index public.t.b",
        "unexpected index public.t.c",
    )


def test_equal_ones_are_paired_by_what_is_left_of_them() -> None:
    a, b, c, d = (an_object(Kind.INDEX, name, parent="t", columns=["n"]) for name in "abcd")
    assert say([a, b], [a, c]) == ("altered index public.t.b: name",)
    assert say([a, b], [c, d]) == (
        "altered index public.t.a: name",
        "altered index public.t.b: name",
    )
    assert say([a, b], [c]) == (
        "missing index public.t.a",
        "missing index public.t.b",
        "unexpected index public.t.c",
    )


def test_two_names_that_were_swapped_are_two_renames() -> None:
    def build(one: str, two: str) -> list[SchemaObject]:
        return [
            an_object(Kind.INDEX, one, parent="t", columns=["x"]),
            an_object(Kind.INDEX, two, parent="t", columns=["y"]),
        ]

    difference = diff(make_snapshot(build("a", "b")), make_snapshot(build("b", "a")))
    assert describe(difference) == (
        "altered index public.t.a: name",
        "altered index public.t.b: name",
    )
    assert [c.attributes[0].actual for c in difference.changes] == ["b", "a"]


def test_names_that_moved_on_are_renames() -> None:
    def build(*names: str) -> list[SchemaObject]:
        columns = zip(names, "xyz", strict=True)
        return [an_object(Kind.INDEX, n, parent="t", columns=[c]) for n, c in columns]

    assert say(build("a", "b", "c"), build("b", "c", "d")) == tuple(
        f"altered index public.t.{name}: name" for name in "abc"
    )


def test_a_name_that_only_one_thing_took_is_no_rename() -> None:
    x, y = (an_object(Kind.INDEX, n, parent="t", columns=[c]) for n, c in ("ax", "by"))
    taken = an_object(Kind.INDEX, "a", parent="t", columns=["y"])
    assert say([x, y], [taken]) == (
        "altered index public.t.a: columns",
        "missing index public.t.b",
    )


def test_sequences_are_not_paired_by_chance() -> None:
    """Most sequences count alike: a lost one must not hide behind one that somebody made."""
    one, two, three, four = (an_object(Kind.SEQUENCE, name) for name in "abcd")
    assert say([one], [two]) == ("missing sequence public.a", "unexpected sequence public.b")
    assert len(say([one, two], [three, four])) == 4


@pytest.mark.parametrize("name", ["z", "It's", 'A "Z"', "a.b"])
def test_a_sequence_is_renamed_where_what_mentions_it_moved_with_it(name: str) -> None:
    def build(sequence: str) -> list[SchemaObject]:
        written = sequence if sequence.islower() and sequence.isalpha() else quote_ident(sequence)
        constant = f"public.{written}".replace("'", "''")
        return [
            an_object(Kind.SEQUENCE, sequence),
            a_column("t", "id", default=f"nextval('{constant}'::regclass)"),
        ]

    default = a_column("t", "id", default="nextval('public.other'::regclass)")
    other = an_object(Kind.SEQUENCE, "other", start=9)
    assert say(build("s"), build(name)) == ("altered sequence public.s: name",)
    assert say([*build("s"), other], [build(name)[0], default, other]) == (
        "altered column public.t.id: default",
        "missing sequence public.s",
        f"unexpected sequence public.{name}",
    )


def test_a_sequence_of_a_column_is_renamed_whatever_mentions_it() -> None:
    one, two = (
        an_object(Kind.SEQUENCE, name, owned_by=["public", "t", "id"]) for name in ("a", "b")
    )
    assert say([one], [two]) == ("altered sequence public.a: name",)


def test_the_rename_of_a_sequence_is_followed_in_the_texts_that_draw_from_it() -> None:
    def build(sequence: str) -> list[SchemaObject]:
        draw = f"nextval('public.{sequence}'::regclass)"
        return [
            an_object(Kind.SEQUENCE, sequence),
            an_object(Kind.VIEW, "v", definition=f" SELECT 'it''s' AS \"'\", {draw} AS n;"),
            an_object(Kind.CHECK, "c", parent="t", expression=f"(id < {draw})"),
        ]

    assert say(build("s"), build("z")) == ("altered sequence public.s: name",)


def test_a_literal_that_only_reads_like_the_sequence_is_no_mention_to_follow() -> None:
    def build(sequence: str, text: str) -> list[SchemaObject]:
        draw = f"nextval('public.{sequence}'::regclass)"
        literal = f"'x''public.{text}''::regclass'::text"
        return [
            an_object(Kind.SEQUENCE, sequence),
            an_object(Kind.VIEW, "v", definition=f" SELECT {literal} AS l, {draw} AS n;"),
        ]

    assert say(build("s", "s"), build("z", "s")) == ("altered sequence public.s: name",)
    assert "altered view public.v: definition" in say(build("s", "s"), build("z", "z"))


@pytest.mark.parametrize(
    ("kind", "attribute", "value"),
    [
        (Kind.INDEX, "comment", "by n"),
        (Kind.FOREIGN_KEY, "valid", False),
        (Kind.CHECK, "valid", False),
        (Kind.TRIGGER, "enabled", "disabled"),
        (Kind.STATISTICS, "owner", "anna"),
    ],
)
def test_what_a_renamed_thing_is_besides_is_told_with_it(
    kind: Kind, attribute: str, value: object
) -> None:
    old = an_object(kind, "old", parent="t")
    new = an_object(kind, "new", parent="t", **{attribute: value})
    assert say([old], [new]) == (f"altered {kind.value} public.t.old: name, {attribute}",)


def test_an_index_that_is_not_valid_stands_for_none_that_is() -> None:
    old = an_object(Kind.INDEX, "old", parent="t")
    new = an_object(Kind.INDEX, "new", parent="t", valid=False)
    assert say([old], [new]) == ("missing index public.t.old", "unexpected index public.t.new")


def test_a_rename_stays_on_its_table() -> None:
    old, new = (an_object(Kind.INDEX, "i", parent=table) for table in ("t", "u"))
    assert say([old], [new]) == ("missing index public.t.i", "unexpected index public.u.i")


def test_a_rename_is_not_told_again_by_what_mentions_it() -> None:
    def build(index: str, sequence: str) -> list[SchemaObject]:
        return [
            a_table("t", columns=["id"], cluster_index=index, replica_identity=["index", index]),
            an_object(Kind.INDEX, index, parent="t", columns=["id"]),
            an_object(Kind.SEQUENCE, sequence, owned_by=["public", "t", "id"]),
            a_column("t", "id", default=f"nextval('public.{sequence}'::regclass)"),
        ]

    assert say(build("i", "s"), build("j", "z")) == (
        "altered index public.t.i: name",
        "altered sequence public.s: name",
    )


def test_what_kept_its_word_while_the_names_were_swapped_means_something_else() -> None:
    """The replica identity says ``i`` as before, and ``i`` is now the other index."""

    def build(one: str, two: str) -> list[SchemaObject]:
        return [
            a_table("t", columns=["x", "y"], cluster_index="i", replica_identity=["index", "i"]),
            an_object(Kind.INDEX, one, parent="t", columns=["x"]),
            an_object(Kind.INDEX, two, parent="t", columns=["y"]),
            an_object(Kind.SEQUENCE, one + "s", start=1),
            an_object(Kind.SEQUENCE, two + "s", start=2),
            a_column("t", "x", default="nextval('public.is'::regclass)"),
        ]

    assert say(build("i", "j"), build("j", "i")) == (
        "altered column public.t.x: default",
        "altered index public.t.i: name",
        "altered index public.t.j: name",
        "altered sequence public.is: name",
        "altered sequence public.js: name",
        "altered table public.t: cluster_index, replica_identity",
    )


def test_two_sequences_that_were_swapped_are_followed() -> None:
    def build(one: str, two: str) -> list[SchemaObject]:
        return [
            an_object(Kind.SEQUENCE, one, start=1),
            an_object(Kind.SEQUENCE, two, start=2),
            a_column("t", "n", default=f"nextval('public.\"{one}\"'::regclass)"),
        ]

    assert say(build("A", "B"), build("B", "A")) == (
        "altered sequence public.A: name",
        "altered sequence public.B: name",
    )


def test_a_renamed_key_of_which_the_triggers_are_disabled_is_followed_on_both_tables() -> None:
    def build(name: str) -> list[SchemaObject]:
        triggers = [["a", "always"], [name, "disabled"]]
        return [
            a_table("t", columns=["id"], internal_triggers=sorted(triggers)),
            a_table("u", columns=["id"], internal_triggers=sorted(triggers)),
            an_object(Kind.FOREIGN_KEY, name, parent="t", references=["public", "u"]),
        ]

    assert say(build("k"), build("Z")) == ("altered foreign_key public.t.k: name",)


def test_a_default_that_draws_from_another_sequence_is_told() -> None:
    sequences = [an_object(Kind.SEQUENCE, name, start=n) for n, name in enumerate("ab")]
    columns = [a_column("t", "id", default=f"nextval('public.{name}'::regclass)") for name in "ab"]
    assert say([*sequences, columns[0]], [*sequences, columns[1]]) == (
        "altered column public.t.id: default",
    )


def test_a_sequence_whose_name_was_taken_is_not_renamed_where_the_last_one_is_lost() -> None:
    """`a` counts like `c`, and what is called `a` now counts like `b`: of which none is left."""
    a, b = an_object(Kind.SEQUENCE, "a"), an_object(Kind.SEQUENCE, "b", increment=5)
    other, c = an_object(Kind.SEQUENCE, "a", increment=5), an_object(Kind.SEQUENCE, "c")
    assert say([a, b], [other, c]) == (
        "altered sequence public.a: increment",
        "missing sequence public.b",
        "unexpected sequence public.c",
    )


@pytest.mark.parametrize(
    ("attribute", "values"),
    [("replica_identity", (["index", "i2"], ["index", "j1"])), ("cluster_index", ("i2", "j1"))],
)
def test_of_equal_indexes_the_one_that_its_table_names_is_renamed_with_it(
    attribute: str, values: tuple[list[str] | str, list[str] | str]
) -> None:
    tables = [a_table("t", columns=["a"], **{attribute: value}) for value in values]
    i1, i2, j1, j2 = (
        an_object(Kind.INDEX, name, parent="t", columns=["a"]) for name in ("i1", "i2", "j1", "j2")
    )
    difference = diff(make_snapshot([tables[0], i1, i2]), make_snapshot([tables[1], j1, j2]))
    assert {c.key.name: c.attributes[0].actual for c in difference.changes} == {
        "i1": "j2",
        "i2": "j1",
    }
