"""`anchorwatch accept` on the ledger of an agent, and what `check` makes of it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import yaml

from monitor.core.findings import Finding
from monitor.core.verdict import State
from monitor.sinks.store import Decision, open_store
from monitor.sources.engine import Cluster
from tests.cli.conftest import Done, RunCommand
from tests.conftest import MakeDatabase
from tests.watch.builders import Watch, opened_watch

EXPECTED = "CREATE TABLE users (id int PRIMARY KEY, email text); CREATE TABLE carts (id int)"
DRIFT = 'ALTER TABLE users ADD note text; CREATE TABLE "odd.$name" (id int); DROP TABLE carts'
REASON = ("--reason", "The vendor made it so.")


class Ledger:
    """An agent's ledger with one drifted database, and the command to try on it."""

    def __init__(self, watch: Watch, run: RunCommand, place: Path, shadow: str) -> None:
        self.watch = watch
        self.place = place
        self.environ = {
            "ANCHORWATCH_ENVIRONMENT": "test",
            "ANCHORWATCH_DATABASES__APP__URL": watch.url,
            "ANCHORWATCH_DATABASES__APP__EXPECTED": f"sql:{place}/expected.sql",
            "ANCHORWATCH_DATABASES__APP__SHADOW_URL": shadow,
            "ANCHORWATCH_STORE_URL": f"sqlite:///{place}/ledger.db",
        }
        self._run = run

    async def run(self, *arguments: str, **environ: str) -> Done:
        """The command with the agent's configuration."""
        return await self._run(*arguments, **{**self.environ, **environ})

    async def accept(self, *arguments: str) -> Done:
        return await self.run("accept", "app", *arguments)

    async def find(self) -> dict[str, Finding]:
        """What the last look found, by its code."""
        record = await self.watch.store.load("test", "app")
        assert record is not None
        return {finding.code: finding for finding in record.report.findings}

    async def list_reasons(self) -> dict[str, str]:
        """What is accepted, by its code."""
        kept = await self.watch.store.list_acceptances("test", "app")
        return {one.code: one.reason for one in kept}


@pytest.fixture
async def ledger(
    other_server: Cluster, make_database: MakeDatabase, run_inside: RunCommand, tmp_path: Path
) -> AsyncIterator[Ledger]:
    """Three findings: a column and a table too many, a table missing (that is critical)."""
    url = await make_database(sql=EXPECTED)
    (tmp_path / "expected.sql").write_text(EXPECTED)
    shadow = other_server.url()
    async with opened_watch(url, tmp_path / "ledger.db", shadow=shadow) as watch:
        watch.expect(f"sql:{tmp_path}/expected.sql")
        await watch.run(DRIFT)
        assert await watch.see(1) is State.DRIFTED
        yield Ledger(watch, run_inside, tmp_path, shadow)


async def test_without_a_name_everything_that_the_last_look_found_is_said_and_accepted(
    ledger: Ledger,
) -> None:
    done = await ledger.accept(*REASON)
    assert done.code == 0, done
    assert done.out.startswith("Accepted 3 findings of app (test).")
    for finding in (await ledger.find()).values():
        assert finding.id in done.err
        assert f"[{finding.code} {finding.severity.value}]" in done.err
    assert "1 of 3 critical: nobody will be told" in done.err
    assert "the look of 2026-01-01 00:01:00 UTC" in done.err
    assert set(await ledger.list_reasons()) == {"AW204", "AW205", "AW208"}
    assert await ledger.watch.see(2) is State.IN_SYNC


@pytest.mark.parametrize(
    "name", ["AW208", "column public.users.note", "column:public.users.*", "public.users.note"]
)
async def test_a_finding_is_named_by_code_or_object(ledger: Ledger, name: str) -> None:
    assert (await ledger.accept(name, *REASON)).code == 0
    assert await ledger.list_reasons() == {"AW208": REASON[1]}


async def test_when_all_is_waived_that_is_what_is_said(ledger: Ledger) -> None:
    await ledger.accept(*REASON)
    await ledger.watch.see(1)
    done = await ledger.accept(*REASON)
    assert "Nothing is wrong beside 3 waived findings at app (test)" in done.out


async def test_a_finding_is_named_by_its_id(ledger: Ledger) -> None:
    names = [finding.id for finding in (await ledger.find()).values()]
    done = await ledger.accept(*names[:2], *REASON, "--until", "2999-12-31", "--format", "json")
    assert done.code == 0, done
    document = done.document
    assert (document["environment"], document["database"]) == ("test", "app")
    assert [one["id"] for one in document["accepted"]] == names[:2]
    (first, _) = document["accepted"]
    assert first["until"] == "2999-12-31"
    assert first["standing"] == "waits"
    assert first["reason"] == REASON[1]
    assert {"kind", "schema", "parent", "name", "title", "digest", "by", "at"} <= first.keys()


async def test_a_name_that_means_nothing_accepts_nothing(ledger: Ledger) -> None:
    done = await ledger.accept("AW208", "nope", *REASON)
    assert done.code == 2, done
    assert "Nothing here is called 'nope'" in done.err
    assert await ledger.list_reasons() == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "There is no reason."),
        (["--reason", ""], "The reason is empty."),
        (["--reason", "x" * 10_000], "more than 1000 characters"),
        (["--reason", "</script>" * 200], "more than 1000 characters"),
        ([*REASON, "--until", "2001-01-01"], "2001-01-01 is in the past."),
        ([*REASON, "--until", "soon"], "That is no day."),
        ([*REASON, "--until", ""], "That is no day."),
        ([*REASON, "--list"], "--list takes no --reason"),
        ([*REASON, "--export"], "--export takes no --reason"),
        (["--until", "2999-01-01", "--withdraw", "AW208"], "--withdraw takes no --reason"),
        (["--list", "--export"], "--list and --export exclude each other."),
        (["--withdraw"], "Nothing is named that is to be withdrawn."),
        (["--withdraw", "AW208"], "Nothing here is called 'AW208'"),
    ],
)
async def test_what_does_not_go_is_exit_code_2_and_changes_nothing(
    ledger: Ledger, arguments: list[str], told: str
) -> None:
    done = await ledger.accept(*arguments)
    assert done.code == 2, done
    assert told in done.err
    assert "xxx" not in done.err
    assert "script" not in done.err
    assert await ledger.list_reasons() == {}


async def test_an_error_is_the_one_document_where_json_is_asked_for(ledger: Ledger) -> None:
    done = await ledger.accept("nope", *REASON, "--format", "json")
    assert done.code == 2, done
    assert done.document["error"]["code"] == "usage"


async def test_a_reason_may_hold_anything_that_stands_on_a_line(ledger: Ledger) -> None:
    hostile = "</script>\x1b[31m\u202e'\"$${x} \udcff"
    assert (await ledger.accept("AW208", "--reason", hostile)).code == 0
    listed = await ledger.accept("--list")
    assert listed.code == 0, listed
    assert "\x1b" not in listed.out
    assert "</script>" in listed.out
    assert (await ledger.accept("--list", "--format", "json")).code == 0


async def test_only_a_configured_database_can_have_something_accepted(ledger: Ledger) -> None:
    done = await ledger.run("accept", "other", *REASON)
    assert done.code == 2, done
    assert "No database 'other' is configured." in done.err
    done = await ledger.run("accept", "postgresql://u:pl4nted-s3cret@h/d", *REASON)
    assert done.code == 2, done
    assert "Name the database as the configuration" in done.err


async def test_what_is_accepted_is_listed_with_how_it_stands(ledger: Ledger) -> None:
    assert "Nothing is accepted at app (test)." in (await ledger.accept("--list")).out
    await ledger.accept("AW208", "AW205", *REASON, "--until", "2999-12-31")
    listed = await ledger.accept("--list")
    assert "app (test): 2 accepted" in listed.out
    assert listed.out.count("takes effect at the next look") == 2
    assert "until 2999-12-31" in listed.out
    await ledger.watch.run("ALTER TABLE users ALTER note TYPE varchar(3)")
    await ledger.watch.see(2)
    document = (await ledger.accept("--list", "--format", "json")).document
    standings = {one["code"]: one["standing"] for one in document["accepted"]}
    assert standings == {"AW208": "changed", "AW205": "holds"}
    some = (await ledger.accept("--list", "AW205", "--format", "json")).document
    assert [one["code"] for one in some["accepted"]] == ["AW205"]


async def test_what_is_withdrawn_is_told_again(ledger: Ledger) -> None:
    await ledger.accept(*REASON)
    done = await ledger.accept("--withdraw", "column public.users.note", "AW204")
    assert done.code == 0, done
    assert "Withdrew 2 acceptances of app (test)." in done.out
    assert set(await ledger.list_reasons()) == {"AW205"}
    await ledger.watch.see(2)
    assert set(await ledger.find()) == {"AW204", "AW208"}
    done = await ledger.accept("--withdraw", "*", "--format", "json")
    assert [one["code"] for one in done.document["withdrawn"]] == ["AW205"]


async def test_a_reason_is_corrected_though_the_finding_is_not_told_any_more(
    ledger: Ledger,
) -> None:
    await ledger.accept(*REASON)
    await ledger.watch.see(2)
    assert (await ledger.accept("AW208", "--reason", "better")).code == 0
    assert (await ledger.list_reasons())["AW208"] == "better"
    done = await ledger.accept(*REASON)
    assert done.code == 0, done
    assert "there is nothing to accept" in done.out


async def test_what_is_exported_ignores_exactly_that_in_a_configuration(ledger: Ledger) -> None:
    hostile = "costs $5, ${HOME}, '</script>': yes"
    await ledger.accept("--reason", hostile, "--until", "2999-12-31")
    exported = await ledger.accept("--export")
    assert exported.code == 0, exported
    assert {rule["code"] for rule in yaml.safe_load(exported.out)["ignore"]} == {
        "AW204",
        "AW205",
        "AW208",
    }
    document = (await ledger.accept("--export", "--format", "json")).document
    assert {rule["reason"] for rule in document["ignore"]} == {hostile}
    indented = exported.out.replace("\n", "\n    ")
    (ledger.place / "other.yaml").write_text(
        f"databases:\n  app:\n    url: {ledger.watch.url}\n    {indented}\n"
    )
    await ledger.accept("--withdraw", "*")
    done = await ledger.run("check", "--config", "other.yaml", "--format", "json")
    assert done.code == 0, done
    (database,) = done.document["databases"]
    assert database["state"] == "in_sync"
    assert database["findings"] == []
    assert {one["code"] for one in database["ignored"]} == {"AW204", "AW205", "AW208"}
    await ledger.watch.run("ALTER TABLE users ALTER note TYPE varchar(3)")
    done = await ledger.run("check", "--config", "other.yaml", "--format", "json")
    assert done.code == 1, done
    codes = [finding["code"] for finding in done.document["databases"][0]["findings"]]
    assert sorted(codes) == ["AW208", "AW904"]  # it is told again, and its rule is of no use


# The ledger


async def test_without_a_ledger_nothing_is_made(run_inside: RunCommand, tmp_path: Path) -> None:
    environ = {
        "DATABASE_URL": "postgresql://h/d",
        "ANCHORWATCH_STORE_URL": f"sqlite:///{tmp_path}/new/ledger.db",
    }
    for arguments in (REASON, ["--list"], ["--export"], ["--withdraw", "x"]):
        done = await run_inside("accept", "default", *arguments, **environ)
        assert done.code == 3, done
        assert "There is no ledger at" in done.err
        assert "anchorwatch run" in done.err
    assert not (tmp_path / "new").exists()  # nobody waits


async def test_what_nobody_has_looked_at_has_nothing_to_accept(
    ledger: Ledger, database: str
) -> None:
    other = {"ANCHORWATCH_DATABASES__NEW__URL": database}
    done = await ledger.run("accept", "new", *REASON, **other)
    assert done.code == 3, done
    assert "Nobody has looked at new (test) yet." in done.err
    alive, ledger.watch.url = ledger.watch.url, "postgresql://nobody:wrong@127.0.0.1:1/app"
    await ledger.watch.see(2)
    ledger.watch.url = alive
    done = await ledger.accept(*REASON)
    assert done.code == 3, done
    assert "saw nothing" in done.err
    assert await ledger.list_reasons() == {}


async def test_a_ledger_that_takes_no_writes_is_exit_code_3(
    make_database: MakeDatabase, ledger: Ledger
) -> None:
    url = await make_database()
    record = await ledger.watch.store.load("test", "app")
    assert record is not None
    async with open_store(url) as store:
        assert await store.commit(Decision(record=record, looks_before=None))
    connection = await asyncpg.connect(url)
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await connection.close()
    done = await ledger.run("accept", "app", *REASON, ANCHORWATCH_STORE_URL=url)
    assert done.code == 3, done
    assert "takes no writes" in done.err
    assert "Accepted" not in done.out


# What a check makes of it


async def test_a_check_leaves_out_what_is_accepted_and_says_so(ledger: Ledger) -> None:
    assert (await ledger.run("check")).code == 1
    await ledger.accept("AW204", "AW205", *REASON)
    await ledger.accept("AW208", *REASON, "--until", "2999-12-31")
    done = await ledger.run("check")
    assert done.code == 0, done
    assert "app (test): in_sync" in done.out
    assert "(3 accepted)" in done.out
    assert "accepted until 2999-12-31: column public.users.note" in done.out
    assert f": {REASON[1]}" in done.out
    (database,) = (await ledger.run("check", "--format", "json")).document["databases"]
    assert database["findings"] == []
    assert [one["reason"] for one in database["accepted"]] == [REASON[1]] * 3


async def test_nothing_is_remembered_of_a_url(ledger: Ledger) -> None:
    await ledger.accept(*REASON)
    shadow = ledger.environ["ANCHORWATCH_DATABASES__APP__SHADOW_URL"]
    by_url = ("check", ledger.watch.url, "--expected", "sql:expected.sql", "--shadow", shadow)
    assert (await ledger.run(*by_url)).code == 1


@pytest.mark.parametrize("place", ["broken.db", "gone/ledger.db"])
async def test_a_check_that_cannot_read_the_ledger_tells_everything_and_says_so(
    ledger: Ledger, place: str
) -> None:
    await ledger.accept(*REASON)
    (ledger.place / "broken.db").write_text("This is no database, and never was one." * 100)
    url = f"sqlite:///{ledger.place}/{place}"
    done = await ledger.run("check", ANCHORWATCH_STORE_URL=url)
    assert done.code == 1, done
    assert "what was accepted is told as well: " in done.err
    assert not (ledger.place / "gone").exists()


async def test_a_check_where_no_agent_runs_says_nothing_of_ledgers(
    run_inside: RunCommand, make_database: MakeDatabase
) -> None:
    done = await run_inside("check", DATABASE_URL=await make_database(sql=EXPECTED))
    assert done.code == 0, done
    assert "accepted" not in done.out + done.err


async def test_a_check_counts_what_rules_ignore_and_names_those_to_tidy_up(
    ledger: Ledger,
) -> None:
    rules = [
        {"object": "table:public.*", "reason": "theirs"},
        {"code": "AW208", "reason": "old", "until": "2001-01-01"},
        {"code": "AW225", "reason": "gone"},
    ]
    environ = {"ANCHORWATCH_DATABASES__APP__IGNORE": json.dumps(rules)}
    done = await ledger.run("check", **environ)
    assert done.code == 1, done
    assert "ignored: 2 by * on table:public.*: theirs" in done.out
    assert "an ignore rule has expired: AW208  [AW903 info]" in done.out
    assert "an ignore rule matches nothing: AW225  [AW904 info]" in done.out
    assert "1 unexpected; 1 warning." in done.out
    await ledger.watch.run("ALTER TABLE users DROP note")
    assert (await ledger.run("check", **environ)).code == 0
    assert (await ledger.run("check", "--fail-on", "info", **environ)).code == 1
