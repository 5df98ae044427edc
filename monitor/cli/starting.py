"""What `anchorwatch init` does: looks around, and writes what is not there yet."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from monitor.cli.comparing import refuse_directory, write_file
from monitor.cli.output import print_json, print_text, say
from monitor.config import railway
from monitor.config.place import FILE_NAME
from monitor.config.starter import SLACK, Seen, Surroundings, list_databases, write_starter
from monitor.core.errors import UsageError

_LOCK = "schema.lock.json"
_INI = "alembic.ini"
_PYTHON = ".venv/bin/python"
_ELSEWHERE = "go to the directory of the project, or print it with --print."


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file to be written, or shown.

    Attributes:
        path: where it belongs.
        text: what it says.
        remarks: what is said beside it, a line each.
        details: what the JSON document says beside it.
    """

    path: Path
    text: str
    remarks: tuple[str, ...]
    details: dict[str, Any]


def make_document() -> Made:
    """A first `anchorwatch.yaml` for this directory and this environment."""
    seen = list_databases(os.environ)
    around = Surroundings(lock=_find(_LOCK), ini=_find(_INI), python=_find(_PYTHON))
    found = ", ".join(f"{one.name} ({one.variable})" for one in seen)
    return Made(
        path=Path(FILE_NAME),
        text=write_starter(seen, around, has_slack=bool(os.environ.get(SLACK))),
        remarks=(
            f"Found: {found}." if seen else "No variable holds the URL of a database.",
            "Next: anchorwatch config check, then anchorwatch check, then anchorwatch run.",
        ),
        details={"databases": [_describe(one) for one in seen]},
    )


def make_plan(
    pairs: list[str] | None,
    *,
    store: str,
    service: str,
    repository: str,
    branch: str,
    is_unpooled: bool,
) -> railway.Plan:
    """What the options say.

    Raises:
        UsageError: one of them cannot be meant.
    """
    if store not in list(railway.Store):
        raise UsageError(
            "--store is no place for a ledger.", next_step="Write service, server or volume."
        )
    plan = railway.Plan(
        databases=railway.read_databases(pairs or ["app=Postgres"]),
        store=railway.Store(store),
        service=service,
        repository=repository,
        branch=branch,
        is_unpooled=is_unpooled,
    )
    railway.check_plan(plan)
    return plan


def make_railway(plan: railway.Plan, *, is_block: bool) -> Made:
    """The file for Railway, or the block for one that is there."""
    variables = railway.list_variables(plan)
    secrets = [one for one in variables if one.is_secret]
    width = max(len(one.name) for one in secrets)
    return Made(
        path=Path(railway.FILE),
        text=railway.write_block(plan) if is_block else railway.write_file(plan),
        remarks=(
            "Set these in the variables of the service, sealed; they stand in no file:",
            *(f"  {one.name:{width}}  {one.meaning}" for one in secrets),
            "Next: railway config plan, read what it would destroy, then railway config apply.",
        ),
        details={
            "variables": [
                {"name": one.name, "secret": one.is_secret, "meaning": one.meaning}
                for one in variables
            ]
        },
    )


def has_railway() -> bool:
    """Whether this project is described to Railway already."""
    return _is_there(Path(railway.FILE).exists)


def refuse_railway_options() -> NoReturn:
    """Say that an option means nothing without `--railway`.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        "--database, --store, --service, --source, --branch and --unpooled are about Railway.",
        next_step="Add --railway, or leave them out.",
    )


def deliver(made: Made, *, show: bool, force: bool, as_json: bool) -> None:
    """Write the file, or print it; what is there stays unless `--force` says otherwise.

    Raises:
        UsageError: it is there, or cannot be written.
    """
    if not show:
        _write(made, force=force)
    if as_json:
        written = {"path": str(made.path), "written": not show, "text": made.text}
        print_json(written | made.details)
        return
    print_text(made.text if show else f"Wrote {made.path}.")
    for remark in made.remarks:
        say(remark)


def _write(made: Made, *, force: bool) -> None:
    path = made.path
    if not force and os.path.lexists(path):
        raise UsageError(
            f"{path} is there already.",
            next_step="Print what would be written with --print, or overwrite it with --force.",
        )
    refuse_directory(path, f"Move it away, or {_ELSEWHERE}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path.parent} cannot be made: {error.strerror}.",
            next_step=_ELSEWHERE.capitalize(),
        ) from None
    write_file(path, made.text.encode(), _ELSEWHERE.capitalize())


def _find(name: str) -> str | None:
    """The name, relative to this directory, if there is such a file."""
    return f"./{name}" if _is_there(Path(name).is_file) else None


def _is_there(ask: Callable[[], bool]) -> bool:
    """What nobody may look at is not there: writing says why, where it matters."""
    try:
        return ask()
    except OSError:
        return False


def _describe(one: Seen) -> dict[str, str]:
    return {"name": one.name, "variable": one.variable}
