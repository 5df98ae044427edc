"""What Grafana reads at its start: of the shape that it documents, and of one piece."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "grafana" / "provisioning"


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    """What Grafana documents, and no key besides: it ignores what it does not know."""


class Source(Strict):
    name: str
    uid: str
    type: Literal["prometheus", "alertmanager"]
    access: Literal["proxy"]
    url: str
    jsonData: dict[str, str | bool]  # noqa: N815  # its name
    editable: bool = False
    isDefault: bool = False  # noqa: N815  # its name


class Sources(Strict):
    apiVersion: Literal[1]  # noqa: N815  # its name
    datasources: list[Source]


class Options(Strict):
    path: str
    foldersFromFilesStructure: bool  # noqa: N815  # its name


class Provider(Strict):
    name: str
    orgId: int  # noqa: N815  # its name
    folder: str
    folderUid: str  # noqa: N815  # its name
    type: Literal["file"]
    disableDeletion: bool  # noqa: N815  # its name
    allowUiUpdates: bool  # noqa: N815  # its name
    updateIntervalSeconds: int  # noqa: N815  # its name
    options: Options


class Providers(Strict):
    apiVersion: Literal[1]  # noqa: N815  # its name
    providers: list[Provider]


class Window(Strict, rename={"start": "from", "end": "to"}):
    start: int
    end: int


class Query(Strict):
    refId: str  # noqa: N815  # its name
    relativeTimeRange: Window  # noqa: N815  # its name
    datasourceUid: str  # noqa: N815  # its name
    model: dict[str, Any]


class Alert(Strict, rename={"wait": "for"}):
    uid: str
    title: str
    condition: str
    data: list[Query]
    noDataState: Literal["OK"]  # noqa: N815  # its name
    execErrState: Literal["Error"]  # noqa: N815  # its name
    wait: str
    labels: dict[str, str]
    annotations: dict[str, str]
    isPaused: bool  # noqa: N815  # its name


class Group(Strict):
    orgId: int  # noqa: N815  # its name
    name: str
    folder: str
    interval: str
    rules: list[Alert]


class Groups(Strict):
    apiVersion: Literal[1]  # noqa: N815  # its name
    groups: list[Group]


LONGEST_UID: Final = 40


def read[T](name: str, shape: type[T]) -> T:
    return msgspec.convert(yaml.safe_load((FOLDER / name).read_text("utf-8")), shape)


def list_alerts() -> list[Alert]:
    groups = read("alerting/anchorwatch.yaml", Groups).groups
    return [alert for group in groups for alert in group.rules]


def test_data_sources_and_dashboards_have_the_shape_that_grafana_reads() -> None:
    sources = read("datasources/anchorwatch.yaml", Sources).datasources
    assert len({source.uid for source in sources}) == len(sources)
    prometheus, alertmanager = sources
    assert prometheus.jsonData["alertmanagerUid"] == alertmanager.uid
    (provider,) = read("dashboards/anchorwatch.yaml", Providers).providers
    assert provider.folder == "anchorwatch"


def test_windows_follow_how_often_it_is_scraped() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    prometheus, _ = read("datasources/anchorwatch.yaml", Sources).datasources
    assert prometheus.jsonData["timeInterval"] == config["global"]["scrape_interval"]


def test_alerts_are_those_of_prometheus_but_for_the_one_that_always_fires() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/anchorwatch.rules.yml").read_text("utf-8"))
    theirs = {
        rule["alert"]: rule.get("for", "0s")
        for group in rules["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    del theirs["AnchorwatchWatchdog"]
    assert {alert.title: alert.wait for alert in list_alerts()} == theirs


@pytest.mark.parametrize("alert", list_alerts(), ids=lambda alert: alert.title)
def test_an_alert_has_the_shape_that_grafana_reads(alert: Alert) -> None:
    sources = read("datasources/anchorwatch.yaml", Sources).datasources
    known = {source.uid for source in sources} | {"__expr__"}
    names = [query.refId for query in alert.data]
    assert names == [query.model["refId"] for query in alert.data]
    assert alert.condition in names
    assert {query.datasourceUid for query in alert.data} <= known
    assert len(alert.uid) <= LONGEST_UID
    # A single dollar would be taken for a variable of the environment.
    assert not re.search(r"(?<!\$)\$(?!\$)", json.dumps([alert.annotations, alert.labels]))
    for query in alert.data:
        assert "$" not in json.dumps(query.model)
        assert ":" not in re.sub(r'"[^"]*"', "", query.model.get("expr", "")), "recorded nowhere"


def test_prometheus_reads_every_query(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    exprs = [q.model["expr"] for alert in list_alerts() for q in alert.data if "expr" in q.model]
    rules = [{"record": f"try:query:{place}", "expr": expr} for place, expr in enumerate(exprs)]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}), "utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_uids_are_their_own() -> None:
    uids = [alert.uid for alert in list_alerts()]
    assert len(set(uids)) == len(uids)
