"""The floors of the house: imports point down, and neighbours never meet."""

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.core.lock import VersionPlace
from monitor.core.lock_building import make_lock
from monitor.core.lock_file import dump_lock
from monitor.core.snapshot import dump_snapshot, make_snapshot

ROOT = Path(__file__).parent.parent / "monitor"

FLOORS = {
    "core": 0,
    "sources": 1,
    "checks": 2.0,
    "sinks": 2.0,
    "remedy": 2.5,
    "web": 3,
    "watch": 3,
    "config": 3,
    "agent": 4,
    "cli": 5,
    "demo": 4.5,
    "__main__": 6,
}
"""Where each module and folder of the package stands."""

OWNERS = {
    "asyncpg": {"sources.postgres", "sources.failures", "sinks"},
    "httpx": {"sources.http", "sinks", "demo"},
    "apprise": {"sinks.apprise"},
    "alembic": {"sources.collector", "sinks", "demo"},
    "sqlalchemy": {"sinks", "sources.collector", "sources.observer", "sources.models", "demo"},
    "prometheus_client": {"sinks.metrics"},
    "pydantic_settings": {"config"},
    "sentry_sdk": {"agent", "sinks"},
    "apscheduler": {"watch.fleet"},
    "fastapi": {"web", "demo"},
    "typer": {"cli"},
    "uvicorn": {"web", "demo"},
}
"""Who may import which library: everybody else asks them."""

PURE = {"asyncio", "socket", "subprocess", "pathlib", "os", "time", "random", "threading", "io"}
"""What core never imports: no I/O, no clock, no chance."""


def list_modules() -> list[tuple[str, Path]]:
    return sorted(
        (".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path)
        for path in ROOT.rglob("*.py")
        if path != ROOT / "__init__.py"
    )


@functools.cache
def list_imports(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, also inside of functions."""
    return tuple(read_imports(path))


def read_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from names if node.module == "monitor" else [node.module]


MODULES = list_modules()


def test_imports_point_down_and_neighbours_never_meet() -> None:
    reaching = []
    for name, path in MODULES:
        home = name.split(".", 1)[0]
        for imported in list_imports(path):
            if not imported.startswith("monitor."):
                continue
            other = imported.split(".", 2)[1]
            if other not in ("__version__", home) and FLOORS[other] >= FLOORS[home]:
                reaching.append(f"{name} reaches up or across to {imported}")
    assert reaching == []


def test_a_library_has_one_door() -> None:
    strangers = []
    for name, path in MODULES:
        for library in {imported.split(".", 1)[0] for imported in list_imports(path)}:
            doors = OWNERS.get(library)
            if doors and not any(name == door or name.startswith(f"{door}.") for door in doors):
                strangers.append(f"{name} imports {library}, which only {sorted(doors)} may")
    assert strangers == []


def test_core_does_no_io() -> None:
    core = [module for module in MODULES if module[0].startswith("core")]
    doing = {
        name: sorted({imported.split(".")[0] for imported in list_imports(path)} & PURE)
        for name, path in core
    }
    assert {name: found for name, found in doing.items() if found} == {}
    assert [name for name, path in core if "await " in path.read_text("utf-8")] == []


def test_every_part_of_the_package_has_a_floor() -> None:
    assert {name.split(".")[0] for name, _ in MODULES} <= FLOORS.keys()


HEAVY = ("sqlalchemy", "fastapi", "apscheduler", "sentry_sdk", "pydantic", "httpx")


QUICK = [
    ["--help"],
    ["snapshot", "--help"],
    ["diff", "--help"],
    ["snapshot", "snapshot:empty.json"],
    ["diff", "snapshot:empty.json", "lock:empty.lock.json@base"],
    ["lock", "show", "empty.lock.json"],
]


@pytest.mark.parametrize("arguments", QUICK)
def test_quick_commands_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    nothing = make_snapshot([])
    (tmp_path / "empty.json").write_bytes(dump_snapshot(nothing))
    lock = make_lock(nothing, [], place=VersionPlace(), server_version=180000)
    (tmp_path / "empty.lock.json").write_bytes(dump_lock(lock))
    script = (
        "import sys\n"
        f"sys.argv = ['anchorwatch', *{arguments!r}]\n"
        "from monitor.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print(sorted(set({HEAVY!r}) & sys.modules.keys()), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_a_diagnosis_imports_nothing_heavy() -> None:
    script = (
        "import sys\nimport monitor.cli.diagnosing\n"
        f"print(sorted(set({HEAVY!r}) & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
