import ast
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from monitor.sources.collector import Problem, choose_driver, describe, find_metadata, write_url
from monitor.sources.interpreter import COLLECTOR

SOCKET = {
    "host": "/srv/a b",
    "port": 54320,
    "user": "me",
    "password": None,
    "database": "d",
    "sslmode": "disable",
}
REMOTE = {**SOCKET, "host": "h", "port": 5, "password": "p@ss/w", "sslmode": "require"}


@pytest.mark.parametrize("name", ["collector", "observer", "clock"])
def test_what_runs_in_the_users_interpreter_is_python_3_8(name: str) -> None:
    ast.parse(COLLECTOR.with_name(f"{name}.py").read_text(), feature_version=(3, 8))


def test_the_collector_is_not_misled_by_the_folder_it_lies_in() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(COLLECTOR.parent)!r}); sys.argv = ['c']; "
        f"import runpy; runpy.run_path({str(COLLECTOR)!r}, run_name='c'); "
        f"assert {str(COLLECTOR.parent)!r} not in sys.path"
    )
    subprocess.run((sys.executable, "-I", "-c", code), check=True, cwd="/")


@pytest.mark.parametrize(
    ("hints", "is_async", "expected"),
    [
        ([], False, "psycopg"),
        ([], True, "psycopg"),
        (["asyncpg"], False, "asyncpg"),
        (["psycopg2"], False, "psycopg"),  # not installed here
        (["psycopg_async", "asyncpg"], True, "psycopg_async"),
        ([None, "mysqldb", "asyncpg"], True, "asyncpg"),
    ],
)
def test_the_driver_that_a_url_names_is_used_if_it_is_there(
    *, hints: list[str | None], is_async: bool, expected: str
) -> None:
    assert choose_driver(hints, is_async=is_async) == expected


@pytest.mark.parametrize(
    ("shadow", "driver", "url"),
    [
        (SOCKET, "psycopg", "postgresql+psycopg://me@/d?host=/srv/a+b&port=54320"),
        (SOCKET, None, "postgresql://me@/d?host=/srv/a+b&port=54320"),
        (REMOTE, "psycopg2", "postgresql+psycopg2://me:p%40ss%2Fw@h:5/d?sslmode=require"),
        (REMOTE, "asyncpg", "postgresql+asyncpg://me:p%40ss%2Fw@h:5/d?ssl=require"),
    ],
)
def test_the_url_is_the_one_the_driver_reads(
    shadow: dict[str, object], driver: str | None, url: str
) -> None:
    assert write_url(shadow, driver) == url


def test_metadata_is_found_whatever_holds_it() -> None:
    class Base(orm.DeclarativeBase):
        """A declarative base."""

    metadata = Base.metadata
    for found in (metadata, Base, [Base], lambda: metadata, lambda: [metadata]):
        assert list(find_metadata(found)) == [metadata]
    assert list(find_metadata([metadata, sa.MetaData()])) != [metadata]
    with pytest.raises(Problem):
        list(find_metadata(3))


def test_an_error_is_told_in_one_line() -> None:
    class Wrapped(Exception):
        orig = ValueError("first\nDETAIL: Key (id)=(5)")

    assert describe(Wrapped("[SQL: ...]")) == "ValueError: first"
    assert describe(KeyError()) == "KeyError"


class Refused(Exception):
    """What a driver raises."""

    def __init__(self, code: str, words: object) -> None:
        super().__init__(words)
        self.pgcode = code


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('invalid input syntax for type integer: "hunter2"', "invalid input syntax for type"),
        ('invalid input syntax for type integer: "a"\nhunter2"', "invalid input syntax for type"),
        ("ung\u00fcltige Syntax: \u201ehunter2\u201c", "ung\u00fcltige Syntax:"),
        ("<class 'a.B'>: value \u00ab hunter2 \u00bb, rien", "<class 'a.B'>: value"),
        ({"C": "22P02", "M": 'no integer: "hunter2"', "D": "hunter2"}, "no integer:"),
        ("division by zero", "division by zero"),
    ],
)
def test_what_the_server_says_of_bad_data_quotes_no_value(words: object, told: str) -> None:
    said = describe(Refused("22P02", words))
    assert said.startswith(f"Refused: {told}")
    assert "hunter2" not in said


def test_a_syntax_error_names_what_is_wrong_but_no_text() -> None:
    said = 'syntax error at or near "{}"'
    assert describe(Refused("42601", said.format("tabel"))) == f"Refused: {said.format('tabel')}"
    assert "hunter2" not in describe(Refused("42601", said.format("'hunter2'")))


def test_what_the_server_says_of_a_constraint_names_it_and_quotes_no_row() -> None:
    words = {"M": 'null value in column "n"', "D": "Failing row contains (hunter2).", "C": "23502"}
    assert describe(Refused("", words)) == 'Refused: null value in column "n"'
    several = 'duplicate key violates "t_pkey"\nDETAIL:  Key (n)=(hunter2) already exists.'
    assert describe(Refused("23505", several)) == 'Refused: duplicate key violates "t_pkey"'


@pytest.mark.parametrize("name", ["python3.11", "python3.9", "python3.10", "python3.8"])
def test_an_older_interpreter_compiles_it(name: str) -> None:
    python = Path("/usr/bin") / name
    if not python.exists():
        pytest.skip(f"{name} is not installed here")
    code = f"import sys; sys.argv = ['c']; import runpy; runpy.run_path({str(COLLECTOR)!r})"
    subprocess.run((python, "-I", "-c", code), check=True)
