"""Every panel shows something: its queries are asked of a Prometheus that scrapes the agent."""

import json
import math
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
import yaml

from tests.checks.smoke_peers import certificate
from tests.e2e.conftest import APPLICATION, Agent, Receiver, StartAgent, wait_for
from tests.e2e.observers import Prometheus, running_prometheus

ROOT = Path(__file__).parents[2]
DASHBOARDS: Final[dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
}
SECRET: Final = "deploy-secret-0123456789"  # noqa: S105  # opens nothing but this test
WINDOW: Final = "8s"
"""Of rates: what Grafana takes is four times the scrape interval, and more."""
LABEL_VALUES: Final = re.compile(r"label_values\((.+), (\w+)\)")

DRIFT: Final = """
alter table assets add column hand_made_note text;
drop index ix_discovery_flows_account_name;
"""
QUIET: Final = {"database": "production", "class": "orphans", "reason": "planted", "for": "1h"}
ORPHANS: Final = """
set session_replication_role = replica;
insert into client_accounts (id, name) values (gen_random_uuid(), 'planted');
insert into discovery_flows (flow_id, client_account_id, name)
  select gen_random_uuid(), id, 'planted' from client_accounts;
"""


class Application(BaseHTTPRequestHandler):
    """Answers every request."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
        """Nothing: the test says what matters."""


@pytest.fixture
def application(tmp_path: Path) -> Iterator[int]:
    """The port of an application behind TLS; root.crt of the folder vouches for it."""
    begin, end = (
        (datetime.now(UTC) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ") for days in (-1, 20)
    )
    with certificate(tmp_path, days=(begin, end)) as context:
        server = ThreadingHTTPServer(("localhost", 0), Application)
        assert isinstance(context, ssl.SSLContext)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
        server.server_close()


def write_config(url: str, receiver: Receiver, application: int) -> str:
    return f"""
environment: test
deploy_webhook_secret: {SECRET}
heartbeat_url: https://localhost:{application}/alive
post_deploy_delay: 100ms
deploy_window: 1s
databases:
  production:
    url: {url}
    expected: alembic:{APPLICATION}/alembic.ini
    interval: 1s
    orphans:
      every: 1s
      validated_every: 0s
      relations:
        - relation: discovery_flows.flow_id -> crewai_flow_state_extensions.flow_id
    assertions:
      every: 1s
      checks:
        - {{name: assets are few, sql: select count(*) as n from assets, expect: 'rows[0].n < 9'}}
webhooks:
  team: {{url: "{receiver.url}"}}
smoke:
  - suite: health
    every: 1s
    base_url: https://localhost:{application}
    database: production
    steps:
      - name: ask
        get: /health
      - name: look
        sql: select count(*) as n from assets
        expect: rows[0].n >= 0
"""


def make_rules(folder: Path) -> Path:
    """The rules as they are, but for how long they wait."""
    text = (ROOT / "deploy" / "prometheus" / "anchorwatch.rules.yml").read_text("utf-8")
    text = re.sub(r"^(\s+interval:).*$", r"\1 1s", text, flags=re.MULTILINE)
    path = folder / "rules.yml"
    path.write_text(re.sub(r"^\s+for:.*\n", "", text, flags=re.MULTILINE), "utf-8")
    return path


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.fixture
async def prometheus(
    production: str,
    application: int,
    receiver: Receiver,
    start_agent: StartAgent,
    tmp_path: Path,
) -> Any:
    """A Prometheus that has seen the agent through drift, orphans, smoke, deployment and quiet."""
    begun = time.time()
    agent: Agent = start_agent(
        ANCHORWATCH_CONFIG_YAML=write_config(production, receiver, application),
        SSL_CERT_FILE=str(tmp_path / "root.crt"),
        NO_PROXY="*",
    )
    target = {"static_configs": [{"targets": [f"127.0.0.1:{agent.port}"]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(make_rules(tmp_path))],
        "scrape_configs": [
            {"job_name": "anchorwatch", **target},
            {"job_name": "others", "static_configs": [{"targets": ["127.0.0.1:1"]}]},
        ],
    }
    with running_prometheus(tmp_path, config) as started:
        agent.wait_for_state("production", "in_sync")
        wait_for(lambda: started.look_up("anchorwatch_smoke_success == 1"), "a suite that passes")
        assert agent.post("/api/silences", QUIET) == 201
        await execute(production, DRIFT)
        await execute(production, ORPHANS)
        assert agent.post(f"/hooks/deploy/{SECRET}", {"commit": "3f2a1c"}) == 202
        agent.wait_for_state("production", "drifted")
        for seen in (
            "anchorwatch_orphan_rows > 0",
            "anchorwatch_deploy_timestamp_seconds",
            'sum(anchorwatch_notifications_total{event="opened"}) > 0',
            'sum(anchorwatch_notifications_suppressed_total{reason="silenced"}) > 0',
            'anchorwatch_channel_up{channel="webhook:team"} == 1',
            f"anchorwatch_heartbeat_last_success_timestamp_seconds > {begun}",
            'ALERTS{alertname="AnchorwatchSchemaDrift",alertstate="firing"}',
            f"sum(increase(anchorwatch_checks_total[{WINDOW}])) > 3",
        ):
            wait_for(lambda seen=seen: started.look_up(seen), seen)  # type: ignore[misc]  # it is bound
        yield started


@pytest.mark.long
def test_every_query_of_every_dashboard_shows_something(prometheus: Prometheus) -> None:
    bare: list[str] = []
    asked = 0
    for name, document in DASHBOARDS.items():
        known = resolve_variables(document, prometheus)
        bare += [f"{name}: variable {label}" for label, value in known.items() if not value]
        for place, query, is_now in list_queries(document):
            asked += 1
            if place == "Agent":  # others are down, and none of ours
                assert prometheus.look_up(substitute(query, known))[0]["value"][1] == "1"
            if not show(prometheus, substitute(query, known), is_now=is_now):
                bare.append(f"{name}: {place}: {substitute(query, known)}")
    assert bare == []
    assert asked > 80
    check_alerts(prometheus)


def check_alerts(prometheus: Prometheus) -> None:
    """Those that Grafana would evaluate are understood; most are empty, as they should be."""
    path = ROOT / "grafana" / "provisioning" / "alerting" / "anchorwatch.yaml"
    firing = set()
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
        for alert in group["rules"]:
            found = prometheus.look_up(alert["data"][1]["model"]["expr"])
            assert {sample["value"][1] for sample in found} <= {"1"}, alert["title"]
            if found:
                firing.add(alert["title"])
    # What is done every second is overdue after three.
    overdue = {"AnchorwatchCheckStale", "AnchorwatchSmokeStale"}
    assert firing - overdue == {"AnchorwatchSchemaDrift"}


def list_queries(document: Any) -> Iterator[tuple[str, str, bool]]:
    """Where a query stands, the query, and whether it asks for now only."""
    for panel in document["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"], target["instant"]
    for mark in document["annotations"]["list"]:
        yield mark["name"], mark["expr"], False


def resolve_variables(document: Any, prometheus: Prometheus) -> dict[str, str]:
    """Each variable as Grafana fills it in: what there is, with everything chosen."""
    known: dict[str, str] = {}
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            found = LABEL_VALUES.fullmatch(variable["query"]["query"])
            assert found is not None
            series = substitute(found[1], known)
            values = prometheus.ask(f"label/{found[2]}/values", match__=series)
            # One value stands there as it is, several as a pattern.
            is_pattern = variable["multi"] or variable["includeAll"]
            parts = [re.escape(value) for value in values] if is_pattern else values[:1]
            chosen = "|".join(parts)
            if is_pattern and len(parts) > 1:
                chosen = f"({chosen})"
            known[variable["name"]] = chosen
    return known


def substitute(query: str, known: Mapping[str, str]) -> str:
    """The query as Grafana sends it."""
    query = query.replace("$__rate_interval", WINDOW)
    filled = re.sub(r"\$([a-z_]+)", lambda found: known[found[1]].replace("\\", "\\\\"), query)
    assert not re.search(r"\$[a-z_{]", filled)
    return filled


def show(prometheus: Prometheus, query: str, *, is_now: bool) -> bool:
    """Whether there is a number anywhere in the answer."""
    if is_now:
        samples = [sample["value"] for sample in prometheus.look_up(query)]
    else:
        now = time.time()
        answer = prometheus.ask(
            "query_range", query=query, start=str(now - 10), end=str(now), step="1"
        )
        samples = [sample for series in answer["result"] for sample in series["values"]]
    return any(math.isfinite(float(value)) for _, value in samples)
