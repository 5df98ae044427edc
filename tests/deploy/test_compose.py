"""`deploy/compose.yml`: Compose takes it, what it mounts is there, nothing runs as root."""

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from monitor.cli.grants import list_grants
from monitor.config import load_config
from monitor.sources.engine import Cluster
from tests.cli.conftest import RunCommand, clean_environ, run_inside
from tests.conftest import MakeDatabase
from tests.deploy.tools import MISSING_UV, run_tool
from tests.e2e.conftest import StartAgent, start_agent, wait_for
from tests.sources.peers import administering

__all__ = ["clean_environ", "run_inside", "start_agent"]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, Any] = DOCUMENT["services"]
EACH = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def list_mounts(service: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Source, target, and whether it is read-only."""
    parts = [one.split(":") for one in service.get("volumes", [])]
    return [(one[0], one[1], one[2:] == ["ro"]) for one in parts]


@pytest.mark.long
@pytest.mark.skipif(MISSING_UV, reason="uv is not installed")
def test_the_schema_of_compose_takes_it() -> None:
    run_tool("check-jsonschema==0.39.0", "--builtin-schema", "vendor.compose-spec", str(FILE))


@EACH
def test_a_container_may_do_nothing_that_it_need_not(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] not in ("0", "root")
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()


@EACH
def test_a_container_is_pinned_checked_and_seen_from_this_machine_alone(
    service: dict[str, Any],
) -> None:
    name, tag = service["image"].rsplit(":", 1)
    assert "build" in service or re.fullmatch(r"v?\d+\.\d+(\.\d+)?", tag), name
    assert service["healthcheck"]["test"]
    assert all(one.startswith("127.0.0.1:") for one in service.get("ports", []))
    assert set(service["networks"]) <= DOCUMENT["networks"].keys()


@EACH
def test_what_is_mounted_is_there(service: dict[str, Any]) -> None:
    for source, _, is_read_only in list_mounts(service):
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
            assert is_read_only, source
        else:
            assert source in DOCUMENT["volumes"]
    for secret in service.get("secrets", []):
        assert secret in DOCUMENT["secrets"]


def test_databases_are_reached_by_the_agent_alone() -> None:
    assert DOCUMENT["networks"]["data"] == {"internal": True}
    inside = {name for name, one in SERVICES.items() if "data" in one["networks"]}
    assert inside == {"agent", "watched", "store"}
    assert all("ports" not in SERVICES[name] for name in ("watched", "store"))


def test_tokens_are_made_by_the_reader_and_committed_by_nobody() -> None:
    page = (ROOT / "docs" / "how-to" / "compose.md").read_text("utf-8")
    for secret in DOCUMENT["secrets"].values():
        path = (DEPLOY / secret["file"]).relative_to(ROOT)
        ignored = ["git", "check-ignore", "-q", str(path)]
        if (ROOT / ".git").exists():
            assert subprocess.run(ignored, cwd=ROOT, check=False).returncode == 0
        assert path.name.removesuffix("-token") in page


def test_the_agent_understands_every_variable_it_is_given(tmp_path: Path) -> None:
    given = {
        name: re.sub(r"\$\{(\w+):-([^}]*)\}", r"\2", value).replace("/run/secrets", str(tmp_path))
        for name, value in SERVICES["agent"]["environment"].items()
    }
    for secret in SERVICES["agent"]["secrets"]:
        (tmp_path / secret).write_text("a-token-of-the-test\n")
    loaded = load_config(given, cwd=tmp_path)
    assert loaded.problems == ()
    settings = loaded.settings
    assert set(settings.databases) == {"app"}
    assert settings.slack is None  # an empty variable is none
    assert settings.api_token is not None
    assert settings.metrics_token is not None
    mounted = {f"/run/secrets/{one}" for one in SERVICES["agent"]["secrets"]}
    files = {value for name, value in SERVICES["agent"]["environment"].items() if "_FILE" in name}
    assert files == mounted


def test_the_agent_runs_as_the_user_of_its_image() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert f"\nUSER {SERVICES['agent']['user']}\n" in dockerfile
    arguments = SERVICES["agent"]["build"]["args"]
    assert all(f"\nARG {name}=" in dockerfile for name in arguments)
    assert SERVICES["watched"]["image"].startswith(f"postgres:{arguments['POSTGRES_MAJOR']}.")


SQL = (DEPLOY / "compose" / "watched.sql").read_text("utf-8")


def test_the_role_has_what_grants_gives_and_no_more() -> None:
    printed = list_grants(
        role="anchorwatch",
        database="app",
        schema="public",
        version_table="alembic_version",
        level=1,
    )
    assert SQL.strip().endswith("\n".join(printed).replace("CHANGE-ME", "demo"))


@pytest.fixture
async def watched(make_database: MakeDatabase, server: Cluster) -> AsyncIterator[str]:
    """The URL of the role that looks, on a real server that has run the script."""
    url = await make_database("app", SQL)
    yield server.socket_url("app", "anchorwatch")
    async with administering(url) as owner:
        await owner.execute("DROP OWNED BY anchorwatch")
        await owner.execute("DROP ROLE anchorwatch")


async def test_the_role_can_look_at_the_database_that_the_script_makes(
    run_inside: RunCommand, watched: str
) -> None:
    done = await run_inside("check", watched, "--format", "json")
    assert done.code == 0, done
    (database,) = done.document["databases"]
    assert database["revisions"] == ["3f2a1c9d71be"]
    assert database["findings"] == []


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "compose" / "prometheus.yml").read_text("utf-8")
    mounts = {target: source for source, target, _ in list_mounts(SERVICES["prometheus"])}
    for rules in yaml.safe_load(text)["rule_files"]:
        assert rules in mounts
        text = text.replace(rules, str(DEPLOY / mounts[rules]))
    (tmp_path / "metrics_token").write_text("a-token-of-the-test\n")
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets", str(tmp_path)))
    done = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    targets = re.findall(r'"(\w+):(\d+)"', text)
    assert targets == [("alertmanager", "9093"), ("agent", "8080")]
    assert all(name in SERVICES for name, _ in targets)


def test_grafana_finds_its_sources_and_its_dashboards() -> None:
    mounts = {target: DEPLOY / source for source, target, _ in list_mounts(SERVICES["grafana"])}
    for path in mounts["/etc/grafana/provisioning/datasources"].glob("*.yaml"):
        for source in yaml.safe_load(path.read_text("utf-8"))["datasources"]:
            host, port = source["url"].removeprefix("http://").split(":")
            assert any(one.endswith(f":{port}") for one in SERVICES[host]["ports"]), source["url"]
    for path in mounts["/etc/grafana/provisioning/dashboards"].glob("*.yaml"):
        for provider in yaml.safe_load(path.read_text("utf-8"))["providers"]:
            assert list(mounts[provider["options"]["path"]].glob("*.json"))


@contextlib.contextmanager
def running_prometheus(config: Path, data: Path) -> Iterator[str]:
    """Debian's Prometheus with that configuration: its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        [
            *("prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}"),
            *(f"--web.listen-address={address}", "--log.level=error"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield address
    finally:
        process.terminate()
        process.wait()


def ask(address: str, query: str) -> list[dict[str, Any]]:
    """What a query returns; nothing while Prometheus is not up."""
    try:
        answer = httpx.get(
            f"http://{address}/api/v1/query", params={"query": query}, trust_env=False
        )
    except httpx.TransportError:
        return []
    if answer.status_code != httpx.codes.OK:
        return []
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


OWN_TOOLS = {"prometheus": "promtool", "alertmanager": "amtool"}


@pytest.mark.parametrize("name", OWN_TOOLS)
def test_a_health_check_asks_with_the_tool_that_the_image_is_made_of(name: str) -> None:
    """Of a server that is not there; of one that is, a long test does."""
    command = SERVICES[name]["healthcheck"]["test"][1:]
    assert command[0] == OWN_TOOLS[name]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    assert check_health(name, "127.0.0.1:1") == 1


def check_health(name: str, address: str) -> int:
    """What the health check of a service ends with, asked of another address."""
    command = SERVICES[name]["healthcheck"]["test"][1:]
    asked = [re.sub(r"127\.0\.0\.1:\d+", address, word) for word in command]
    assert asked != command
    return subprocess.run(asked, check=False, capture_output=True, timeout=20).returncode


@pytest.mark.long
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")
async def test_prometheus_sees_the_agent_of_the_stack(
    watched: str, make_database: MakeDatabase, start_agent: StartAgent, tmp_path: Path
) -> None:
    """All of it but the containers: the variables, the tokens, the role and the job are real."""
    for secret in SERVICES["agent"]["secrets"]:
        (tmp_path / secret).write_text(f"{secret}-of-the-test\n")
    environ = {
        name: value.replace("/run/secrets", str(tmp_path))
        for name, value in SERVICES["agent"]["environment"].items()
        if "${" not in value
    }
    environ["ANCHORWATCH_DATABASES__APP__URL"] = watched
    environ["ANCHORWATCH_STORE_URL"] = await make_database()
    text = (DEPLOY / "compose" / "prometheus.yml").read_text("utf-8")
    text = re.sub(r"rule_files: .*", "", text).replace(
        "scrape_interval: 30s", "scrape_interval: 1s"
    )
    agent = await asyncio.to_thread(start_agent, **environ)
    assert agent.get("/metrics")[0] == 401
    text = text.replace("agent:8080", f"127.0.0.1:{agent.port}")
    config = tmp_path / "prometheus.yml"
    config.write_text(text.replace("/run/secrets", str(tmp_path)))
    with running_prometheus(config, tmp_path / "tsdb") as address:
        query = 'anchorwatch_database_state{job="anchorwatch",database="app"} == 1'
        (series,) = await asyncio.to_thread(
            wait_for, lambda: ask(address, query), "a state in Prometheus"
        )
        assert series["metric"]["state"] == "unchanged"
        assert check_health("prometheus", address) == 0
        (up,) = ask(address, 'up{job="anchorwatch"}')
        assert up["value"][1] == "1"
