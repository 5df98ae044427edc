"""What is quoted here means itself to the server, whatever it holds."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.quoting import quote_ident, quote_literal
from tests.core.conftest import Admin

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
hostile = st.text(st.sampled_from("\"'\\$%:;-/*E \n\ta.é\N{ANCHOR}"), max_size=20)
IDENTIFIER_BYTES = 63


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("conforming", ["on", "off"])
async def test_a_literal_comes_back_as_it_went(parser: Admin, conforming: str) -> None:
    await parser.execute(
        f"set standard_conforming_strings = {conforming}; set escape_string_warning = off"
    )
    for text in list_examples(texts | hostile):
        [row] = await parser.fetch(f"select {quote_literal(text)}")
        assert row[0] == text


@pytest.mark.asyncio(loop_scope="module")
async def test_an_identifier_names_what_it_says(parser: Admin) -> None:
    for text in list_examples(texts | hostile):
        name = text.encode()[:IDENTIFIER_BYTES].decode(errors="ignore") or "x"
        [row] = await parser.fetch(f"select 1 as {quote_ident(name)}")
        assert list(row.keys()) == [name]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_server_quotes_no_name_that_we_read_differently(parser: Admin) -> None:
    for text in list_examples(hostile):
        name = text or "x"
        theirs = await parser.fetchval("select quote_ident($1)", name)
        assert theirs in (quote_ident(name), name)


@given(texts | hostile)
def test_an_identifier_is_always_quoted(name: str) -> None:
    quoted = quote_ident(name)
    assert quoted[0] == quoted[-1] == '"'
    assert quoted[1:-1].replace('""', '"') == name


@given(texts)
def test_a_literal_without_a_backslash_is_plain(text: str) -> None:
    plain = text.replace("\\", "")
    assert quote_literal(plain)[1:-1].replace("''", "'") == plain


@pytest.mark.parametrize("quote", [quote_ident, quote_literal])
def test_a_nul_character_is_refused(quote: object) -> None:
    assert callable(quote)
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")


def list_examples(strategy: st.SearchStrategy[str]) -> list[str]:
    """A hundred examples; hypothesis cannot wait for a server by itself."""
    found: list[str] = ["", "'", '"', "\\", "E'", "$$", "a'; drop table t; --"]

    @settings(max_examples=100, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(text: str) -> None:
        found.append(text)

    collect()
    return found
