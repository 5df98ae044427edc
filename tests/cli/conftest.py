"""The command in a directory and an environment of its own: as a process, or in this one."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

from monitor.cli import make_app
from monitor.cli.refusals import run_command as run_in_process

PLANTED = "pl4nted-s3cret"
_OWN = re.compile(r"PG|ANCHORWATCH_|DATABASE|RAILWAY_|PORT$|SENTRY|NO_COLOR|COLUMNS")


class Done:
    """A command that has ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        assert found["format"] == 1
        return found

    def assert_kind(self) -> "Done":
        """Hold what every command owes its user, however it ended."""
        both = self.out + self.err
        assert "Traceback" not in both, self
        assert PLANTED not in both, self
        return self


class RunCommand(Protocol):
    """Runs `anchorwatch ARGUMENTS` with these further variables."""

    async def __call__(self, *arguments: str, **environ: str) -> Done:
        """Wait for its end."""
        ...


@pytest.fixture
def clean_environ() -> dict[str, str]:
    """The environment without anything that would configure anchorwatch."""
    return {key: value for key, value in os.environ.items() if not _OWN.match(key)}


@pytest.fixture
def run_inside(
    tmp_path: Path,
    clean_environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> RunCommand:
    """Runs the command in this process, which spares a second of imports."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() - clean_environ.keys():
        monkeypatch.delenv(name)

    async def run(*arguments: str, **environ: str) -> Done:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        # In a thread: every command runs an event loop of its own.
        code = await asyncio.to_thread(run_in_process, make_app(), arguments)
        return Done(code, *capsys.readouterr()).assert_kind()

    return run


@pytest.fixture
def run_command(tmp_path: Path, clean_environ: dict[str, str]) -> RunCommand:
    """Runs the command in the test's own directory."""

    async def run(*arguments: str, **environ: str) -> Done:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor", *arguments),
            cwd=tmp_path,
            env=clean_environ | environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(60):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Done(process.returncode or 0, out.decode(), err.decode()).assert_kind()

    return run
