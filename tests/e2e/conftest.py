"""The real agent as a process, and a real receiver for its messages."""

import contextlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitor.demo.application import service
from tests.conftest import MakeDatabase

APPLICATION = Path(service.__file__).parent
"""The application of the demonstration, with its migrations."""

WAIT_SECONDS = 30.0
"""Far beyond what anything here takes; a test that waits this long has failed."""

SECRET = "whsec_" + "YW5jaG9yd2F0Y2gtdGVzdC1zZWNyZXQtMDAx"


def wait_for[T](ask: Callable[[], T], what: str, *, seconds: float = WAIT_SECONDS) -> T:
    """The first true answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")


class Agent:
    """A running `anchorwatch run`."""

    def __init__(self, environ: Mapping[str, str], cwd: Path) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ANCHORWATCH"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "run"],
            env=clean | {"PORT": "0", "ANCHORWATCH_HOST": "127.0.0.1", **environ},
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._started: queue.Queue[int] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.port = self._started.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            self.process.kill()
            raise AssertionError(f"the agent did not start:\n{self.log}") from None

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.fullmatch(r"listening on port (\d+)\n", line):
                self._started.put(int(found[1]))

    @property
    def log(self) -> str:
        """Everything it wrote."""
        return "".join(self.lines)

    def get(self, path: str, *, token: str | None = None) -> tuple[int, str]:
        """Status and body of one of its pages."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def post(self, path: str, document: Mapping[str, Any]) -> int:
        """The status of a document that is posted."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(document).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
            return int(answer.status)

    def find_database(self, name: str) -> dict[str, Any]:
        """What the API says of one database."""
        _, body = self.get("/api/databases")
        return next((d for d in json.loads(body)["databases"] if d["name"] == name), {})

    def wait_for_state(self, name: str, state: str) -> dict[str, Any]:
        """The database, once it is in that state."""
        wait_for(lambda: self.find_database(name).get("state") == state, f"{name} being {state}")
        return self.find_database(name)

    def wait_for_looks(self, count: int) -> None:
        """Return after so many more looks."""
        before = self.count_looks()
        wait_for(lambda: self.count_looks() >= before + count, f"{count} more looks")

    def count_looks(self) -> float:
        """Looks at all databases since the start."""
        _, body = self.get("/metrics")
        found = re.findall(r"^anchorwatch_checks_total\{.*\} (\S+)$", body, re.MULTILINE)
        return sum(map(float, found))

    def begin_to_stop(self) -> None:
        """Ask it to end, and return once it takes no more requests."""
        self.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not self._is_listening(), "the end of the page")

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_for_end(self) -> None:
        """Return once the process is gone and all that it wrote is read."""
        self.process.wait(timeout=WAIT_SECONDS)
        self._reader.join(timeout=WAIT_SECONDS)

    def stop(self) -> float:
        """Ask it to end; seconds that it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.wait_for_end()
        return time.monotonic() - begun

    def kill(self) -> None:
        """End it as a power failure does."""
        self.process.kill()
        self.wait_for_end()


type StartAgent = Callable[..., Agent]


@pytest.fixture
def start_agent(tmp_path: Path) -> Iterator[StartAgent]:
    """Starts agents with these variables; they end with the test."""
    with contextlib.ExitStack() as stack:

        def start(**environ: str) -> Agent:
            store = {"ANCHORWATCH_STORE_URL": f"sqlite:///{tmp_path}/l.sqlite"}
            agent = Agent(store | environ, tmp_path)
            stack.callback(_end, agent)
            return agent

        yield start


def _end(agent: Agent) -> None:
    if agent.process.poll() is None:
        agent.kill()
    if agent.process.stderr is not None:
        agent.process.stderr.close()


class Receiver:
    """A real HTTP peer that keeps what it got; it can be down, or accept and never answer."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[Mapping[str, str]], int] = lambda _: 204
        """The status for a request with such headers; it may take its time."""
        self.release = threading.Event()
        self.release.set()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it is, also while it is down."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The bodies, in order."""
        return [json.loads(body) for _, body in self.requests]

    def list_types(self, database: str) -> list[str]:
        """What was told about one database, in order."""
        return [m["type"] for m in self.messages if m["database"] == database]

    def start(self) -> None:
        """Begin to answer."""
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # who sent it was killed in the middle: nobody takes half a message
                headers = dict(self.headers.items())
                owner.requests.append((headers, body))
                owner.release.wait(WAIT_SECONDS)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response(owner.answer(headers))
                    self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
                """Nothing: the test says what matters."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self.release.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that is up."""
    made = Receiver()
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def production(make_database: MakeDatabase) -> str:
    """The database of the application, migrated as a deployment does."""
    url = await make_database()
    ini = str(APPLICATION / "alembic.ini")
    subprocess.run(  # noqa: ASYNC221  # nothing else is to be done meanwhile
        [sys.executable, "-m", "alembic", "-c", ini, "upgrade", "head"],
        env=os.environ | {"DATABASE_URL": url},
        check=True,
        capture_output=True,
    )
    return url
