"""Writes the pages of the documentation, and of deploy/, that are made from the code.

python docs/build.py            writes them
python docs/build.py --check    exits with 1 when one is stale
"""

import sys
from pathlib import Path

from monitor.cli import make_app
from monitor.cli.reference import render_cli_reference
from monitor.config import railway, render_settings_reference
from monitor.core.findings import INCIDENT_CLASSES, FindingClass
from monitor.core.kinds_page import write_page
from monitor.core.rules import RULES, Rule
from monitor.core.verdict import STATES
from monitor.sinks.families import render_metrics_reference

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))  # the coverage is made from the cases of the tests
RAILWAY = railway.Plan(databases={"app": "Postgres"})
HEADER = "<!-- Made from the code by docs/build.py: change it there. -->\n"


def write_coverage() -> str:
    """What is compared, and the case that shows it."""
    from tests.cases.coverage_page import write_page as write  # noqa: PLC0415  # see the path

    return write()


def render_rule(rule: Rule) -> str:
    """The page of one rule."""
    return (
        f"{HEADER}# {rule.code}: {rule.title}\n\n"
        f"Severity: {rule.severity.value} · incident: {_name_incident(rule)}\n\n"
        f"## Why it matters\n\n{rule.why}\n\n## How to fix it\n\n{rule.fix}\n"
    )


def _name_incident(rule: Rule) -> str:
    told = (*INCIDENT_CLASSES, FindingClass.CHANNEL)
    return rule.finding_class.value if rule.finding_class in told else "none"


def render_rules_index() -> str:
    """All rules on one page."""
    rows = "".join(
        f"| [{r.code}]({r.code}.md) | {r.severity.value} | {r.title} |\n" for r in RULES.values()
    )
    return (
        f"{HEADER}# Rules\n\nEvery finding has a code that never changes its meaning; "
        "`anchorwatch explain CODE` prints its page.\n\n"
        f"| code | severity | |\n|---|---|---|\n{rows}"
    )


def render_states() -> str:
    """All states on one page."""
    rows = "".join(
        f"| `{state.value}` | {meaning.code} | {meaning.severity.value} | {meaning.sentence} |\n"
        for state, meaning in STATES.items()
    )
    return (
        f"{HEADER}# States\n\nFrom the worst down; the first that holds is the state. The number "
        "is what `anchorwatch_database_state_code` says.\n\n"
        f"| state | number | severity | means |\n|---|---|---|---|\n{rows}"
    )


def render_pages() -> dict[Path, str]:
    """Every generated page, by its path."""
    return {
        DOCS / "kinds.md": write_page(),
        DOCS / "coverage.md": HEADER + write_coverage(),
        DOCS / "reference" / "settings.md": render_settings_reference(),
        DOCS / "reference" / "metrics.md": render_metrics_reference(),
        DOCS / "reference" / "cli.md": render_cli_reference(make_app()),
        DOCS / "reference" / "states.md": render_states(),
        DOCS / "rules" / "README.md": render_rules_index(),
        DOCS.parent / "deploy" / "railway" / railway.FILE: railway.write_file(RAILWAY),
        **{DOCS / "rules" / f"{rule.code}.md": render_rule(rule) for rule in RULES.values()},
    }


def find_stale() -> list[Path]:
    """Pages whose file is not what the code says, and rule pages without a rule."""
    pages = render_pages()
    stale = [
        path
        for path, text in pages.items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    return stale + [path for path in (DOCS / "rules").glob("*.md") if path not in pages]


def main() -> int:
    """Write the pages, or check them."""
    if "--check" in sys.argv:
        stale = find_stale()
        for path in stale:
            print(f"stale: {path.relative_to(DOCS.parent)}")
        return 1 if stale else 0
    for path, text in render_pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
