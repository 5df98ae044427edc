"""Writes the pages of the documentation that are made from the code.

    python docs/build.py            writes them
    python docs/build.py --check    exits with 1 when one is stale
"""

import sys
from pathlib import Path

from monitor.config.reference import render_settings_reference
from monitor.core.kinds_page import render_kinds
from monitor.core.rules import RULES, Rule
from monitor.sinks.metrics import render_metrics_reference

DOCS = Path(__file__).parent
HEADER = "<!-- Made from the code by docs/build.py: change it there. -->\n"


def render_rule(rule: Rule) -> str:
    """The page of one rule."""
    return (
        f"{HEADER}# {rule.code}: {rule.title}\n\n"
        f"Severity: {rule.severity.value} · incident: {rule.finding_class.value}\n\n"
        f"## Why it matters\n\n{rule.why}\n\n## How to fix it\n\n{rule.fix}\n"
    )


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


def render_pages() -> dict[Path, str]:
    """Every generated page, by its path."""
    return {
        DOCS / "kinds.md": render_kinds(),
        DOCS / "reference" / "settings.md": render_settings_reference(),
        DOCS / "reference" / "metrics.md": render_metrics_reference(),
        DOCS / "rules" / "README.md": render_rules_index(),
        **{DOCS / "rules" / f"{rule.code}.md": render_rule(rule) for rule in RULES.values()},
    }


def find_stale() -> list[Path]:
    """Pages whose file is not what the code says."""
    return [
        path
        for path, text in render_pages().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]


def main() -> int:
    """Write the pages, or check them."""
    stale = find_stale()
    if "--check" in sys.argv:
        for path in stale:
            print(f"stale: {path.relative_to(DOCS.parent)}")
        return 1 if stale else 0
    for path, text in render_pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
