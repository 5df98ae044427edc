"""`make observe`: alerts of a real Prometheus arrive through a real Alertmanager, and end."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.e2e.conftest import Receiver, wait_for
from tests.e2e.observers import find_port, is_open

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180
"""The demonstration starts a server, and lets half a minute pass before it heals."""
SCRIPT = ROOT / "deploy" / "dev" / "observe.py"


class Observation:
    """The script as a process, with what it printed."""

    def __init__(self, folder: Path, receiver: str) -> None:
        self.ports = [find_port() for _ in range(3)]
        page, prometheus, alertmanager = map(str, self.ports)
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(SCRIPT), "--port", page, "--prometheus", prometheus),
                *("--alertmanager", alertmanager, "--receiver", receiver),
            ],
            env=os.environ | {"TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def find(self, pattern: str) -> str:
        """What a pattern captures of all that was printed; empty while it does not."""
        found = re.search(pattern, "".join(self.lines))
        return found[1] if found else ""

    def interrupt(self) -> int:
        """End it as Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=60)
        self._reader.join(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def observation(open_directory: Path, receiver: Receiver) -> Iterator[Observation]:
    for program in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    made = Observation(open_directory, receiver.url.removesuffix("/hook"))
    yield made
    with contextlib.suppress(ProcessLookupError):
        if made.process.poll() is None:
            made.interrupt()


def list_left(folder: Path) -> list[Path]:
    return [*folder.iterdir()]


def list_told(receiver: Receiver, name: str) -> list[str]:
    """What came of one alert about production, in order, without what was repeated."""
    told: list[str] = []
    for message in receiver.messages:
        for alert in message["alerts"]:
            labels = alert["labels"]
            is_meant = labels["alertname"] == name and labels.get("database") == "production"
            if is_meant and told[-1:] != [alert["status"]]:
                told.append(alert["status"])
    return told


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_three_alerts_fire_and_end_for_real(
    observation: Observation, receiver: Receiver, open_directory: Path
) -> None:
    def wait_for_told(name: str, *expected: str) -> None:
        wait_for(
            lambda: list_told(receiver, name) == [*expected],
            f"{name} {expected}",
            seconds=PATIENCE_SECONDS,
        )

    # The demonstration plants this one, and heals it.
    wait_for_told("AnchorwatchSchemaDrift", "firing", "resolved")
    url = wait_for(lambda: observation.find(r"psql '(\S+)'"), "the last line of the story")

    await execute(url, "alter table assets rename to assets_gone")
    wait_for_told("AnchorwatchSchemaObjectsMissing", "firing")
    await execute(url, "alter table assets_gone rename to assets")
    wait_for_told("AnchorwatchSchemaObjectsMissing", "firing", "resolved")

    await execute(url, "revoke connect on database production from public")
    wait_for_told("AnchorwatchDatabaseUnknown", "firing")
    await execute(url, "grant connect on database production to public")
    wait_for_told("AnchorwatchDatabaseUnknown", "firing", "resolved")

    assert all(is_open(port) for port in observation.ports)
    assert observation.interrupt() == 0, "".join(observation.lines)
    assert not any(is_open(port) for port in observation.ports)
    assert list_left(open_directory) == []


def test_a_port_that_is_taken_is_told_at_once(receiver: Receiver) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--prometheus", str(receiver.port)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if "cannot be found" in done.stderr:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Next: choose another one" in done.stderr
