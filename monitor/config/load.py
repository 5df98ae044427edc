"""The configuration, put together from every place that says something.

From the weakest to the strongest: defaults, what a platform says, the document, the
`ANCHORWATCH_` variables, `PORT`. Sections are merged key by key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import MappingProxyType

from monitor.config.check import check_layer
from monitor.config.document import Layer, Origins, Tree, read_document
from monitor.config.environment import read_environment, read_platform, read_single_database
from monitor.config.flaws import Problem, list_problems, make_error
from monitor.config.merge import DATABASES, complete_databases, merge_layers
from monitor.config.outline import Path
from monitor.config.place import ConfigPlace, Fetch, find_config_place, read_config_place
from monitor.config.settings import Settings
from monitor.config.shape import shape_layer
from monitor.config.smoke_secrets import fill_secrets
from monitor.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """The settings, and how they came about.

    Attributes:
        settings: what holds; databases with a problem are left out.
        problems: what is wrong with single databases, in the order of the sources.
        notices: what of a database URL was translated or dropped, and what of a smoke
            suite is allowed and hardly meant.
        origins: dotted key -> where its value was given; what is not there is a default.
        place: where the document was, if there was one.
    """

    settings: Settings
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]
    origins: Mapping[str, str]
    place: ConfigPlace | None


def load_config(
    environ: Mapping[str, str],
    *,
    path: str | None = None,
    cwd: FilePath,
    fetch: Fetch | None = None,
    may_be_empty: bool = False,
) -> LoadedConfig:
    """Read, merge and check the configuration.

    Args:
        environ: the environment, for settings and for `${VAR}` in the document.
        path: a document that wins over every other place: a path or an `https://` URL.
        cwd: what relative paths begin at.
        fetch: gives the text at a URL, or raises an AnchorwatchError.
        may_be_empty: whether there may be no database at all.

    Raises:
        ConfigurationError: something is wrong that is not about a single database;
            every sentence is a line of its own, and none holds a value.
    """
    place = find_config_place(environ, path=path, cwd=cwd)
    text = None if place is None else read_config_place(place, cwd=cwd, fetch=fetch)
    merged = merge_layers(shape_layer(layer, cwd) for layer in _list_layers(environ, place, text))
    if not merged.tree.get(DATABASES) and not _has_wrong_databases(merged):
        merged = merge_layers([merged, shape_layer(read_single_database(environ), cwd)])
    complete = complete_databases(fill_secrets(merged, environ, cwd))
    checked = check_layer(complete)
    problems = list_problems(checked.flaws)
    if checked.settings is None:
        raise make_error(problems)
    if not (checked.settings.databases or problems or may_be_empty):
        raise _no_database(place)
    return LoadedConfig(
        settings=checked.settings,
        problems=problems,
        notices=_list_notices(checked.settings),
        origins=MappingProxyType(dict(_list_origins(complete.tree, (), complete.origins))),
        place=place,
    )


def require_sound(loaded: LoadedConfig) -> None:
    """Nothing, when there is no problem: what `config check` asks.

    Raises:
        ConfigurationError: a line for each problem.
    """
    if loaded.problems:
        raise make_error(loaded.problems)


def _list_layers(
    environ: Mapping[str, str], place: ConfigPlace | None, text: str | None
) -> Iterator[Layer]:
    below, above = read_platform(environ)
    yield below
    if place is not None and text is not None:
        yield read_document(text, label=place.label, environ=environ)
    yield read_environment(environ)
    yield above


def _has_wrong_databases(layer: Layer) -> bool:
    """Whether databases were meant to be configured, and all of them came out wrong."""
    return any(flaw.path[:1] == (DATABASES,) for flaw in layer.flaws)


def _no_database(place: ConfigPlace | None) -> ConfigurationError:
    where = f"{place.label} and the environment name" if place else "The environment names"
    return ConfigurationError(
        f"{where} no database.",
        next_step="Set DATABASE_URL, or add databases to anchorwatch.yaml.",
    )


def _list_notices(settings: Settings) -> tuple[str, ...]:
    databases = [
        f"{name}: {notice}"
        for name, database in settings.databases.items()
        for notice in database.notices
    ]
    suites = [f"smoke {one.suite}: {notice}" for one in settings.smoke for notice in one.notices]
    return (*databases, *suites)


def _list_origins(tree: Tree, path: Path, origins: Origins) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _list_origins(value, (*path, key), origins)
    elif path in origins:
        yield ".".join(path), origins[path]
