"""The documentation says what the code says."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from monitor.cli import make_app
from monitor.core.rules import RULES
from monitor.web.limits import is_push
from tests.cases.traps import TRAPS

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.fixture(scope="module")
def builder() -> dict[str, Any]:
    """What `docs/build.py` defines."""
    return runpy.run_path(str(ROOT / "docs" / "build.py"))


def test_generated_pages_are_fresh(builder: dict[str, Any]) -> None:
    stale = builder["find_stale"]()
    assert stale == [], "run `make docs`"


def test_the_tests_that_hold_the_traps_are_there() -> None:
    for trap, tests in TRAPS:
        assert tests, trap
        for test in tests:
            file, name = test.split("::")
            text = (ROOT / "tests" / file).read_text("utf-8")
            assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), test


def test_every_rule_has_a_page() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "rules").glob("AW*.md")}
    assert pages == set(RULES)


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    commands = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]  # a group
    assert [name for name in commands if f"anchorwatch {name}" not in readme] == []


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


WORKFLOW = re.compile(r"```yaml\n((?:#[^\n]*\n)?on: .*?)```", re.DOTALL)
PUSHED = re.compile(r'https://WATCH(/[^?"]*)\?commit=')


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/lock.md", "docs/how-to/ci.md"])
def test_the_workflow_that_pushes_a_lock_can_be_run(page: str) -> None:
    found = WORKFLOW.search((ROOT / page).read_text("utf-8"))
    assert found is not None
    steps = [step.get("run", "") for step in yaml.safe_load(found[1])["jobs"]["lock"]["steps"]]
    pushed = PUSHED.search("\n".join(steps))
    assert pushed is not None
    assert is_push("PUT", pushed[1])  # `curl -T` puts
    built = re.search(r"anchorwatch (lock build [^\n]*)", "\n".join(steps))
    assert built is not None
    app = typer.main.get_command(make_app())
    group, command, *words = built[1].split()
    known = app.commands[group].commands[command]  # type: ignore[attr-defined]  # groups
    assert known.make_context(command, words, resilient_parsing=True).params["output"]


def test_the_readme_names_only_make_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)`?", (ROOT / "README.md").read_text("utf-8")))
    assert named <= targets
