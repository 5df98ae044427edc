import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.core.errors import UsageError
from monitor.core.source import Scheme, Source, parse_source


@pytest.mark.parametrize(
    ("text", "path", "revision"),
    [
        ("alembic:alembic.ini", "alembic.ini", "heads"),
        ("alembic:a/alembic.ini@heads", "a/alembic.ini", "heads"),
        ("alembic:a/alembic.ini@head", "a/alembic.ini", "heads"),
        ("alembic:a/alembic.ini@base", "a/alembic.ini", "base"),
        ("alembic:a/alembic.ini@1975ea83b712", "a/alembic.ini", "1975ea83b712"),
        ("alembic:/srv/app@v2/alembic.ini", "/srv/app@v2/alembic.ini", "heads"),
        ("alembic:/srv/app@v2/alembic.ini@ab12", "/srv/app@v2/alembic.ini", "ab12"),
        ("alembic:me@work.ini", "me@work.ini", "heads"),
    ],
)
def test_a_revision_follows_the_last_at_sign(text: str, path: str, revision: str) -> None:
    source = parse_source(text)
    assert (source.scheme, source.path, source.revision) == (Scheme.ALEMBIC, path, revision)


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("postgresql://u:p@h/d", Scheme.POSTGRES),
        ("postgres+asyncpg://h/d", Scheme.POSTGRES),
        ("jdbc:postgresql://h/d", Scheme.POSTGRES),
        ("host=h dbname=d", Scheme.POSTGRES),
        ("models:app.db:Base.metadata", Scheme.MODELS),
        ("sql:schema.sql", Scheme.SQL),
        ("snapshot:a.json", Scheme.SNAPSHOT),
        ("shop_eu2", Scheme.NAME),
    ],
)
def test_every_way_to_write_a_source_is_told_by_its_start(text: str, scheme: Scheme) -> None:
    assert parse_source(text).scheme is scheme


@pytest.mark.parametrize("text", ["postgresql://u:hunter22@h/d", "host=h password=hunter22"])
def test_a_source_never_shows_its_password(text: str) -> None:
    source = parse_source(text)
    assert source.url == text
    assert "hunter22" not in f"{source}{source!r}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mysql://h/d", "mysql:// is no source"),
        ("alembic.ini", "alembic:FILE.ini"),
        ("dump.sql", "sql:FILE.sql"),
        ("agent:https://host/name", "later release"),
        ("agent:https://h/n", "later release"),
        ("alembic:", "path of a file"),
        ("alembic:a.ini@", "not a revision"),
        ("alembic:a.ini@+1", "not a revision"),
        ("models:app.db", "models:package.module:attribute"),
        ("sql:", "path of a file"),
        ("Shop", "This is no source"),
        ("", "is the variable"),
        (" ", "is the variable"),
    ],
)
def test_a_source_that_is_written_wrongly_is_told_how(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"postgresql://|Write") as caught:
        parse_source(text)
    assert said in str(caught.value)


def test_an_error_quotes_nothing_that_may_be_a_password() -> None:
    with pytest.raises(UsageError) as caught:
        parse_source("postgres//me:hunter22@host/db")
    assert "hunter22" not in str(caught.value)


@given(
    st.text()
    | st.from_regex(r"(alembic|models|sql|snapshot|lock|postgres|[a-z]{1,9}):?/?/?.{0,20}")
)
@example("alembic:\0")
def test_any_text_is_a_source_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(parse_source(text), Source)
