"""A real Alertmanager on a free port of this machine, for as long as a test asks it."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from monitor.sources.http import Client, open_client, read_address

PROGRAM = "prometheus-alertmanager"
SECONDS = 20.0
CONFIGURATION = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


class Peer:
    """An Alertmanager that runs, as its own clients see it."""

    def __init__(self, url: str, client: Client) -> None:
        self.url = url
        self._client = client

    async def list_active(self) -> list[dict[str, Any]]:
        """The alerts that hold now; what is over is not among them."""
        answer = await self._client.get(read_address(f"{self.url}/api/v2/alerts?active=true"))
        assert answer.status == 200
        alerts: list[dict[str, Any]] = json.loads(answer.body)
        return sorted(alerts, key=lambda alert: str(alert["labels"]))

    async def list_names(self) -> list[str]:
        return [alert["labels"]["alertname"] for alert in await self.list_active()]

    async def wait_for(self, *names: str) -> list[dict[str, Any]]:
        """The alerts, when those of these names are all that hold."""
        async with asyncio.timeout(SECONDS):
            while await self.list_names() != sorted(names):  # noqa: ASYNC110  # seen from outside
                await asyncio.sleep(0.05)
        return await self.list_active()


@contextlib.asynccontextmanager
async def running_alertmanager(folder: Path, port: int | None = None) -> AsyncIterator[Peer]:
    """A fresh Alertmanager that remembers nothing, and tells nobody."""
    port = port or find_port()
    _configure(folder)
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with open_client(body_bytes=10**7) as client:
            peer = Peer(f"http://127.0.0.1:{port}", client)
            await _wait_until_ready(peer.url, client)
            yield peer
    finally:
        process.terminate()
        await process.wait()


def _configure(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.yml").write_text(CONFIGURATION)


async def _wait_until_ready(url: str, client: Client) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            with contextlib.suppress(Exception):
                if (await client.get(read_address(f"{url}/-/ready"))).status == 200:
                    return
            await asyncio.sleep(0.05)


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
