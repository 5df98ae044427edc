"""The real Prometheus, which scrapes what a test started."""

import contextlib
import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import wait_for


def find_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Prometheus:
    """A running Prometheus; `ask` raises where it refuses a query."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, **given: str) -> Any:
        """The data of an answer of its API."""
        query = urllib.parse.urlencode({k.replace("__", "[]"): v for k, v in given.items()})
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # as above
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{given}: {error.read().decode()}") from None

    def look_up(self, expr: str) -> list[dict[str, Any]]:
        """What an expression is now."""
        result: list[dict[str, Any]] = self.ask("query", query=expr)["result"]
        return result


@contextlib.contextmanager
def running_prometheus(folder: Path, config: dict[str, Any]) -> Iterator[Prometheus]:
    """A Prometheus with this configuration, and nothing of it left."""
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed")
    port = find_port()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(lambda: is_open(port), "the start of Prometheus")
            yield Prometheus(port)
        finally:
            process.terminate()
            process.wait(timeout=20)
