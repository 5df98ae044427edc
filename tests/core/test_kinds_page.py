"""The reference page says what the table says."""

from pathlib import Path

import pytest

from monitor.core.keys import Kind
from monitor.core.kinds import KINDS
from monitor.core.kinds_page import write_page

PAGE = Path(__file__).parents[2] / "docs" / "kinds.md"


def test_the_committed_page_is_the_written_one() -> None:
    assert PAGE.read_text("utf-8") == write_page()


@pytest.mark.parametrize("kind", Kind)
def test_every_attribute_has_its_line(kind: Kind) -> None:
    section = write_page().split(f"## {kind.noun}\n")[1].split("\n## ")[0]
    for name, attribute in KINDS[kind].items():
        assert f"| `{name}` | {attribute.meaning} |" in section
