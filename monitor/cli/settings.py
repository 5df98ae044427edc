"""The configuration as commands need it; imported only by those that do."""

import os
from pathlib import Path

from monitor.cli.loop import run_loop
from monitor.cli.output import say
from monitor.config.databases import DatabaseSettings
from monitor.config.load import LoadedConfig, load_config
from monitor.core.errors import LookError, UsageError
from monitor.core.printing import clean
from monitor.sources.http import open_client, read_address

OK = 200


def load_settings(path: str | None, *, may_be_empty: bool = False) -> LoadedConfig:
    """The configuration, with what was translated said on standard error.

    Raises:
        ConfigurationError: it cannot be used.
    """
    if path == "":
        raise UsageError("--config is empty.", next_step="Name a file or an https:// URL.")
    loaded = load_config(
        os.environ, path=path, cwd=Path.cwd(), fetch=_fetch, may_be_empty=may_be_empty
    )
    for notice in loaded.notices:
        say(clean(notice))
    return loaded


def require_database(loaded: LoadedConfig, name: str) -> DatabaseSettings:
    """One database of the configuration.

    Raises:
        UsageError: there is no such database, or its entry is wrong.
    """
    for problem in loaded.problems:
        if problem.database == name:
            raise UsageError(problem.message, next_step=problem.next_step)
    found = loaded.settings.databases.get(name)
    if found is None:
        names = ", ".join(sorted(loaded.settings.databases)) or "none"
        raise UsageError(
            f"No database {name!r} is configured.",
            next_step=f"Configured are: {names}. A URL works as well.",
        )
    return found


def _fetch(url: str) -> str:
    async def ask() -> str:
        async with open_client() as client:
            answer = await client.get(read_address(url))
        if answer.status != OK:
            raise LookError(
                f"The configuration's address answered {answer.status}.",
                next_step="Check ANCHORWATCH_CONFIG.",
            )
        return _read_text(answer.body)

    return run_loop(ask())


def _read_text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LookError(
            "The configuration's address answered what is not UTF-8 text.",
            next_step="Save the document as UTF-8.",
        ) from None
