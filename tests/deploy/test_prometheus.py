"""The rules for Prometheus: they load, every alert fires and ends, and somebody paged can act."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
import yaml

from monitor.cli import make_app
from monitor.core.findings import Severity
from monitor.core.verdict import STATES, State
from monitor.sinks.families import AGENT_FAMILIES, DATABASE_FAMILIES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOK = ROOT / "docs" / "runbook.md"
ADDRESS: Final = "https://github.com/anchorwatch/anchorwatch/blob/main/docs/runbook.md#"
PARTS: Final = ("**Meaning.**", "**Impact.**", "**Diagnosis.**", "**Way out.**")
SEVERITIES: Final = {"none", *(severity.value for severity in Severity)}
AS_CONFIGURED: Final = "{{ $labels.severity }}"
"""Of what the configuration says how bad it is."""
NEVER_ENDS: Final = "AnchorwatchWatchdog"


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


RULES = [rule for group in read("anchorwatch.rules.yml")["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}


def run(*command: str) -> None:
    """Run one of the tools of Prometheus; its own words where it fails."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "promtool check rules anchorwatch.rules.yml",
        "promtool check config prometheus.yml",
        "promtool test rules anchorwatch.test.yml",
        "amtool check-config alertmanager.yml",
    ],
)
def test_its_own_tools_are_content(command: str) -> None:
    run(*command.split())


def test_every_alert_fires_and_ends_in_a_test() -> None:
    fires: set[str] = set()
    ends: set[str] = set()
    for test in read("anchorwatch.test.yml")["tests"]:
        firing: set[str] = set()
        for step in test.get("alert_rule_test", []):
            if step["exp_alerts"]:
                firing.add(step["alertname"])
            elif step["alertname"] in firing:
                ends.add(step["alertname"])
        fires |= firing
    assert fires == set(ALERTS)
    assert ends == set(ALERTS) - {NEVER_ENDS}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_and_how_bad_and_where_to_read_on(name: str) -> None:
    alert = ALERTS[name]
    severity = alert["labels"]["severity"]
    assert severity in SEVERITIES or (severity == AS_CONFIGURED and "severity" in alert["expr"])
    texts = alert["annotations"]
    assert set(texts) == {"summary", "description", "runbook_url"}
    assert texts["runbook_url"] == f"{ADDRESS}{name.lower()}"
    for text in texts.values():
        assert text == text.strip()
    assert texts["summary"].endswith(".")
    assert len(texts["summary"]) < 100


def list_sections() -> dict[str, str]:
    """The sections of the runbook by their titles."""
    parts = re.split(r"^## (.+)\n", RUNBOOK.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_alert_has_a_section_of_the_runbook_and_every_section_an_alert() -> None:
    assert list(list_sections()) == list(ALERTS), "in the same order, too"


@pytest.mark.parametrize("name", ALERTS)
def test_a_section_says_what_it_means_what_it_does_how_to_look_and_the_way_out(name: str) -> None:
    paragraphs = list_sections()[name].strip().split("\n\n")
    assert [paragraph.partition(" ")[0] for paragraph in paragraphs[:3]] == list(PARTS[:3])
    assert paragraphs[3].startswith(PARTS[3])
    assert len(paragraphs) == len(PARTS)


def test_the_runbook_names_only_commands_that_there_are() -> None:
    commands = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]  # a group
    for line in re.findall(r"`anchorwatch ([^`]+)`", RUNBOOK.read_text("utf-8")):
        first, *rest = line.split()
        assert first in commands, line
        group = getattr(commands[first], "commands", {first: commands[first]})
        assert len(group) == 1 or rest, line
        # A group may be its first command, unless another one is named: `orphans` is.
        command = group.get(rest[0] if rest else first, next(iter(group.values())))
        known = {name for option in command.params for name in option.opts}
        options = [word for word in rest if word.startswith("--")]
        assert set(options) <= known, line


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_for_what_is_exposed_or_recorded(rule: dict[str, Any]) -> None:
    known = {*AGENT_FAMILIES, *DATABASE_FAMILIES, *(one.get("record") for one in RULES)}
    used = set(re.findall(r"[a-z_:]*anchorwatch_[a-z0-9_:]+", rule["expr"]))
    assert used <= known, used - known


def list_named(expression: str) -> set[str]:
    """The states that an alert fires for."""
    named = re.findall(r'(?<!!)state=~?"([a-z_|]+)"', expression)
    return {state for listed in named for state in listed.split("|")}


def test_every_state_that_is_not_right_has_an_alert_at_least_as_severe() -> None:
    ranks = {severity.value: severity.rank for severity in Severity}
    severest = dict.fromkeys(State, -1)
    for alert in ALERTS.values():
        for state in list_named(alert["expr"]):
            rank = ranks[alert["labels"]["severity"]]
            severest[State(state)] = max(severest[State(state)], rank)
    # These two have metrics of their own, which say it even when there is no state yet.
    for state, name in (
        (State.UNREACHABLE, "AnchorwatchDatabaseUnreachable"),
        (State.PENDING, "AnchorwatchMigrationsPending"),
    ):
        severest[state] = ranks[ALERTS[name]["labels"]["severity"]]
    for state in set(State) - {State.IN_SYNC, State.UNCHANGED}:
        assert severest[state] >= max(STATES[state].severity.rank, Severity.WARNING.rank), state


def test_what_is_not_known_keeps_what_was_and_is_told_itself() -> None:
    (judged,) = [
        rule["expr"]
        for rule in RULES
        if rule.get("record") == "database_state:anchorwatch_database_judged:last"
    ]
    (unknown,) = set(re.findall(r'state=~"([a-z_|]+)"', judged))
    (known,) = set(re.findall(r'state!~"([a-z_|]+)"', judged))
    not_looked = {state.value for state in State if not STATES[state].is_looked}
    assert set(unknown.split("|")) == set(known.split("|")) == not_looked | {State.MIGRATING}
    for name, alert in ALERTS.items():
        if list_named(alert["expr"]) - set(unknown.split("|")):
            assert ":anchorwatch_database_judged:last" in alert["expr"], name


def test_what_is_muted_and_routed_is_there() -> None:
    config = read("alertmanager.yml")
    matchers = [matcher for route in config["route"]["routes"] for matcher in route["matchers"]]
    for rule in config["inhibit_rules"]:
        matchers += [*rule["source_matchers"], *rule["target_matchers"]]
    for matcher in matchers:
        name, operator, value = re.split(r"\s*(!~|=~|!=|=)\s*", matcher, maxsplit=1)
        if name == "alertname":
            pattern = value.strip('"') if "~" in operator else re.escape(value)
            assert [alert for alert in ALERTS if re.fullmatch(pattern, alert)], matcher


def test_a_section_that_is_referred_to_is_there() -> None:
    sections = {title.lower() for title in list_sections()}
    referred = set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK.read_text("utf-8")))
    assert referred
    assert referred <= sections
