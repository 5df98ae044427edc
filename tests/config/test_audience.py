"""Where people are told: a clone of the agent tells nobody."""

from pathlib import Path

import pytest

from monitor.config.audience import Audience, describe_silence, find_audience
from monitor.config.load import LoadedConfig, load_config

DOCUMENT = """
databases:
  app: {url: "postgresql://u:p@h/app"}
  old: {url: "postgresql://u:p@h/old", environment: production}
  new: {url: "postgresql://u:p@h/new", environment: staging}
"""


def load(tmp_path: Path, **environ: str) -> LoadedConfig:
    return load_config(environ | {"ANCHORWATCH_CONFIG_YAML": DOCUMENT}, cwd=tmp_path)


@pytest.mark.parametrize(
    ("listed", "own", "heard"),
    [
        ((), None, {"production", "staging", "pr-7"}),
        ((), "pr-7", {"production", "staging", "pr-7"}),
        (("production",), None, {"production"}),
        (("production",), "production", {"production"}),
        (("production", "staging"), "staging", {"production", "staging"}),
        (("production", "staging"), "pr-7", set()),
    ],
)
def test_both_environments_must_be_listed(
    listed: tuple[str, ...], own: str | None, heard: set[str]
) -> None:
    audience = Audience(listed, own)
    places = {"production", "staging", "pr-7"}
    assert {place for place in places if audience.is_heard(place)} == heard


def test_without_a_list_everything_is_told(tmp_path: Path) -> None:
    loaded = load(tmp_path, RAILWAY_ENVIRONMENT_NAME="pr-7")
    assert describe_silence(loaded) == []
    assert find_audience(loaded).is_heard("pr-7")


def test_a_clone_of_a_preview_environment_is_silent_and_says_so(tmp_path: Path) -> None:
    """Whatever its databases are said to be in."""
    loaded = load(
        tmp_path, RAILWAY_ENVIRONMENT_NAME="pr-7", ANCHORWATCH_ENVIRONMENTS="production, staging"
    )
    (sentence,) = describe_silence(loaded)
    assert sentence.startswith("Nothing is sent anywhere: the environment pr-7 is not among")
    assert not find_audience(loaded).is_heard("production")


def test_one_agent_for_all_goes_by_its_databases(tmp_path: Path) -> None:
    loaded = load(tmp_path, ANCHORWATCH_ENVIRONMENTS="production")
    (sentence,) = describe_silence(loaded)
    assert "of app (default), new (staging): `environments` lists only production" in sentence
    assert find_audience(loaded).is_heard("production")


@pytest.mark.parametrize(
    ("listed", "own", "watched", "served"),
    [
        ((), "pr-7", {"pr-7"}, None),
        (("production",), "production", {"production"}, {"production"}),
        (("production",), "production", {"production", "qa"}, {"production", "qa"}),
        (("production",), "pr-7", {"pr-7", "production"}, {"pr-7"}),
        (("production", "staging"), None, {"production"}, {"production", "staging"}),
    ],
)
def test_a_clone_takes_no_words_that_another_agent_may_tell(
    listed: tuple[str, ...], own: str | None, watched: set[str], served: set[str] | None
) -> None:
    assert Audience(listed, own).list_served(watched) == served
