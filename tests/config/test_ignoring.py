"""Rules of what is ignored: from the document and from variables, each with a reason."""

import json
from datetime import date
from pathlib import Path

import pytest

from monitor.agent.choices import list_rules
from monitor.config import LoadedConfig, load_config, mask_config
from monitor.core.errors import ConfigurationError
from monitor.core.waivers import IgnoreRule

APP = {"ANCHORWATCH_DATABASES__APP__URL": "postgresql://h/d"}
DOCUMENT = """\
defaults:
  ignore:
    - code: aw2*
      object: table:public.spatial_ref_sys
      reason: PostGIS brings it.
      until: 2027-01-31
databases:
  app:
    url: postgresql://h/d
    ignore:
      - {code: AW225, reason: Built at night.}
  other: {url: postgresql://h/d}
"""


def load(text: str = "", **environ: str) -> LoadedConfig:
    given = {"ANCHORWATCH_CONFIG_YAML": text} if text else {}
    return load_config(given | environ, cwd=Path("/nonexistent"))


def rules_of(loaded: LoadedConfig, name: str = "app") -> tuple[IgnoreRule, ...]:
    return list_rules(loaded.settings, loaded.settings.databases[name])


def test_those_of_a_database_stand_before_those_of_all_and_replace_none() -> None:
    shared = IgnoreRule(
        code="AW2*",
        object="table:public.spatial_ref_sys",
        reason="PostGIS brings it.",
        until=date(2027, 1, 31),
        is_shared=True,
    )
    own = IgnoreRule(code="AW225", reason="Built at night.")
    loaded = load(DOCUMENT)
    assert loaded.problems == ()
    assert rules_of(loaded) == (own, shared)
    assert rules_of(loaded, "other") == (shared,)


@pytest.mark.parametrize(
    "environ",
    [
        {"ANCHORWATCH_DATABASES__APP__IGNORE": '[{"code": "AW225", "reason": "r"}]'},
        {
            "ANCHORWATCH_DATABASES__APP__IGNORE__0__CODE": "AW225",
            "ANCHORWATCH_DATABASES__APP__IGNORE__0__REASON": "r",
        },
        {
            "ANCHORWATCH_DATABASES": '{"app": {"url": "postgresql://h/d", '
            '"ignore": [{"code": "AW225", "reason": "r"}]}}'
        },
    ],
)
def test_a_variable_can_hold_them(environ: dict[str, str]) -> None:
    assert rules_of(load(**APP, **environ)) == (IgnoreRule(code="AW225", reason="r"),)


def test_a_variable_replaces_the_list_of_the_document() -> None:
    loaded = load(
        DOCUMENT, ANCHORWATCH_DEFAULTS__IGNORE='[{"object": "view:*", "reason": "theirs"}]'
    )
    expected = IgnoreRule(object="view:*", reason="theirs", is_shared=True)
    assert rules_of(loaded, "other") == (expected,)


def test_numbered_variables_keep_their_order() -> None:
    numbered = {
        f"ANCHORWATCH_DEFAULTS__IGNORE__{number}__{key}": value
        for number in range(11)
        for key, value in (("CODE", "AW225"), ("REASON", f"r{number}"))
    }
    reasons = [rule.reason for rule in rules_of(load(**APP, **numbered))]
    assert reasons == [f"r{number}" for number in range(11)]


RULE = "databases:\n  app:\n    url: postgresql://h/d\n    ignore:\n      - "


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{code: AW225}", "ignore.0: reason is missing. Add it."),
        ("{code: AW225, reason: ' '}", "reason cannot be used: The reason is empty."),
        ("{reason: r}", "this would ignore everything. Name a code, an object, or both."),
        ("{code: '*', object: '*', reason: r}", "this would ignore everything."),
        ("{code: AW999, reason: r}", "code cannot be used: No finding that can be ignored"),
        ("{code: AW901, reason: r}", "code cannot be used: No finding that can be ignored"),
        ("{object: 'tabel:public.x', reason: r}", "Did you mean table?"),
        ("{object: 'table:a..b', reason: r}", "object cannot be used: A pattern"),
        ("{code: AW225, reason: r, until: soon}", "until cannot be used: That is no day."),
        ("{code: AW225, reason: r, until: 2026-02-30}", "Write it like 2027-01-31."),
        ("{code: AW225, reason: r, untill: 2026-02-28}", "Did you mean until?"),
        ("{code: AW225, reason: r, digest: x}", "digest cannot be used: A digest is sixteen"),
        ("{code: AW225, reason: {a: b}}", "reason should be one value."),
        ("AW225", "This should hold keys."),
        (f"{{code: AW225, reason: {'x' * 10_000}}}", "more than 1000 characters"),
        (f"{{code: AW225, reason: {'</script>' * 200}}}", "more than 1000 characters"),
    ],
)
def test_a_rule_that_is_wrong_is_told_with_its_line(rule: str, told: str) -> None:
    loaded = load(RULE + rule)
    (problem,) = loaded.problems
    assert told in str(problem)
    assert str(problem).startswith("ANCHORWATCH_CONFIG_YAML:5:databases.app.ignore.0")
    assert "xxx" not in str(problem)
    assert "script" not in str(problem)
    assert "app" not in loaded.settings.databases


def test_a_wrong_rule_of_all_is_told_once_and_nothing_runs_with_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(DOCUMENT.replace("aw2*", "AW999"))
    assert str(caught.value).count("AW5 and AW9 ones cannot be ignored") == 1
    assert "defaults.ignore.0.code" in str(caught.value)


@pytest.mark.parametrize("value", ["nothing", "[", "[{]", '{"code": "AW225"}'])
def test_what_is_no_list_is_told(value: str) -> None:
    (problem,) = load(**APP, ANCHORWATCH_DATABASES__APP__IGNORE=value).problems
    assert "ignore should be a list of sections" in str(problem)


@pytest.mark.parametrize("value", ["", "[]", "~", "{}"])
def test_an_empty_list_is_none(value: str) -> None:
    loaded = load(f"databases: {{app: {{url: 'postgresql://h/d', ignore: {value}}}}}")
    assert loaded.problems == ()
    assert rules_of(loaded) == ()


def test_a_rule_whose_day_is_over_is_no_error_of_the_configuration() -> None:
    (rule,) = rules_of(load(RULE + "{code: AW225, reason: r, until: 2001-01-01}"))
    assert rule.until == date(2001, 1, 1)


def test_rules_are_shown_as_json() -> None:
    shown = json.loads(json.dumps(mask_config(load(DOCUMENT))))
    assert shown["defaults"]["ignore"][0]["until"] == "2027-01-31"
    assert shown["databases"]["app"]["ignore"][0]["reason"] == "Built at night."
