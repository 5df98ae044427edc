"""The quickstart, run as it stands on the page: until a message is there, and the one after it."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.sources.engine import Cluster
from tests.conftest import MakeDatabase

PAGE = Path(__file__).parents[2] / "docs" / "quickstart.md"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
WAIT_SECONDS = 60.0

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Shell:
    """One shell that runs block after block, as the reader's does."""

    def __init__(self, process: asyncio.subprocess.Process, place: Path) -> None:
        self._process = process
        self._place = place

    async def run(self, block: str) -> str:
        """What a block prints; it fails where a command of it does."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{block}\necho; echo end of block\n".encode())
        await self._process.stdin.drain()
        printed = ""
        async with asyncio.timeout(WAIT_SECONDS):
            while (line := await self._process.stdout.readline()) != b"end of block\n":
                assert line, f"{block}\n{printed}"
                printed += line.decode()
        return printed

    async def wait_for(self, name: str, text: str) -> str:
        """What a file says, once it holds the text."""
        async with asyncio.timeout(WAIT_SECONDS):
            while text not in (said := await asyncio.to_thread(self._read, name)):  # noqa: ASYNC110  # another process writes it
                await asyncio.sleep(0.2)
        return said

    def _read(self, name: str) -> str:
        file = self._place / name
        return file.read_text() if file.exists() else ""


@pytest.fixture
async def shell(
    server: Cluster, make_database: MakeDatabase, tmp_path: Path
) -> AsyncIterator[Shell]:
    paths = (str(Path(sys.executable).parent), str(server.binaries.bin), os.environ["PATH"])
    environ = {
        "PATH": os.pathsep.join(paths),
        "LD_LIBRARY_PATH": str(server.binaries.lib),
        "HOME": str(tmp_path),
        "PORT": str(find_free_port()),
        "NO_PROXY": "*",
        "DATABASE_URL": await make_database("postgres_of_the_quickstart"),
    }
    process = await asyncio.create_subprocess_exec(
        *("bash", "-e"),
        cwd=tmp_path,
        env=environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield Shell(process, tmp_path)
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the group that we started: all of it
        await process.communicate()


async def test_from_nothing_to_the_first_alert(shell: Shell) -> None:
    install, *blocks = BLOCKS
    assert "pip install" in install
    port = str(find_free_port())
    table, check, configure, receive, start, drift, heal = (
        block.replace("9000", port) for block in blocks
    )
    await shell.run(table)
    assert "unchanged" in await shell.run(check)
    assert "The configuration is sound: 1 database (app)" in await shell.run(configure)
    await shell.run(receive)
    assert "run" in start
    await shell.run(start.replace("run &", "run > log.txt 2>&1 &"))
    await shell.wait_for("log.txt", "unchanged")
    await shell.run(drift)
    opened = await shell.wait_for("messages.txt", "incident.opened")
    assert '"note"' in opened
    await shell.run(heal)
    await shell.wait_for("messages.txt", "incident.resolved")
