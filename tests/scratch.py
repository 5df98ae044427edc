"""Where tests write: into memory, where there is room.

A run writes some ten gigabytes that nobody reads again, most of them databases that live
for a second. On a disk the kernel makes who writes so much wait for it (its
`balance_dirty_pages`): CREATE DATABASE then takes 0.2 s instead of 0.01 s, and the run a
third longer.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108  # every name below it is made by tempfile
ENOUGH_BYTES: Final = 8 * 2**30
"""Each of some servers at once may keep a gigabyte of WAL."""


def move_to_memory() -> None:
    """Make memory the temporary directory of this process and those that it starts.

    Who has named one keeps it.
    """
    if "TMPDIR" not in os.environ and is_roomy(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # asked anew


def is_roomy(place: Path) -> bool:
    """Whether tests can write there: much, and programs as well."""
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        return False
    may_run = not os.statvfs(place).f_flag & os.ST_NOEXEC
    return may_run and shutil.disk_usage(place).free >= ENOUGH_BYTES
