"""The demonstration, watched by a real Prometheus and a real Alertmanager.

python deploy/dev/observe.py [--port 8080] [--prometheus 9090] [--alertmanager 9093]

A minute of the rules is a second here, or one would wait for a quarter of an hour. What
Alertmanager sends is printed. Ctrl-C ends everything and leaves nothing behind.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Final

import yaml

ROOT: Final = Path(__file__).parents[2]
SHIPPED: Final = ROOT / "deploy" / "prometheus"
HOST: Final = "127.0.0.1"
PROGRAMS: Final = ("prometheus", "prometheus-alertmanager")
END_SECONDS: Final = 15.0
"""The demonstration takes some of them to stop its server."""


class Shouter(BaseHTTPRequestHandler):
    """Takes what Alertmanager sends, and prints a line for each alert."""

    def do_POST(self) -> None:
        """One group of alerts."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        for alert in body["alerts"]:
            if alert["labels"]["severity"] != "none":
                _say(f"{alert['status']:<9} {alert['annotations']['summary']}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
        """Nothing: what came is printed already."""


def _say(text: str) -> None:
    print(f"   alert    {text}", flush=True)


def hurry(text: str) -> str:
    """The same with a second for each minute, a minute for each hour, and no wait below that."""

    def shorten(found: re.Match[str]) -> str:
        number, unit = found.groups()
        return f"{number}{'s' if unit == 'm' else 'm'}" if unit in "mh" else "1s"

    return re.sub(r"(?<=[ \[])(\d+)([smh])(?=[\],}\n])", shorten, text)


def write_configuration(folder: Path, *, page: int, alertmanager: int, receiver: str) -> None:
    """What is shipped, with the addresses of this machine, and in a hurry."""
    rules = (SHIPPED / "anchorwatch.rules.yml").read_text("utf-8")
    (folder / "anchorwatch.rules.yml").write_text(hurry(rules), "utf-8")
    prometheus = yaml.safe_load(hurry((SHIPPED / "prometheus.yml").read_text("utf-8")))
    (job,) = prometheus["scrape_configs"]
    job["static_configs"] = [{"targets": [f"{HOST}:{page}"]}]
    (manager,) = prometheus["alerting"]["alertmanagers"]
    manager["static_configs"] = [{"targets": [f"{HOST}:{alertmanager}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(prometheus), "utf-8")
    routes = hurry((SHIPPED / "alertmanager.yml").read_text("utf-8"))
    routes = routes.replace("http://localhost:9094", receiver)
    (folder / "alertmanager.yml").write_text(routes, "utf-8")


def list_commands(
    folder: Path, *, page: int, prometheus: int, alertmanager: int
) -> Mapping[str, Sequence[str]]:
    """What is started, by the name it has in messages."""
    return {
        "Alertmanager": (
            "prometheus-alertmanager",
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address={HOST}:{alertmanager}",
            "--cluster.listen-address=",
        ),
        "Prometheus": (
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/prometheus",
            f"--web.listen-address={HOST}:{prometheus}",
        ),
        "The demonstration": (sys.executable, "-m", "monitor", "demo", "--port", str(page)),
    }


@contextmanager
def running(command: Sequence[str], log: Path | None) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, so that Ctrl-C is ours; it is gone afterwards."""
    with ExitStack() as stack:
        sink = None if log is None else stack.enter_context(log.open("wb"))
        process = subprocess.Popen(
            command, stdout=sink, stderr=sink, cwd=ROOT, start_new_session=True
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def receiving(given: str | None) -> Iterator[str]:
    """The address that alerts go to: a given one, or one that prints them."""
    if given is not None:
        yield given
        return
    server = ThreadingHTTPServer((HOST, 0), Shouter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def choose_port(wanted: int) -> int:
    """That port, or a free one for 0.

    Raises:
        OSError: somebody listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, wanted))
        return int(probe.getsockname()[1])


def observe(given: argparse.Namespace, stop: threading.Event) -> int:
    """Run everything until `stop` is set; 1 where a part ended by itself."""
    ports = {name: choose_port(getattr(given, name)) for name in ("prometheus", "alertmanager")}
    page = choose_port(given.port)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="observe-")))
        receiver = stack.enter_context(receiving(given.receiver))
        write_configuration(
            folder, page=page, alertmanager=ports["alertmanager"], receiver=receiver
        )
        print("   A minute of the rules is a second here. Ctrl-C ends everything.")
        print(f"      Prometheus     http://{HOST}:{ports['prometheus']}/alerts")
        print(f"      Alertmanager   http://{HOST}:{ports['alertmanager']}/")
        print(f"      the agent      http://{HOST}:{page}/", flush=True)
        parts: dict[str, subprocess.Popen[bytes]] = {}
        for name, command in list_commands(folder, page=page, **ports).items():
            is_shown = name == "The demonstration"
            log = None if is_shown else folder / f"{name}.log"
            parts[name] = stack.enter_context(running(command, log))
        return wait(parts, folder, stop)


def wait(parts: Mapping[str, subprocess.Popen[bytes]], folder: Path, stop: threading.Event) -> int:
    """0 once it is stopped, 1 once a part ended by itself, with the end of what it said."""
    while not stop.wait(0.2):
        for name, process in parts.items():
            if process.poll() is not None:
                print(f"{name} ended with {process.returncode}.", file=sys.stderr)
                log = folder / f"{name}.log"
                if log.exists():
                    print("\n".join(log.read_text().splitlines()[-5:]), file=sys.stderr)
                return 1
    return 0


def main() -> int:
    """Read the options and begin."""
    parser = argparse.ArgumentParser(description="Watch the demonstration with Prometheus.")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8080")))
    parser.add_argument("--prometheus", type=int, default=9090, help="0 for a free port")
    parser.add_argument("--alertmanager", type=int, default=9093, help="0 for a free port")
    parser.add_argument("--receiver", help="where alerts go instead of being printed")
    given = parser.parse_args()
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        print(
            f"{' and '.join(missing)} cannot be found. Next: apt-get install {' '.join(missing)}",
            file=sys.stderr,
        )
        return 2
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        return observe(given, stop)
    except OSError as error:
        print(f"A port is taken: {error}. Next: choose another one, 0 is free.", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
