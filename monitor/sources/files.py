"""The door to files that people name: never more of one than memory can hold."""

import errno
import os
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 256 * 2**20
"""The schema of ten thousand tables is a fifth of this; `/dev/zero` has no end."""


def read_file(path: Path) -> bytes:
    """All of a file.

    Raises:
        OSError: it cannot be read, or is too large to be what we were told it is.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data
