"""A document on a terminal: whoever parses it reads what was meant, and no line obeys it."""

import io
import json
from contextlib import redirect_stdout

from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.output import print_json
from monitor.core.printing import HIDDEN


def write(name: str) -> str:
    with redirect_stdout(io.StringIO()) as out:
        print_json({"name": name})
    return out.getvalue()


@given(name=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_document_says_what_was_meant_and_hides_nothing(name: str) -> None:
    text = write(name)
    assert json.loads(text)["name"] == name
    assert not HIDDEN.search(text.replace("\n", ""))


def test_what_lies_above_the_first_plane_is_a_pair() -> None:
    assert r"users\udb40\udc41\u200d" in write("users\U000e0041\u200d")
