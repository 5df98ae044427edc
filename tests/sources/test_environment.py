import pytest

from monitor.sources.environment import clean_environment

SECRET = "postgresql+asyncpg://me:hunter22@db.example.org/shop"  # noqa: S105  # of nobody


@pytest.mark.parametrize(
    "name",
    [
        *("DATABASE_URL", "BILLING_DATABASE_URL", "DATABASE_PRIVATE_URL", "DB_URL", "DB_DSN"),
        *("PGHOST", "PGPASSWORD", "PGSERVICE", "POSTGRES_SERVER", "POSTGRES_PASSWORD", "DB_HOST"),
        *(
            "SQLALCHEMY_URL",
            "SQLALCHEMY_DATABASE_URI",
            "APP_DB_PASSWORD",
            "DATABASE",
            "ALEMBIC_URL",
        ),
        *("ANCHORWATCH_TOKEN", "database_url"),
    ],
)
def test_a_variable_that_names_a_database_is_cleared(name: str) -> None:
    environment = clean_environment({name: "x", "PATH": "/bin"})
    assert environment.cleared == (name,)
    assert dict(environment.variables) == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "name",
    ["PATH", "HOME", "PYTHONPATH", "DBUS_SESSION_BUS_ADDRESS", "REDIS_URL", "DB_ECHO", "LANG"],
)
def test_other_variables_stay(name: str) -> None:
    assert dict(clean_environment({name: "x"}).variables) == {name: "x"}


def test_a_database_url_is_cleared_whatever_its_name() -> None:
    environment = clean_environment({"STORE": SECRET, "CACHE": "redis://h"})
    assert environment.cleared == ("STORE",)
    assert dict(environment.drivers) == {"STORE": "asyncpg"}


def test_a_named_variable_is_cleared_and_its_driver_kept() -> None:
    environment = clean_environment({"STORE": "postgresql+psycopg2:"}, also=["STORE"])
    assert environment.cleared == ("STORE",)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"cannot reach {SECRET}", "cannot reach ***"),
        ("wrong password hunter22", "wrong password ***"),
        ("key is s3cr3t-key", "key is ***"),
        ("see https://a:b@host/x", "see https://***@host/x"),
        ("host=h password=abc user=u", "host=h password=*** user=u"),
        ("two\nlines", "two\\nlines"),
    ],
)
def test_what_an_application_says_is_masked(text: str, masked: str) -> None:
    environment = clean_environment({"DATABASE_URL": SECRET, "APP_KEY": "s3cr3t-key"})
    assert environment.mask(text) == masked
    assert "hunter22" not in repr(environment)
