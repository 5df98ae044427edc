"""Storage parameters mean the same in several spellings, and no two meanings are one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.keys import Kind
from monitor.core.kinds import Value
from monitor.core.parameters import mean_the_same
from monitor.core.spelling import are_synonyms

SAME = [
    (["fastupdate=off"], ["fastupdate=false"]),
    (["security_invoker=on"], ["security_invoker=true"]),
    (["security_invoker=T"], ["security_invoker=1"]),
    (["vacuum_index_cleanup=NO"], ["vacuum_index_cleanup=off"]),
    (["vacuum_index_cleanup=AUTO"], ["vacuum_index_cleanup=auto"]),
    (["check_option=LOCAL"], ["check_option=local"]),
    (["autovacuum_vacuum_scale_factor=0.10"], ["autovacuum_vacuum_scale_factor=.1"]),
    (["n_distinct=-5e-1"], ["n_distinct=-0.5"]),
    (["fillfactor=70", "fastupdate=on"], ["fastupdate=yes", "fillfactor=70"]),
    ([[1, ["siglen=32"]]], [[1, ["siglen=+32"]]]),
]
OTHER = [
    (["fastupdate=off"], ["fastupdate=on"]),
    (["fastupdate=o"], ["fastupdate=on"]),
    (["fastupdate="], ["fastupdate=off"]),
    (["fastupdate=on "], ["fastupdate=on"]),
    (["autovacuum_enabled=1"], ["autovacuum_enabled=1.0"]),
    (["vacuum_index_cleanup=auto"], ["vacuum_index_cleanup=on"]),
    (["fillfactor=70"], ["fillfactor=on"]),
    (["fillfactor=1"], ["fillfactor=true"]),
    (["fillfactor=070"], ["fillfactor=70"]),
    (["fillfactor=0x46"], ["fillfactor=70"]),
    (["fillfactor=70"], ["fillfactor=70", "fastupdate=on"]),
    (["fillfactor=70"], None),
    (None, ["fillfactor=70"]),
    (["of_an_extension=on"], ["of_an_extension=true"]),
    (["version=1.10"], ["version=1.1"]),
    ([[1, ["siglen=32"]]], [[2, ["siglen=32"]]]),
    ([[1, ["siglen=1"]], [2, ["siglen=2"]]], [[1, ["siglen=2"]], [2, ["siglen=1"]]]),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_a_parameter_mean_the_same(one: Value, other: Value) -> None:
    assert mean_the_same(one, other)
    assert mean_the_same(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_parameter_means_something_else(one: Value, other: Value) -> None:
    assert not mean_the_same(one, other)
    assert not mean_the_same(other, one)


@given(st.lists(st.text(alphabet="on=1e.fillfactor\u0130", max_size=20), max_size=3))
def test_parameters_of_whatever_text_mean_what_they_are(value: list[str]) -> None:
    assert mean_the_same(value, [*value])


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [
        (Kind.TABLE, "options"),
        (Kind.TABLE, "toast_options"),
        (Kind.COLUMN, "options"),
        (Kind.VIEW, "options"),
        (Kind.PRIMARY_KEY, "options"),
    ],
)
def test_parameters_of_every_kind_have_spellings(kind: Kind, attribute: str) -> None:
    on = ["autovacuum_enabled=on", "n_distinct=0.5"]
    assert are_synonyms(kind, attribute, on, ["autovacuum_enabled=t", "n_distinct=0.50"])


def test_the_options_of_a_foreign_table_are_texts_of_their_own() -> None:
    args = ("foreign_options", ["fastupdate=on"], ["fastupdate=true"])
    assert not are_synonyms(Kind.FOREIGN_TABLE, *args)
