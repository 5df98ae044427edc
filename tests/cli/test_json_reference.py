"""Every document on `docs/reference/json.md` has the keys that the command really prints."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import make_app
from monitor.cli.reference import list_commands
from monitor.remedy.repair.wish import Act, Lost, Outcome, Refusal
from monitor.sources.engine import Cluster
from tests.checks.smoke_peers import Exchange, peer
from tests.cli.conftest import RunCommand
from tests.cli.test_accept import REASON, Ledger, ledger
from tests.conftest import MakeDatabase
from tests.sources.shadow_peers import write_history

__all__ = ["ledger"]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
SECTION = re.compile(r"^## (?:anchorwatch )?([a-z ]+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"```json\n(.*?)```", re.DOTALL)
STAMP = (
    "create table alembic_version (version_num varchar(32) primary key);"
    "insert into alembic_version values ('r2')"
)
USERS = "create table users (id int primary key, email text)"
ORDERS = "create table orders (id int primary key, user_id int references users (id))"
TABLES = f"{USERS}; {ORDERS}"
ORPHANS = (
    f"{USERS}; create table orders (id int primary key, user_id int);"
    "insert into orders values (1, 7)"
)


def read_examples() -> dict[str, Any]:
    """The example of each section, by the words of its command."""
    text = PAGE.read_text("utf-8")
    return {
        name: json.loads(found[1])
        for name, body in SECTION.findall(text)
        if (found := EXAMPLE.search(body))
    }


EXAMPLES = read_examples()
NOT_PRINTED = {"demo", "run"}
"""They print no document: a page, and a log."""


def assert_alike(example: Any, real: Any, where: str) -> None:
    """Hold that both have the same keys, all the way down, and values of one type."""
    if example is None or real is None:
        return
    assert type(example) is type(real) or {type(example), type(real)} == {int, float}, where
    if isinstance(example, dict):
        assert list(example) == list(real), where
        for key, value in example.items():
            assert_alike(value, real[key], f"{where}.{key}")
    elif isinstance(example, list) and example and real:
        assert_alike(example[0], real[0], f"{where}[0]")


def assert_shown(name: str, document: dict[str, Any]) -> None:
    """Hold a real document against the page."""
    assert_alike(EXAMPLES[name], document, name)


def test_every_command_that_prints_a_document_is_on_the_page() -> None:
    names = {" ".join(words[1:]) for words, _ in list_commands(make_app())}
    assert names - NOT_PRINTED <= EXAMPLES.keys()
    assert EXAMPLES.keys() - names == {"errors"}


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("explain", ("AW204",)),
        ("grants", ()),
        ("init", ("--print",)),
        ("config check", ()),
    ],
)
async def test_what_needs_no_database(
    run_inside: RunCommand, name: str, more: tuple[str, ...]
) -> None:
    url = "postgresql://u@h/d"
    done = await run_inside(*name.split(), *more, "--format", "json", DATABASE_URL=url)
    assert done.code == 0, done
    assert_shown(name, done.document)


async def test_settings_and_their_origins(run_inside: RunCommand) -> None:
    done = await run_inside(
        "config", "show", "--format", "json", DATABASE_URL="postgresql://u@h/d"
    )
    example = EXAMPLES["config show"]
    assert list(example) == list(done.document)
    assert example["settings"].items() <= done.document["settings"].items()
    assert example["origins"].items() <= done.document["origins"].items()


async def test_an_error(run_inside: RunCommand) -> None:
    done = await run_inside("explain", "AW999", "--format", "json")
    assert done.code == 2
    assert_shown("errors", done.document)


async def test_what_looks_at_a_database(
    run_inside: RunCommand, make_database: MakeDatabase, tmp_path: Path
) -> None:
    url = await make_database(sql=f"{TABLES}; alter table users add note text")
    (tmp_path / "expected.sql").write_text(TABLES)
    expected = f"sql:{tmp_path}/expected.sql"
    checked = await run_inside("check", url, "--expected", expected, "--format", "json")
    assert_shown("check", checked.document)
    compared = await run_inside("diff", expected, url, "--format", "json")
    assert_shown("diff", compared.document)
    written = await run_inside("snapshot", url)
    assert list(EXAMPLES["snapshot"]) == list(written.document)
    lost = await make_database(sql=ORPHANS)
    counted = await run_inside("orphans", lost, "--expected", expected, "--format", "json")
    assert_shown("orphans", counted.document)


async def test_what_knows_the_history(
    run_inside: RunCommand, make_database: MakeDatabase, server: Cluster, tmp_path: Path
) -> None:
    ini = write_history(tmp_path, *(f"op.execute({one!r})" for one in (USERS, ORDERS)))
    shadow = ("--shadow", server.url(), "--format", "json")
    built = await run_inside("lock", "build", f"alembic:{ini}", *shadow)
    assert built.code == 0, built
    assert_shown("lock build", built.document)
    shown = await run_inside("lock", "show", "schema.lock.json", "--format", "json")
    assert_shown("lock show", shown.document)
    version = tmp_path / "m/versions/r1.py"
    version.write_text(version.read_text().replace("email", "mail"))
    verified = await run_inside(
        "lock", "verify", "schema.lock.json", f"alembic:{ini}", "--format", "json"
    )
    assert verified.code == 1, verified
    assert_shown("lock verify", verified.document)
    url = await make_database(sql=f"{USERS}; {STAMP}")
    diagnosed = await run_inside("diagnose", url, "--lock", "schema.lock.json", *shadow)
    assert_shown("diagnose", diagnosed.document)


async def test_what_is_accepted(ledger: Ledger) -> None:
    done = await ledger.accept("AW208", *REASON, "--format", "json")
    assert done.code == 0, done
    assert_shown("accept", done.document)


async def test_a_smoke_run(
    run_inside: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    (tmp_path / "anchorwatch.yaml").write_text(
        "databases: {app: {url: postgresql://u@h/d}}\n"
        "smoke: [{suite: health, base_url: '${APP}', steps: [{name: up, get: /health}]}]\n"
    )

    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(status=500)

    async with peer(refuse) as application:
        done = await run_inside("smoke", "run", "--format", "json", APP=application.url)
    assert done.code == 1, done
    assert_shown("smoke run", done.document)


async def test_a_test_message(run_inside: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")

    async def take(exchange: Exchange) -> None:
        await exchange.answer(status=204)

    async with peer(take) as channel:
        done = await run_inside(
            *("notify", "--test", "--format", "json"),
            ANCHORWATCH_WEBHOOKS__OPS__URL=channel.url,
        )
    assert done.code == 0, done
    assert_shown("notify", done.document)


async def test_the_examination_of_an_installation(run_inside: RunCommand) -> None:
    done = await run_inside(
        "doctor", "--format", "json", DATABASE_URL="postgresql://u@127.0.0.1:1/d"
    )
    assert_shown("doctor", done.document)


def test_a_repair_has_the_fields_of_its_outcome() -> None:
    example = EXAMPLES["orphans repair"]
    assert tuple(example)[1:] == Outcome.__struct_fields__
    for key, kind in (("rows", Act), ("refused", Refusal), ("lost", Lost)):
        assert tuple(example[key][0]) == kind.__struct_fields__


def test_another_key_or_type_would_be_seen() -> None:
    assert_alike({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "")
    assert_alike({"a": None}, {"a": 1}, "")
    for other in ({"b": 1}, {"a": "1"}, {"a": 1, "b": 2}):
        with pytest.raises(AssertionError):
            assert_alike({"a": 1}, other, "")
