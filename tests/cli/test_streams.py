"""The standard streams may be closed, full, or read by somebody who has seen enough."""

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.conftest import wait_for

COMMAND = f"'{sys.executable}' -m monitor"


class Shell:
    """Runs a line of sh in an empty directory."""

    def __init__(self, environ: dict[str, str], directory: Path) -> None:
        self.environ = environ
        self.directory = directory

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """The line, at its end."""
        done = subprocess.run(
            ["sh", "-c", line],
            env=self.environ,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done


@pytest.fixture
def shell(clean_environ: dict[str, str], tmp_path: Path) -> Shell:
    return Shell(clean_environ, tmp_path)


@pytest.mark.parametrize("where", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_no_exit_code(shell: Shell, where: str) -> None:
    assert shell.run(f"{COMMAND} explain AW204 --format json {where}").returncode == 0
    assert shell.run(f"{COMMAND} explain AW999 --format json {where}").returncode == 2


def test_a_full_standard_error_changes_no_exit_code(shell: Shell) -> None:
    assert shell.run(f"{COMMAND} explain AW999 2>/dev/full").returncode == 2
    assert shell.run(f"{COMMAND} grants 2>/dev/full").returncode == 0


def test_an_error_that_standard_output_does_not_take_is_told_on_standard_error(
    shell: Shell,
) -> None:
    done = shell.run(f"{COMMAND} explain AW999 --format json >/dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("anchorwatch: Standard output cannot be written: No space left")


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&- >&-"])
def test_the_agent_outlives_its_log(shell: Shell, where: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = shell.environ | {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x",
        "ANCHORWATCH_HOST": "127.0.0.1",
        "PORT": str(port),
    }
    with subprocess.Popen(
        ["sh", "-c", f"exec {COMMAND} run {where}"], env=environ, cwd=shell.directory
    ) as agent:
        wait_for(
            lambda: agent.poll() is not None or '"unreachable"' in ask(port),
            "a look at the database",
        )
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(30) == 0


def ask(port: int) -> str:
    """What the agent says of its databases."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/databases") as answer:
            return str(answer.read())
    except OSError:
        return ""
