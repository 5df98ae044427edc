"""Where an interpreter finds its packages, without importing any of them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Final

from monitor.core.errors import BuildError
from monitor.sources.environment import clean_environment

ASK_SECONDS: Final = 30
"""An interpreter starts in a fraction of a second, on a machine that pages too."""

_QUESTION: Final = "import json, sys; print(json.dumps(sys.path))"


def read_search_path(python: Path) -> tuple[Path, ...]:
    """The folders that an interpreter looks in for packages, in order.

    Raises:
        BuildError: it cannot be started, or is none.
    """
    try:
        asked = subprocess.run(  # noqa: S603  # the interpreter that the user named
            (str(python), "-c", _QUESTION),
            env=dict(clean_environment(os.environ).variables),
            capture_output=True,
            check=True,
            timeout=ASK_SECONDS,
            cwd="/",
        )
        return tuple(Path(entry) for entry in json.loads(asked.stdout) if entry)
    except (OSError, ValueError, subprocess.SubprocessError):
        raise BuildError(
            f"The interpreter {python} cannot be started.",
            next_step="Name the application's interpreter: `--python PATH/bin/python`.",
        ) from None
