"""What `make observe` makes of the rules: the same, sixty times as fast."""

import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "deploy" / "prometheus"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "deploy" / "dev" / "observe.py"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for: 10m\n", "for: 10s\n"),
        ("for: 1h\n", "for: 1m\n"),
        ("group_wait: 30s\n", "group_wait: 1s\n"),
        ("max_over_time(up[5m]) == 0", "max_over_time(up[5m]) == 0".replace("5m", "5s")),
        ("after 10m of it", "after 10m of it"),
    ],
)
def test_a_minute_is_a_second(script: dict[str, Any], text: str, expected: str) -> None:
    assert script["hurry"](text) == expected


def test_the_hurried_configuration_is_whole(script: dict[str, Any], tmp_path: Path) -> None:
    try:
        script["write_configuration"](tmp_path, page=1, alertmanager=2, receiver="http://x:3")
        for command in (
            ("promtool", "check", "config", "prometheus.yml"),
            ("amtool", "check-config", "alertmanager.yml"),
        ):
            subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    except FileNotFoundError as error:
        pytest.skip(f"{error.filename} is not installed")
    shipped = yaml.safe_load((SHIPPED / "anchorwatch.rules.yml").read_text("utf-8"))
    hurried = yaml.safe_load((tmp_path / "anchorwatch.rules.yml").read_text("utf-8"))
    for ours, theirs in zip(hurried["groups"], shipped["groups"], strict=True):
        assert ours["interval"] == "1s"
        for quick, slow in zip(ours["rules"], theirs["rules"], strict=True):
            assert quick.get("for") != slow.get("for", "never")
            assert quick.get("annotations") == slow.get("annotations")
    routes = (tmp_path / "alertmanager.yml").read_text("utf-8")
    assert "localhost" not in routes
    assert "http://x:3/alerts" in routes
