"""What is said when the programs are there and do not run."""

import os
import tempfile
from pathlib import Path

import pytest

from monitor.core.errors import EngineError
from monitor.sources import reach
from monitor.sources.account import Account, can_traverse, server_account
from monitor.sources.binaries import Binaries
from monitor.sources.reach import version_text, within_reach

US = Account(name="this user")
LOADER = (
    "postgres: error while loading shared libraries: libxml2.so.2: "
    "cannot open shared object file: No such file or directory"
)


def programs(root: Path, text: str) -> Binaries:
    (root / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (root / "bin" / name).write_text(text)
        (root / "bin" / name).chmod(0o755)
    return Binaries(major=18, root=root, bin=root / "bin", lib=root / "lib")


def test_a_missing_library_is_named_with_the_packages_that_bring_it(tmp_path: Path) -> None:
    broken = programs(tmp_path, f"#!/bin/sh\necho '{LOADER}' >&2\nexit 127\n")
    with pytest.raises(EngineError) as caught:
        version_text(broken, US)
    assert "libxml2.so.2" in caught.value.message
    assert "apt-get install -y libxml2 libssl3 libgssapi-krb5-2" in caught.value.next_step


def test_a_program_of_another_platform_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be run on this system"):
        version_text(programs(tmp_path, "no program"), US)


def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    broken = programs(tmp_path, "#!/bin/sh\necho first >&2\necho the reason >&2\nexit 3\n")
    with pytest.raises(EngineError, match="does not start: the reason"):
        version_text(broken, US)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_without_a_reachable_place_the_error_names_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    closed = programs(tmp_path / "programs", "#!/bin/sh\n")
    monkeypatch.setattr(reach, "REACHABLE_CACHE", tmp_path / "reachable")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(EngineError, match="The account nobody cannot reach the programs in"):
        within_reach(closed, server_account())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_a_closed_directory_anywhere_above_is_seen(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir(mode=0o755)
    tmp_path.chmod(0o700)
    assert not can_traverse(inner, server_account())
    assert can_traverse(Path("/"), server_account())


def test_an_ordinary_account_reaches_what_it_made(tmp_path: Path) -> None:
    assert can_traverse(tmp_path, US)
