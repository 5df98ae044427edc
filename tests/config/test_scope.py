"""What is configured about a comparison comes to a scope, for each database and in defaults."""

from pathlib import Path

import pytest

from monitor.agent.choices import make_scope
from monitor.config import LoadedConfig, load_config
from monitor.core.scope import DEFAULT_SCOPE, Scope
from monitor.core.scope_names import OWNER
from monitor.core.scope_partitions import Children

DOCUMENT = """
defaults:
  schemas:
    without: [scratch, "tmp_*"]
  partitions:
    policy: Strict
databases:
  plain:
    url: postgresql://h/plain
  shop:
    url: postgresql://h/shop
    schemas:
      only: public, app
      managed: true
    partitions:
      ignore: [events, app.log_*]
      strict: [app.log_money]
    roles:
      reader: [metabase, Grafana]
      owner: [release]
"""


def load(tmp_path: Path, document: str, **environ: str) -> LoadedConfig:
    (tmp_path / "anchorwatch.yaml").write_text(document)
    return load_config(environ, cwd=tmp_path)


def test_a_database_without_a_word_about_it_has_the_default_scope(tmp_path: Path) -> None:
    settings = load(tmp_path, "databases: {a: {url: 'postgresql://h/a'}}").settings
    assert make_scope(settings.databases["a"]) == DEFAULT_SCOPE


def test_a_database_says_over_the_defaults_what_is_compared(tmp_path: Path) -> None:
    loaded = load(tmp_path, DOCUMENT)
    assert loaded.problems == ()
    assert make_scope(loaded.settings.databases["plain"]) == Scope(
        without=("scratch", "tmp_*"), partitions=Children.STRICT
    )
    assert make_scope(loaded.settings.databases["shop"]) == Scope(
        only=("public", "app"),
        without=("scratch", "tmp_*"),
        managed=True,
        partitions=Children.STRICT,
        parents=(
            ("app.log_money", Children.STRICT),
            ("events", Children.IGNORE),
            ("app.log_*", Children.IGNORE),
        ),
        roles={"metabase": "reader", "Grafana": "reader", "release": OWNER},
    )


def test_variables_say_it_too(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        DOCUMENT,
        ANCHORWATCH_DEFAULTS__PARTITIONS__POLICY="ignore",
        ANCHORWATCH_DATABASES__SHOP__SCHEMAS__ONLY="app",
        ANCHORWATCH_DATABASES__SHOP__ROLES__READER="looker",
    )
    scope = make_scope(loaded.settings.databases["shop"])
    assert (scope.partitions, scope.only) == (Children.IGNORE, ("app",))
    assert scope.roles == {"looker": "reader", "release": OWNER}


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("partitions: {policy: loose}", "policy should be one of"),
        ("partitions: {relaxed: [a]}", "There is no setting"),
        ("schemas: {managed: perhaps}", "managed should be true or false"),
        ("roles: {Reader: [a]}", "cannot be a name"),
        ("roles: [a]", "should hold keys"),
    ],
)
def test_what_cannot_be_a_scope_is_a_problem_of_that_database(
    tmp_path: Path, section: str, said: str
) -> None:
    document = f"databases:\n  a:\n    url: postgresql://h/a\n    {section}\n"
    [problem] = load(tmp_path, document + "  b: {url: 'postgresql://h/b'}\n").problems
    assert problem.database == "a"
    assert said in problem.message
