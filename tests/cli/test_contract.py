"""What scripts rely on: commands, help, versions, exit codes, one document."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import monitor
from monitor import __version__
from monitor.cli import make_app
from monitor.cli.refusals import run_command as run_in_process
from monitor.core.errors import ConfigurationError
from tests.cli.conftest import PLANTED, RunCommand

COMMANDS = [
    *("demo", "run", "check", "accept", "snapshot", "diff", "explain", "config", "grants"),
    *("doctor", "lock", "diagnose", "orphans", "smoke", "notify"),
    *("init", "incidents", "ack", "silence"),
]
SMOKE = ["smoke", "run"]
LOCKS = [["lock", "build"], ["lock", "show"], ["lock", "verify"]]
REPAIR = ["orphans", "repair"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        *([name] for name in COMMANDS),
        ["config", "check"],
        ["config", "show"],
        *LOCKS,
        REPAIR,
        SMOKE,
    ],
    ids=" ".join,
)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run_in_process(make_app(), [*arguments, "--help"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(" ".join(["Usage: anchorwatch", *arguments]))
    assert captured.err == ""


async def test_the_version_is_printed(run_command: RunCommand) -> None:
    done = await run_command("--version")
    assert (done.code, done.out, done.err) == (0, f"anchorwatch {__version__}\n", "")


async def test_the_command_alone_shows_its_help(run_command: RunCommand) -> None:
    done = await run_command()
    assert done.code == 2
    assert done.out.startswith("Usage: anchorwatch")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nope"],
        ["frobnicate"],
        ["config"],
        ["config", "frobnicate"],
        ["check", "--fail-on", "sometimes"],
        ["check", "--format"],
        ["diff", "one"],
        ["snapshot"],
        ["snapshot", "sql:a.sql", "--postgres", "many"],
        ["doctor", "extra"],
        ["explain", ""],
        ["grants", "--role", ""],
        ["grants", "--database", "d" * 64],
        ["check", "postgresql://u@127.0.0.1:1/d", "--expected", ""],
        ["check", "--config", ""],
        ["check", "postgresql://u@127.0.0.1:1/d", "--shadow", ""],
        ["check", "postgresql://u@127.0.0.1:1/d", "--url-env", ""],
        ["diff", "sql:a.sql", "sql:b.sql", "--url-env", "A=B"],
        ["diff", "sql:a.sql", "sql:b.sql", "--postgres", "0"],
        ["diff", "sql:a.sql", "sql:b.sql", "--postgres", "-1"],
        ["snapshot", "sql:a.sql", "-o", ""],
        ["snapshot", "sql:a.sql", "-o", "."],
        ["demo", "--port", "-1"],
        ["demo", "--port", "65536"],
        ["explain", "AW999"],
        ["smoke"],
        ["smoke", "run", "--junit"],
        ["accept"],
        ["accept", "app"],
        ["orphans"],
        ["orphans", "repair"],
        ["orphans", "repair", "--nope"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_is_wrong_is_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run_in_process(make_app(), arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("anchorwatch: ")
    assert len(captured.err.splitlines()) == 2
    assert "broke" not in captured.err


def test_help_costs_little_more_than_the_interpreter() -> None:
    script = (
        "import subprocess, sys, resource\n"
        "def cost(*arguments):\n"
        "    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime\n"
        "    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)\n"
        "    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before\n"
        "least = min(cost('-c', 'import asyncio, inspect') for _ in range(3))\n"
        "print(min(cost('-m', 'monitor', '--help') for _ in range(3)) / least)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 5


async def test_a_snapshot_can_be_asked_for_as_the_json_that_it_is(run_inside: RunCommand) -> None:
    done = await run_inside("snapshot", "sql:nowhere.sql", "--format", "json")
    assert done.code == 3, done
    assert done.document["error"]["code"] == "build"
    refused = await run_inside("snapshot", "sql:nowhere.sql", "--format", "text")
    assert refused.code == 2, refused


async def test_explain_tells_one_rule_or_all(run_inside: RunCommand) -> None:
    one = await run_inside("explain", "aw204")
    assert one.code == 0
    assert one.out.startswith("AW204 · A table is missing · critical")
    every = await run_inside("explain", "--format", "json")
    codes = [rule["code"] for rule in every.document["rules"]]
    assert codes == sorted(codes)
    assert "AW901" in codes


def list_options(command: Any) -> Iterator[str]:
    """Every option of a command and of those below it."""
    for parameter in command.params:
        yield from parameter.opts
    for below in getattr(command, "commands", {}).values():
        yield from list_options(below)


def test_every_option_that_a_message_names_is_there() -> None:
    options = {*list_options(typer.main.get_command(make_app())), "--help"}
    others = {"--encoding", "--schema-only", "--no-owner", "--no-privileges"}  # of pg_dump
    others |= {"--system", "--build-arg", "--purge"}  # of uv, docker and alembic
    named = {
        option
        for path in Path(monitor.__file__).parent.rglob("*.py")
        for span in re.findall(r"`[^`\n]*`", path.read_text("utf-8"))
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", span)
    }
    assert "--python" in named
    assert named - others <= options


def make_failing(error: Exception) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command("work")
    def work(form: str = typer.Option("text", "--format")) -> None:
        raise error

    app.callback()(lambda: None)
    return app


def test_a_fault_of_our_own_is_told_by_its_place_and_not_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = run_in_process(make_failing(ValueError(f"row {PLANTED}")), ["work"])
    captured = capsys.readouterr()
    assert code == 3
    assert captured.out == ""
    assert captured.err.startswith("anchorwatch: anchorwatch broke: ValueError at test_contract")
    assert PLANTED not in captured.err


def test_a_fault_of_our_own_is_one_document_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_in_process(make_failing(ValueError(PLANTED)), ["work", "--format=json"])
    captured = capsys.readouterr()
    assert code == 3
    assert '"code": "fault"' in captured.out
    assert PLANTED not in captured.out
    assert captured.err == ""


@pytest.mark.parametrize("command", ["check", "config check", "doctor", "diff alembic:a sql:b"])
def test_a_working_directory_that_is_gone_is_one_sentence(tmp_path: Path, command: str) -> None:
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        ["sh", "-c", f"rmdir ../gone; exec '{sys.executable}' -m monitor {command}"],
        cwd=tmp_path / "gone",
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.splitlines()[0] == "anchorwatch: The working directory is gone."
    assert len(done.stderr.splitlines()) == 2


def test_errors_that_came_together_are_told_by_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    group = ExceptionGroup("", [ConfigurationError("Taken.", next_step="Choose another.")])
    assert run_in_process(make_failing(group), ["work"]) == 2
    assert capsys.readouterr().err == "anchorwatch: Taken.\n  Choose another.\n"


def test_an_error_may_have_several_lines(capsys: pytest.CaptureFixture[str]) -> None:
    error = ConfigurationError("One.\nTwo\x1b[31m.", next_step="Correct them.")
    assert run_in_process(make_failing(error), ["work"]) == 2
    assert capsys.readouterr().err == "anchorwatch: One.\nTwo\\x1b[31m.\n  Correct them.\n"


def test_ctrl_c_is_exit_code_130() -> None:
    assert run_in_process(make_failing(KeyboardInterrupt()), ["work"]) == 130  # type: ignore[arg-type]  # it is no Exception


def test_the_app_has_the_commands_of_the_contract() -> None:
    app = make_app()
    named = {command.name for command in app.registered_commands}
    assert named | {group.name for group in app.registered_groups} == set(COMMANDS)


async def test_bytes_that_are_no_text_are_survived(run_inside: RunCommand) -> None:
    for form in ("text", "json"):
        done = await run_inside("diff", "sql:\udcff.sql", "sql:x.sql", "--format", form)
        assert done.code in (2, 3), done


async def test_output_survives_a_terminal_that_knows_ascii_only(
    run_command: RunCommand,
) -> None:
    done = await run_command("explain", "AW204", PYTHONIOENCODING="ascii")
    assert done.code == 0, done
    assert "·" in done.out  # a pipe gets UTF-8 whatever the locale says
