"""The alerts of Prometheus once more, for Grafana to evaluate.

https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

RULES: Final = Path(__file__).parents[1] / "deploy" / "prometheus" / "anchorwatch.rules.yml"
DATASOURCE: Final = "anchorwatch-prometheus"
"""As provisioning/datasources/anchorwatch.yaml calls it."""
EXPRESSION: Final = "__expr__"
WINDOW: Final = {"from": 600, "to": 0}
"""Seconds; instant queries look at its end."""

_RECORDED: Final = re.compile(r"[a-z_]+:[a-z0-9_:]+")
_REMEMBERED: Final = "database_state:anchorwatch_database_judged:last"
_REMARK: Final = (
    "# Made from deploy/prometheus/anchorwatch.rules.yml by grafana/build.py: change it there.\n"
    "# For those who do not load these rules into Prometheus: both together tell everything\n"
    "# twice. Grafana has no memory for the state before, so here a database that cannot be\n"
    "# seen ends the alert about its drift, and has the one that it cannot be seen.\n"
)


def render() -> str:
    """The file for provisioning/alerting."""
    written = yaml.safe_dump(build(), sort_keys=False, width=99, allow_unicode=True)
    return _REMARK + str(written)


def build() -> dict[str, Any]:
    """Every alert but the one that always fires, in the groups of the rules."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    records = {
        rule["record"]: rule["expr"]
        for group in groups
        for rule in group["rules"]
        if "record" in rule
    }
    # Of what Prometheus remembers, what it is now is the next best.
    records[_REMEMBERED] = "anchorwatch_database_state"
    return {"apiVersion": 1, "groups": [*_list_groups(groups, records)]}


def _list_groups(
    groups: Sequence[Mapping[str, Any]], records: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for group in groups:
        alerts = [
            rule
            for rule in group["rules"]
            if "alert" in rule and rule["labels"]["severity"] != "none"
        ]
        if alerts:
            yield {
                "orgId": 1,
                "name": group["name"],
                "folder": "anchorwatch",
                "interval": group["interval"],
                "rules": [_convert(alert, records) for alert in alerts],
            }


def _convert(alert: Mapping[str, Any], records: Mapping[str, str]) -> dict[str, Any]:
    """One alert. A for its value, B for whether there is one: a value may be zero."""
    expr = _spell_out(alert["expr"], records)
    return {
        "uid": re.sub(r"(?<!^)(?=[A-Z])", "-", alert["alert"]).lower(),
        "title": alert["alert"],
        "condition": "C",
        "data": [
            _ask("A", expr),
            _ask("B", f"group without () ({expr})"),
            {
                "refId": "C",
                "relativeTimeRange": dict(WINDOW),
                "datasourceUid": EXPRESSION,
                "model": {
                    "refId": "C",
                    "type": "threshold",
                    "expression": "B",
                    "datasource": {"type": EXPRESSION, "uid": EXPRESSION},
                    "conditions": [{"evaluator": {"type": "gt", "params": [0]}}],
                },
            },
        ],
        "noDataState": "OK",  # no series is what the query says when nothing is wrong
        "execErrState": "Error",  # that nobody can ask is not
        "for": alert.get("for", "0s"),
        "labels": {name: _escape(text) for name, text in alert["labels"].items()},
        "annotations": {name: _escape(text) for name, text in alert["annotations"].items()},
        "isPaused": False,
    }


def _ask(name: str, expr: str) -> dict[str, Any]:
    return {
        "refId": name,
        "relativeTimeRange": dict(WINDOW),
        "datasourceUid": DATASOURCE,
        "model": {
            "refId": name,
            "datasource": {"type": "prometheus", "uid": DATASOURCE},
            "expr": expr,
            "instant": True,
            "range": False,
        },
    }


def _spell_out(expr: str, records: Mapping[str, str]) -> str:
    """The expression with what is recorded in place of its name, on one line."""

    def put(found: re.Match[str]) -> str:
        recorded = records[found[0]]
        is_series = recorded.isidentifier()
        return recorded if is_series else f"({_spell_out(recorded, records)})"

    return " ".join(_RECORDED.sub(put, expr).split())


def _escape(text: str) -> str:
    """As Grafana reads it: a value has a name, and a dollar would be a variable of ours."""
    return text.replace("$value", "$values.A.Value").replace("$", "$$")
