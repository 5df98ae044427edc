"""Text for people: hostile names are shown, never sent; groups, columns and sums hold."""

import sys
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from monitor.cli.layout import Item, count_changes, write_items, write_markdown
from monitor.cli.progress import ignore, show_progress
from monitor.core.difference import Change, Difference
from monitor.core.findings import Evidence, Severity
from monitor.core.keys import Kind, ObjectKey
from monitor.core.message import describe_sides
from monitor.core.printing import clean
from monitor.core.rules import ChangeKind

ITEMS = st.builds(
    Item,
    key=st.builds(
        ObjectKey,
        kind=st.sampled_from(Kind),
        schema=st.one_of(st.none(), st.text(max_size=8)),
        parent=st.one_of(st.none(), st.text(max_size=8)),
        name=st.text(max_size=8),
    ),
    change=st.sampled_from(["missing", "unexpected", "altered"]),
    title=st.text(max_size=30),
    severity=st.sampled_from(Severity),
    code=st.just("AW204"),
    evidence=st.lists(
        st.builds(Evidence, name=st.just("type"), expected=st.text(), actual=st.one_of(st.none())),
        max_size=2,
    ).map(tuple),
    id=st.sampled_from(["", "b08916575f61"]),
)


@given(st.lists(ITEMS, max_size=10))
def test_every_item_has_its_line_and_no_line_breaks(items: list[Item]) -> None:
    lines = list(write_items(items))
    endings = ("  AW204", "  AW204  b08916575f61")
    assert sum(line.endswith(endings) for line in lines) == len(items)
    assert not any("\n" in line or "\x1b" in line for line in lines)


def test_a_server_stands_with_what_belongs_to_it() -> None:
    server = ObjectKey(kind=Kind.FOREIGN_SERVER, schema=None, parent=None, name="far")
    mapping = ObjectKey(kind=Kind.USER_MAPPING, schema=None, parent="far", name="anna")
    items = [
        Item(key, "altered", f"{key} differs in options", Severity.WARNING, "AW206", ())
        for key in (mapping, server)
    ]
    assert [line.split("  warning")[0].strip() for line in write_items(items)] == [
        "far",
        "~ foreign server differs in options",
        "~ user mapping anna differs in options",
    ]


@given(st.lists(st.sampled_from(["missing", "unexpected", "altered"]), min_size=1))
def test_the_sum_of_the_counts_is_the_number_of_items(changes: list[ChangeKind]) -> None:
    key = ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name="t")
    items = [Item(key, change, str(key), Severity.INFO, "AW204", ()) for change in changes]
    told = count_changes(items).split(", ")
    assert sum(int(part.split()[0]) for part in told) == len(items)


@given(st.text(max_size=40))
@example("a|b\n<script>`*_[x](y)@team &amp;")
@example("see http://evil.example/ and www.evil.example, @team")
@example("a\\|b`")
@example("`")
def test_markdown_shows_a_name_as_it_is_and_as_nothing_else(name: str) -> None:
    key = ObjectKey(kind=Kind.TABLE, schema="public", parent=None, name=name)
    owner = Evidence(name="owner", expected=name, actual=None)
    change = Change("altered", key, (owner,), "AW206", Severity.WARNING)
    text = write_markdown(Difference(changes=(change,), notes=()))
    cells = read_row(text)
    assert len(cells) == 6
    assert cells[1] == ("altered table ", clean(f"public.{name}"))
    assert cells[2:4] == [("owner", ""), ("", clean(describe_sides(owner)[0]))]
    assert cells[4:] == [("nothing", ""), ("AW206", "")]


def read_row(text: str) -> list[tuple[str, str]]:
    """What a renderer makes of the cells of the one row: plain text, and text in code."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [token for token in tokens if token.type == "inline"][6:12]
    return [read_cell(token.children or []) for token in inline]


def read_cell(tokens: Sequence[Token]) -> tuple[str, str]:
    plain, code, is_code = "", "", False
    for token in tokens:
        match token.type:
            case "html_inline":
                is_code = {"<code>": True, "</code>": False}[token.content]
            case "code_inline":
                code += token.content
            case "text" | "text_special" if is_code:
                code += token.content
            case "text":
                plain += token.content
            case other:
                raise AssertionError(other)
    return plain, code


def test_progress_is_shown_on_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert not sys.stderr.isatty()
    with show_progress("reading") as progress:
        progress("more")
    assert progress is ignore
    assert capsys.readouterr() == ("", "")
