"""The settings of a merged layer, and what is wrong with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitor.config.databases import DatabaseSettings
from monitor.config.document import Layer, get_section
from monitor.config.flaws import Flaw
from monitor.config.merge import DATABASES
from monitor.config.outline import Path
from monitor.config.settings import Settings
from monitor.config.shape import find_origin
from monitor.config.values import NAME

_SENTENCES: Final = {
    "missing": ("is missing.", "Add it."),
    "bool_parsing": ("should be true or false.", "Write true or false."),
    "int_parsing": ("should be a whole number.", "Write digits only."),
    "int_parsing_size": ("should be a smaller number.", "Write a smaller one."),
    "greater_than_equal": ("should be at least {ge}.", "Write a larger number."),
    "less_than_equal": ("should be at most {le}.", "Write a smaller number."),
    "literal_error": ("should be one of {expected}.", "Write one of them."),
    "enum": ("should be one of {expected}.", "Write one of them."),
    "setting": ("{sentence}", "{next}"),
}
_OTHER: Final = ("should have another kind of value.", "See docs/reference/settings.md.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a layer comes to.

    Attributes:
        settings: with the databases that are right; None when more than a database is wrong.
        flaws: everything that is wrong, in the order in which it was found.
    """

    settings: Settings | None
    flaws: tuple[Flaw, ...]


def check_layer(layer: Layer) -> Checked:
    """Check every section and every database by itself.

    Args:
        layer: shaped and complete. Its own flaws are told first; what only follows from
            them is not told.
    """
    trees = get_section(layer.tree, DATABASES)
    common = {key: value for key, value in layer.tree.items() if key != DATABASES}
    settings, found = _check_common(common, layer)
    found += _check_suites(settings, layer, names=tuple(trees)) if settings else []
    databases: dict[str, DatabaseSettings] = {}
    for name, tree in trees.items():
        database, wrong = _check_database(name, tree, layer, names=tuple(trees))
        found += wrong
        if database is not None:
            databases[name] = database
    flaws = (*layer.flaws, *(flaw for flaw in found if not _follows(flaw, layer.flaws)))
    if settings is None or any(flaw.is_fatal for flaw in flaws):
        return Checked(settings=None, flaws=flaws)
    whole = Settings(**{**dict(settings), DATABASES: databases})
    return Checked(settings=whole, flaws=flaws)


def _check_common(common: dict[str, Any], layer: Layer) -> tuple[Settings | None, list[Flaw]]:
    try:
        return Settings(**common), []
    except ValidationError as error:
        return None, _explain(error, (), layer)


def _check_database(
    name: str, tree: object, layer: Layer, *, names: tuple[str, ...]
) -> tuple[DatabaseSettings | None, list[Flaw]]:
    path = (DATABASES, name)
    try:
        database = DatabaseSettings.model_validate(tree)
    except ValidationError as error:
        return None, _explain(error, path, layer)
    if flaw := _check_reference(database, name, layer, names):
        return None, [flaw]
    is_flawed = any(flaw.path[:2] == path for flaw in layer.flaws)
    return None if is_flawed else database, []


def _check_reference(
    database: DatabaseSettings, name: str, layer: Layer, names: tuple[str, ...]
) -> Flaw | None:
    """A database can be compared with another one that is configured."""
    expected = database.expected.get_secret_value() if database.expected else ""
    others = [other for other in names if other != name]
    if not NAME.fullmatch(expected) or expected in others:
        return None
    path = (DATABASES, name, "expected")
    near = get_close_matches(expected, others, n=1)
    return Flaw(
        path=path,
        where=find_origin(path, layer.origins),
        message="expected names no other configured database.",
        next_step=f"Did you mean {near[0]}?" if near else "A file begins with sql: or snapshot:.",
    )


def _check_suites(settings: Settings, layer: Layer, names: tuple[str, ...]) -> list[Flaw]:
    """Suites have names of their own, and belong to databases that are configured."""
    flaws: list[Flaw] = []
    seen: set[str] = set()
    for number, suite in enumerate(settings.smoke):
        path = ("smoke", str(number))
        if suite.suite in seen:
            message, step = "suite names an earlier one.", "Give each a name of its own."
            flaws.append(_make_flaw((*path, "suite"), layer, message, step))
        seen.add(suite.suite)
        if suite.database is None and len(names) > 1:
            step = f"Add database: {names[0]}, or another one: what is wrong is told with it."
            message = "belongs to no database, and several are configured."
            flaws.append(_make_flaw(path, layer, message, step))
        if suite.database is not None and suite.database not in names:
            step = f"Configured are: {', '.join(names) or 'none'}."
            message = "database names none that is configured."
            flaws.append(_make_flaw((*path, "database"), layer, message, step))
    return flaws


def _make_flaw(path: Path, layer: Layer, message: str, next_step: str) -> Flaw:
    where = find_origin(path, layer.origins)
    return Flaw(path=path, where=where, message=message, next_step=next_step)


def _follows(flaw: Flaw, earlier: Iterable[Flaw]) -> bool:
    """Whether the flaw is about a key that was left out, or about the section around it."""
    return any(
        flaw.path[: len(one.path)] == one.path or one.path[: len(flaw.path)] == flaw.path
        for one in earlier
    )


def _explain(error: ValidationError, above: Path, layer: Layer) -> list[Flaw]:
    details = error.errors(include_url=False, include_input=False)
    return [_explain_one(one, above, layer) for one in details]


def _explain_one(details: ErrorDetails, above: Path, layer: Layer) -> Flaw:
    path = (*above, *map(str, details["loc"]))
    sentence, next_step = _SENTENCES.get(details["type"], _OTHER)
    words = details.get("ctx", {})
    subject = "this" if path[-1].isdecimal() else path[-1]
    return Flaw(
        path=path,
        where=find_origin(path, layer.origins),
        message=f"{subject} {sentence.format(**words)}",
        next_step=next_step.format(**words),
    )
