"""What people are shown means to the server what it meant, and hides nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.pasting import reveal
from monitor.core.printing import clean
from monitor.core.quoting import quote_ident, quote_literal
from tests.core.conftest import Admin
from tests.core.test_quoting import IDENTIFIER_BYTES, hostile, list_examples, texts

HIDDEN = "\u200b"
hidden = st.text(
    st.sampled_from("\u200b\u202e\x1b\x07\x85\u2028\ufeff\U000e0041\"'\\E +\nua1Ué"), max_size=15
)


@pytest.mark.asyncio(loop_scope="module")
async def test_what_a_person_is_shown_means_the_same(parser: Admin) -> None:
    await parser.execute("set standard_conforming_strings = on")
    for text in list_examples(texts | hidden):
        name = text.encode()[:IDENTIFIER_BYTES].decode(errors="ignore") or "x"
        shown = reveal(f"select {quote_literal(text)} as {quote_ident(name)}, '' as \"\\\"")
        assert shown is not None
        assert shown == clean(shown, keep_lines=True)
        [row] = await parser.fetch(shown)
        assert (row[0], next(iter(row.keys()))) == (text, name)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "condition",
    [
        r"E'it\'s' || 'x?'",
        r"e'it\'s' || 'x?'",
        r"e'\?' || e'\\?'",
        "$$it's$$ || 'x?'",
        "$a$it's$a$ || 'x?'",
        "'a' /* it's */ || 'x?'",
        "'a'\t|| 'x?' -- it's",
        "e'x?'",
        "'x' || '\\?'",
    ],
)
async def test_a_condition_of_somebodys_means_the_same(parser: Admin, condition: str) -> None:
    await parser.execute("set standard_conforming_strings = on")
    statement = f"select {condition.replace('?', HIDDEN)}"
    shown = reveal(statement)
    assert shown is not None
    assert shown == clean(shown, keep_lines=True)
    assert await parser.fetchval(shown) == await parser.fetchval(statement)
    assert HIDDEN in str(await parser.fetchval(shown))


@pytest.mark.parametrize(
    "condition",
    [
        "$$?$$",
        "U&'?'",
        "N'?'",
        "'a' like'?'",
        "'x'\n'?'",
        "'?' -- it's\n 'x'",
        "/* ? */ 'a'",
        "a?",
    ],
)
def test_what_no_escape_can_say_is_not_shown(condition: str) -> None:
    assert reveal(f"select {condition.replace('?', HIDDEN)}") is None


@given((texts | hostile).filter(lambda text: clean(text, keep_lines=True) == text))
def test_what_hides_nothing_is_shown_as_it_is(text: str) -> None:
    statement = f"select {quote_literal(text)} as {quote_ident(text)}"
    assert reveal(statement) == statement
