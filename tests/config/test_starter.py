"""A first document: sound wherever it is written, and without a secret in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import load_config, require_sound
from monitor.config.starter import Seen, Surroundings, list_databases, write_starter
from monitor.config.values import NAME

PLANTED = "pl4nted-s3cret"
APP = f"postgresql://app:{PLANTED}@db.example/app"
OTHER = f"postgres://app:{PLANTED}@db.example/billing"
DIRECT = f"postgresql+asyncpg://app:{PLANTED}@direct.example/app"

VARIABLES = st.from_regex(
    r"([A-Z][A-Z0-9_]{0,50}_)?(DATABASE|POSTGRES|PG|DB)(_UNPOOLED|_PUBLIC)?_(URL|URI|DSN)",
    fullmatch=True,
)
URLS = st.sampled_from([APP, OTHER, DIRECT, "mysql://h/d", "", "postgresql://", "text"])


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, []),
        ({"DATABASE_URL": APP}, [("app", "DATABASE_URL")]),
        ({"FOO\u00c9_DATABASE_URL": APP}, []),  # no reference can name it
        ({"DATABASE_URL": APP, "POSTGRES_URL": APP}, [("app", "DATABASE_URL")]),
        (
            {"BILLING_DATABASE_URL": OTHER, "DATABASE_URL": APP},
            [("app", "DATABASE_URL"), ("billing", "BILLING_DATABASE_URL")],
        ),
        (
            {"DATABASE_URL": APP, "DATABASE_UNPOOLED_URL": DIRECT},
            [("app", "DATABASE_UNPOOLED_URL")],
        ),
        ({"POSTGRES_URL": APP, "DB_DSN": OTHER}, [("app", "DB_DSN"), ("app_2", "POSTGRES_URL")]),
        ({"DATABASE_URL": "mysql://h/d", "DATABASE_PUBLIC_URL": APP}, []),
        ({"TEST_DATABASE_URL": APP, "ANCHORWATCH_STORE_DB_URL": APP, "MY_SHADOW_DB_URL": APP}, []),
        ({"HOMEPAGE_URL": APP, "DATABASE_URL": "postgresql://[broken"}, []),
    ],
)
def test_databases_are_found_in_variables(
    environ: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert [(one.name, one.variable) for one in list_databases(environ)] == expected


@given(st.dictionaries(VARIABLES, URLS, max_size=6), st.booleans())
def test_whatever_is_found_makes_a_sound_document_without_a_secret(
    environ: dict[str, str],
    has_slack: bool,  # noqa: FBT001  # hypothesis gives it
) -> None:
    seen = list_databases(environ)
    assert all(NAME.fullmatch(one.name) for one in seen)
    text = write_starter(seen, Surroundings(ini="./alembic.ini"), has_slack=has_slack)
    assert PLANTED not in text
    named = environ | ({} if seen else {"DATABASE_URL": APP})
    named = {name: value for name, value in named.items() if not name.startswith("ANCHORWATCH")}
    named |= {"SLACK_WEBHOOK_URL": "https://hooks.example/x", "ANCHORWATCH_CONFIG_YAML": text}
    loaded = load_config(named, cwd=Path("/nonexistent"))
    require_sound(loaded)
    assert set(loaded.settings.databases) == ({one.name for one in seen} or {"app"})


@pytest.mark.parametrize(
    ("around", "line"),
    [
        (Surroundings(lock="./schema.lock.json", ini="./alembic.ini"), "lock:./schema.lock.json"),
        (Surroundings(ini="./alembic.ini"), "alembic:./alembic.ini"),
    ],
)
def test_what_stands_in_the_directory_is_what_the_first_database_is_held_against(
    around: Surroundings, line: str
) -> None:
    seen = (Seen(name="app", variable="A_URL"), Seen(name="other", variable="B_URL"))
    text = write_starter(seen, around, has_slack=False)
    loaded = load_config(
        {"ANCHORWATCH_CONFIG_YAML": text, "A_URL": APP, "B_URL": OTHER}, cwd=Path("/nonexistent")
    )
    expected = {name: one.expected for name, one in loaded.settings.databases.items()}
    assert expected["app"] is not None
    assert expected["app"].get_secret_value() == line
    assert expected["other"] is None
