"""A headless Chromium over its debugging pipe.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

PROGRAM: Final = shutil.which("chromium")

_QUIET: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)

# The browser reads commands from descriptor 3 and answers on 4.
_HAND_OVER: Final = """
import os, sys
ends = [os.dup(int(fd)) for fd in sys.argv[1:3]]
ends = [os.dup(fd) for fd in ends] if set(ends) & {3, 4} else ends
for end, place in zip(ends, (3, 4)):
    os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Tab:
    """One page; what its console says is kept in `complaints`."""

    def __init__(self, reader: asyncio.StreamReader, writer: int) -> None:
        self.complaints: list[str] = []
        self._reader = reader
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._session: str | None = None

    async def listen(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                self._hear(json.loads((await self._reader.readuntil(b"\0"))[:-1]))

    def _hear(self, heard: dict[str, Any]) -> None:
        if "id" in heard:
            self._waiting.pop(heard["id"]).set_result(heard)
        elif heard["method"] in ("Log.entryAdded", "Runtime.exceptionThrown"):
            self.complaints.append(json.dumps(heard["params"]))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = future
        os.write(self._writer, json.dumps(asked).encode() + b"\0")
        async with asyncio.timeout(60):
            answer = await future
        assert "error" not in answer, answer
        return dict(answer["result"])

    async def open(self) -> None:
        made = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=made["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")

    async def go(self, address: str) -> None:
        """Load the page; returns when it is complete and its script has begun."""
        await self.call("Page.navigate", url=address)
        await self.wait_for(
            f"location.href === new URL({address!r}).href && document.readyState === 'complete'"
        )

    async def show(self, width: int, height: int = 900, scheme: str = "light") -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def ask(self, expression: str) -> Any:
        answer = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def wait_for(self, condition: str) -> None:
        async with asyncio.timeout(30):
            while not await self.ask(condition):  # noqa: ASYNC110  # the page sets no event of ours
                await asyncio.sleep(0.05)

    async def shoot(self, file: Path) -> None:
        taken = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        await asyncio.to_thread(file.write_bytes, base64.b64decode(taken["data"]))


@contextlib.asynccontextmanager
async def opened_tab() -> AsyncIterator[Tab]:
    """A page of a browser of its own, with nothing remembered."""
    assert PROGRAM is not None
    ours_in, theirs_out = os.pipe()
    theirs_in, ours_out = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _HAND_OVER,
            str(theirs_in),
            str(theirs_out),
            PROGRAM,
            *_QUIET,
            *sandbox,
            f"--user-data-dir={profile}",
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        reader = asyncio.StreamReader(limit=2**26)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: protocol, os.fdopen(ours_in, "rb")
        )
        tab = Tab(reader, ours_out)
        listening = asyncio.create_task(tab.listen())
        try:
            await tab.open()
            yield tab
        finally:
            os.close(ours_out)  # the browser ends when its pipe does
            async with asyncio.timeout(20):
                await process.wait()
            await listening
            transport.close()
