"""What installs Python packages here: uv, pip, or nothing, as in our own image."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path


def list_packagers() -> tuple[tuple[str, ...], ...]:
    """The commands that install a package for this interpreter, most wanted first."""
    ways: list[tuple[str, ...]] = []
    if (uv := _find_uv()) is not None:
        ways.append((uv, "pip", "install", "--quiet", "--python", sys.executable))
    if _has_pip():
        ways.append((sys.executable, "-m", "pip", "install", "--quiet"))
    return tuple(ways)


def name_packager() -> str | None:
    """What a person types to install a package; None where there is nothing to type."""
    if _has_pip():
        return "pip install"
    return "uv pip install" if _find_uv() else None


def _find_uv() -> str | None:
    beside = str(Path(sys.executable).parent)
    return shutil.which("uv", path=os.pathsep.join((beside, os.environ.get("PATH", os.defpath))))


def _has_pip() -> bool:
    return importlib.util.find_spec("pip") is not None
