"""YAML as texts with their places, and `${VAR}` in them."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.document import Layer, expand, read_document
from monitor.core.errors import ConfigurationError


def read(text: str, **environ: str) -> Layer:
    return read_document(text, label="a.yaml", environ=environ)


def test_every_scalar_stays_the_text_that_was_written() -> None:
    layer = read("a: on\nb: 0123\nc: 1e3\nd: 'x'\ne: 2001-01-01\nf: null\ng: ~\nh: [1, yes]\ni:\n")
    assert layer.tree == {
        "a": "on",
        "b": "0123",
        "c": "1e3",
        "d": "x",
        "e": "2001-01-01",
        "f": None,
        "g": None,
        "h": ["1", "yes"],
        "i": None,
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "~", "---\n", "\ufeff# nothing"])
def test_an_empty_document_says_nothing(text: str) -> None:
    assert read(text).tree == {}


def test_every_key_knows_its_line() -> None:
    layer = read("a: 1\n\nb:\n  c: x\n  d:\n    - y\n")
    assert layer.origins["a",] == "a.yaml:1:a"
    assert layer.origins["b", "c"] == "a.yaml:4:b.c"
    assert layer.origins["b", "d"] == "a.yaml:5:b.d"


def test_anchors_and_merge_keys_are_read_as_if_written_out() -> None:
    layer = read("x: &x {a: 1, b: 2}\ny: {b: 3, <<: *x}\nz: {<<: [{a: 5}, *x]}\nw: *x\n")
    assert layer.tree["y"] == {"a": "1", "b": "3"}
    assert layer.tree["z"] == {"a": "5", "b": "2"}
    assert layer.tree["w"] == {"a": "1", "b": "2"}


def test_a_repeated_key_is_a_flaw_and_the_first_one_stays() -> None:
    layer = read("a: 1\nb: 2\na: 3\n")
    assert layer.tree == {"a": "1", "b": "2"}
    assert [str(flaw.problem) for flaw in layer.flaws] == [
        "a.yaml:3:a: The key stands here a second time, after line 1. Keep one of them."
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [", "line 2, column 1"),
        ("a: b: c", "line 1, column 5"),
        ("x: 1\na: *hunter2", "line 2, column 4"),
        ("a: %hunter2", "line 1, column 4"),
        ("\ta: 1", "line 1, column 1"),
        ("a: 'hunter2", "line 1, column 12"),
        ("a: 1\n---\nb: 2", "line 2, column 1"),
        ("a: 1\nb: \x00hunter2", "line 2, column 4"),
        ("url: hunter2: x", "line 1, column 13"),
        ("{url: ${hunter2}}", "line 1, column 8"),
    ],
)
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_malformed_yaml_is_one_sentence_with_line_and_column(
    text: str, place: str, loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.config.document._LOADER", getattr(yaml, loader))
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert "a.yaml is not valid YAML" in caught.value.message
    assert loader == "SafeLoader" or place in caught.value.message
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50 + "]" * 50,
        "[" * 200_000,
        "\n".join(" " * i + "a:" for i in range(100)),
        "&a [*a]",
        "a: &a {b: *a}",
        "x0: &x0 [y, y]\n"
        + "".join(f"x{i}: &x{i} [*x{i - 1}, *x{i - 1}, *x{i - 1}]\n" for i in range(1, 20)),
    ],
    ids=["deep", "deeper", "block", "self", "self_mapping", "laughs"],
)
def test_a_document_that_grows_without_end_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        read(text)


@pytest.mark.parametrize("text", ["a", "- a", "[]", "1"])
def test_a_document_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="should hold keys"):
        read(text)


def test_tags_are_refused_and_nothing_is_constructed() -> None:
    layer = read("a: !!python/object/apply:os.system [x]\nb: !secret hunter2\n")
    assert layer.tree["b"] == ""
    assert all("hunter2" not in str(flaw) for flaw in layer.flaws)
    assert [flaw.message for flaw in layer.flaws] == ["A tag stands here."] * 2


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${A}", "one"),
        ("x${A}y${A}", "xoneyone"),
        ("${EMPTY}", ""),
        ("${A:-two}", "one"),
        ("${NONE:-two}", "two"),
        ("${NONE:-}", ""),
        ("${EMPTY:-two}", "two"),
        ("${A:?needed}", "one"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$A", "$A"),
        ("pa$word$", "pa$word$"),
        ("${NEVER_AGAIN}", "${A}"),
    ],
)
def test_references_are_replaced_once(text: str, expanded: str) -> None:
    environ = {"A": "one", "EMPTY": "", "NEVER_AGAIN": "${A}"}
    assert expand(text, environ) == expanded


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NONE}", "${NONE} is not set."),
        ("${NONE:?ask the team}", "${NONE} is not set: ask the team."),
        ("${EMPTY:?}", "${EMPTY} is not set."),
        ("${", "A reference to a variable is written wrongly."),
        ("${1}", "A reference to a variable is written wrongly."),
        ("${{Postgres.DATABASE_URL}}", "A reference to a variable is written wrongly."),
        ("${A:-${B}}", "A reference to a variable is written wrongly."),
        ("${A:+x}", "A reference to a variable is written wrongly."),
    ],
)
def test_a_reference_to_nothing_names_its_place(text: str, message: str) -> None:
    layer = read(f"x: 1\ny:\n  z: '{text}'\n", A="one", EMPTY="")
    assert [f"{flaw.where}: {flaw.message}" for flaw in layer.flaws] == [
        f"a.yaml:3:y.z: {message}"
    ]


@given(st.text())
def test_a_value_never_changes_the_shape_of_the_document(value: str) -> None:
    layer = read("a: ${V}\nb: 1\n", V=value)
    assert layer.tree == {"a": value, "b": "1"}


@given(st.text(alphabet="ab:-[]{},&*!|>'\"%@` \n\t#?$<~\x00é\ud800") | st.text())
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    complaint = ""
    try:
        read(text, a="1")
    except ConfigurationError as error:
        complaint = str(error)
    assert "\n" not in complaint
