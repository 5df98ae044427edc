"""axe-core in a page: what an engine finds that keeps people from using it.

Source: https://github.com/dequelabs/axe-core/blob/develop/doc/API.md
"""

import importlib.util
import json
from pathlib import Path
from typing import Any, Final

from tests.web.browser import Tab


def _find_script() -> Path | None:
    """The engine, where the package that has it is installed; that is never imported."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        return None
    script = Path(found.origin).with_name("axe.min.js")
    return script if script.exists() else None


SCRIPT: Final = _find_script()

_OPTIONS: Final = {"resultTypes": ["violations", "incomplete"]}


async def load_axe(tab: Tab) -> None:
    """Put the engine into the page; the protocol does what no policy of the page allows."""
    assert SCRIPT is not None
    await tab.ask(SCRIPT.read_text(encoding="utf-8") + "\n;true")


async def find_violations(tab: Tab) -> list[str]:
    """What breaks a rule, every one of axe-core's, with the elements that do."""
    result: dict[str, Any] = await tab.ask(f"axe.run(document, {json.dumps(_OPTIONS)})")
    assert result["testEngine"]["name"] == "axe-core"
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:200]}"
        for one in result["violations"]
        for node in one["nodes"][:3]
    ]
