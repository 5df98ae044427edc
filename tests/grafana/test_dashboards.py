"""The dashboards: they are what the builder writes, they hold together, and nothing is bare."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from monitor.core.verdict import STATES, State
from monitor.sinks.families import AGENT_FAMILIES, DATABASE_FAMILIES

GRAFANA = Path(__file__).parents[2] / "grafana"
DASHBOARDS: Final[dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((GRAFANA / "dashboards").glob("*.json"))
}
IMPORTS: Final[dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((GRAFANA / "import").glob("*.json"))
}
HISTOGRAM: Final = ("_bucket", "_sum", "_count")
BUILT_IN: Final = {
    "__rate_interval",
    "__url_time_range",
    "__value.text",
    "__data.fields.Agent",
}
each = pytest.mark.parametrize("name", DASHBOARDS)


def list_panels(name: str) -> list[Any]:
    """Those that show something."""
    return [panel for panel in DASHBOARDS[name]["panels"] if panel["type"] != "row"]


def list_queries(name: str) -> Iterator[str]:
    """Every query of a dashboard: of panels, marks and variables."""
    document = DASHBOARDS[name]
    for panel in list_panels(name):
        yield from (target["expr"] for target in panel["targets"])
    yield from (mark["expr"] for mark in document["annotations"]["list"])
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def test_the_files_are_what_the_builder_writes() -> None:
    # In a process of its own: the library warns of Grafana's next schema when it is imported.
    done = subprocess.run(
        [sys.executable, str(GRAFANA / "build.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), "run `make docs`"


def test_there_is_a_dashboard_for_each_question() -> None:
    assert set(DASHBOARDS) == set(IMPORTS) == {"fleet", "database", "smoke", "agent"}
    for key in ("uid", "title"):
        assert len({document[key] for document in DASHBOARDS.values()}) == len(DASHBOARDS)


@each
def test_queries_ask_for_metrics_that_there_are(name: str) -> None:
    known = {*AGENT_FAMILIES, *DATABASE_FAMILIES}
    known |= {f"{family}{end}" for family in known for end in HISTOGRAM}
    used = {
        metric
        for query in list_queries(name)
        for metric in re.findall(r"anchorwatch_[a-z0-9_]+", query)
    }
    assert used
    assert used <= known, used - known


def test_every_family_is_shown_somewhere() -> None:
    shown = " ".join(query for name in DASHBOARDS for query in list_queries(name))
    hidden = {
        family
        for family in {*AGENT_FAMILIES, *DATABASE_FAMILIES}
        if not re.search(rf"{family}(?:_bucket)?\b", shown)
    }
    # Two say as states and counts what others say better there.
    assert hidden == {"anchorwatch_database_up", "anchorwatch_alembic_heads"}


@each
def test_nothing_is_bare(name: str) -> None:
    panels = list_panels(name)
    assert len({panel["id"] for panel in DASHBOARDS[name]["panels"]}) == len(
        DASHBOARDS[name]["panels"]
    )
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"] == "no data", panel["title"]
        assert panel["targets"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"], panel["title"]
        if panel["type"] == "timeseries":
            assert defaults["custom"]["spanNulls"] is False, "a gap is no line"
    for variable in DASHBOARDS[name]["templating"]["list"]:
        assert variable["label"]
        assert variable["description"].endswith(".")


@each
def test_no_panel_hides_another_one(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[name]["panels"]:
        x, y, width, height = (panel["gridPos"][side] for side in "xywh")
        cells = {(x + right, y + down) for right in range(width) for down in range(height)}
        assert x + width <= 24, panel["title"]
        assert taken.isdisjoint(cells), panel["title"]
        taken |= cells


def find_mappings(document: Any) -> Iterator[dict[str, Any]]:
    """Every list of mappings that names a state."""
    if isinstance(document, dict):
        if document.get("type") == "value" and "options" in document:
            options = document["options"]
            if any(option["text"] == State.DRIFTED for option in options.values()):
                yield options
        for part in document.values():
            yield from find_mappings(part)
    elif isinstance(document, list):
        for part in document:
            yield from find_mappings(part)


def test_every_state_has_its_number_its_name_and_a_colour_of_its_own() -> None:
    found = [options for document in DASHBOARDS.values() for options in find_mappings(document)]
    assert len(found) >= 4
    for options in found:
        named = {int(number): option["text"] for number, option in options.items()}
        assert named == {meaning.code: state.value for state, meaning in STATES.items()}
        assert len({option["color"] for option in options.values()}) == len(STATES)


@each
def test_no_variable_is_used_that_there_is_not(name: str) -> None:
    document = DASHBOARDS[name]
    known = {variable["name"] for variable in document["templating"]["list"]}
    text = json.dumps(document)
    used = {one.split(":")[0] for one in re.findall(r"\$\{([^}]+)\}", text)}
    used |= set(re.findall(r"\$([a-z_]+)", text))
    own = {one for one in used if not one.startswith("__")}
    assert own <= known, own - known
    assert known <= own, "nobody asks for it"
    built_in = {one for one in used - own if not one.startswith("__field.labels.")}
    assert built_in <= BUILT_IN | {"__all"}, built_in


def find_urls(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(document.get("url"), str):
            yield document["url"]
        for part in document.values():
            yield from find_urls(part)
    elif isinstance(document, list):
        for part in document:
            yield from find_urls(part)


def test_the_fleet_leads_to_each_database_and_to_its_page() -> None:
    urls = set(find_urls(DASHBOARDS["fleet"]))
    uids = {document["uid"] for document in DASHBOARDS.values()}
    inside = [url for url in urls if url.startswith("/d/")]
    assert {urlsplit(url).path.removeprefix("/d/") for url in inside} == {"anchorwatch-database"}
    assert {urlsplit(url).path.removeprefix("/d/") for url in inside} <= uids
    assert "${page:raw}/databases/${__value.text}" in urls
    table = next(panel for panel in list_panels("fleet") if panel["type"] == "table")
    assert "/d/anchorwatch-database" in json.dumps(table["fieldConfig"]["overrides"])


@each
def test_several_values_at_once_arrive_as_several(name: str) -> None:
    document = DASHBOARDS[name]
    for variable in document["templating"]["list"]:
        if variable.get("multi"):
            # Else "All" would be the targets of others too, and all environments.
            assert not variable.get("allValue")
            assert f"var-{variable['name']}=${{{variable['name']}" not in json.dumps(document)
            for query in list_queries(name):
                pairs = re.findall(rf'(\S\S)"\${variable["name"]}"', query)
                assert set(pairs) <= {"=~"}, query


def test_the_fleet_shows_what_is_not_told_beside_what_is() -> None:
    shown = [target["expr"] for panel in list_panels("fleet") for target in panel["targets"]]
    for metric in ("anchorwatch_schema_differences", "anchorwatch_findings_waived"):
        assert [expr for expr in shown if metric in expr], metric


@each
def test_deployments_changes_and_alerts_are_marked(name: str) -> None:
    marks = {mark["name"]: mark for mark in DASHBOARDS[name]["annotations"]["list"]}
    assert list(marks) == ["Deployments", "Schema changes", "Alerts"]
    for title in ("Deployments", "Schema changes"):
        # Grafana takes the value for the time of the mark, and wants milliseconds.
        assert marks[title]["useValueForTime"]
        assert marks[title]["expr"].endswith(" * 1000")
        assert marks[title]["enable"]
    assert not marks["Alerts"]["enable"]


@each
def test_a_copy_asks_for_what_is_not_the_same_everywhere(name: str) -> None:
    copied = IMPORTS[name]
    inputs = {one["name"]: one for one in copied["__inputs"]}
    assert inputs["DS_PROMETHEUS"]["pluginId"] == "prometheus"
    text = json.dumps(copied)
    assert "${datasource}" not in text
    assert set(re.findall(r"\$\{((?:DS|VAR)_[A-Z]+)\}", text)) == set(inputs)
    used = {panel["type"] for panel in copied["panels"]} - {"row"}
    assert used == {one["id"] for one in copied["__requires"] if one["type"] == "panel"}
    assert copied["id"] is None
    assert copied["uid"] == DASHBOARDS[name]["uid"], "importing again replaces it"
    assert len(copied["panels"]) == len(DASHBOARDS[name]["panels"])


@each
def test_no_address_of_a_data_source_is_written_down(name: str) -> None:
    for document in (DASHBOARDS[name], IMPORTS[name]):
        uids = set(re.findall(r'"uid": "([^"]*)"', json.dumps(document)))
        assert {uid for uid in uids if "$" not in uid} == {DASHBOARDS[name]["uid"]}


def test_prometheus_reads_every_query(tmp_path: Path) -> None:
    """Whether they show something is tried with a running agent, in tests/e2e/test_panels.py."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    exprs = [
        re.sub(r"\$[a-z_]+", "x", query.replace("$__rate_interval", "5m"))
        for name in DASHBOARDS
        for query in list_queries(name)
        if not query.startswith("label_values(")
    ]
    rules = [{"record": f"try:query:{place}", "expr": expr} for place, expr in enumerate(exprs)]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}), "utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(exprs)} rules found" in done.stdout
