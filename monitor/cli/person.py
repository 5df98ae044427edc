"""Who types the command, as far as the machine knows."""

import os


def name_person() -> str:
    """The name of the account, or what stands for one."""
    return os.environ.get("LOGNAME") or os.environ.get("USER") or "the command line"
