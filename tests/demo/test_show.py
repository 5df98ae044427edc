"""The demonstration: five numbered lines, two messages, and nothing left behind."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog

from monitor.core.errors import ConfigurationError
from monitor.demo.show import WIDTH, Pace, play

QUICK = Pace(settle=0.1, heal=0.5, interval=0.3)
URL = re.compile(r"postgresql://\S+")


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What the agent logs, which is no part of the story."""
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.fixture(autouse=True)
def own_directory(open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whatever the demonstration makes, it makes here."""
    monkeypatch.setattr("tempfile.tempdir", str(open_directory))
    return open_directory


def list_leftovers(directory: Path) -> list[str]:
    """Files that are left, and processes that still work on them."""
    files = [str(path) for path in directory.iterdir()]
    processes = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in line:
            processes.append(line)
    return files + processes


async def play_until(is_enough: Callable[[str], bool], capsys: pytest.CaptureFixture[str]) -> str:
    """What it printed, when it was stopped as soon as that was enough."""
    stop, printed = asyncio.Event(), ""
    playing = asyncio.create_task(play(port=0, stop=stop, pace=QUICK))
    async with asyncio.timeout(100):
        while not playing.done() and not is_enough(printed):
            await asyncio.sleep(0.05)
            printed += capsys.readouterr().out
    stop.set()
    async with asyncio.timeout(20):
        await playing
    return printed + capsys.readouterr().out


async def test_it_tells_its_story_and_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str],
    own_directory: Path,
    logs: list[MutableMapping[str, Any]],
) -> None:
    printed = await play_until(lambda text: "\n5. " in text, capsys)
    numbers = re.findall(r"^(\d)\. ", printed, re.MULTILINE)
    assert numbers == ["1", "2", "3", "4", "5"]
    story = [printed.index(part) for part in ("\n2. ", "WARNING", "\n3. ", "RESOLVED", "\n5. ")]
    assert story == sorted(story)
    assert "hand_made_note is there" in printed
    assert printed.endswith("everything was stopped and removed.\n")
    # Addresses stand alone, so that they can be copied; all else fits on a terminal.
    lines = [line for line in printed.splitlines() if "://" not in line]
    assert max(map(len, lines)) <= WIDTH
    assert [entry for entry in logs if entry["log_level"] in ("warning", "error")] == []
    assert list_leftovers(own_directory) == []


@pytest.mark.long
async def test_stopped_in_the_middle_it_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str], own_directory: Path
) -> None:
    printed = await play_until(lambda text: "\n1. " in text, capsys)
    assert "\n5. " not in printed
    assert list_leftovers(own_directory) == []


async def test_stopped_before_it_began_it_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str], own_directory: Path
) -> None:
    await play_until(lambda _: True, capsys)
    assert list_leftovers(own_directory) == []


async def test_a_port_that_is_taken_is_told_at_once(own_directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="cannot listen"):
            await play(port=port, stop=asyncio.Event())
    assert list_leftovers(own_directory) == []


def test_the_command_says_so_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "monitor", "demo", "--port", str(taken.getsockname()[1])],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "cannot listen" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_reader_who_has_seen_enough_ends_it_quietly(own_directory: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "demo", "--port", "0"],
        env={**os.environ, "TMPDIR": str(own_directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as playing:
        assert playing.stdout is not None
        assert "starting a PostgreSQL server" in playing.stdout.readline()
        playing.stdout.close()
        assert playing.stderr is not None
        assert playing.stderr.read() == ""
        assert playing.wait(60) == 0
    assert list_leftovers(own_directory) == []
