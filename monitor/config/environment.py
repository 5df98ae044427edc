"""What the environment says: `ANCHORWATCH_...`, and the variables that platforms set."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from monitor.config.document import Layer, Origins, Tree, write_texts
from monitor.config.flaws import Flaw
from monitor.config.outline import FILE_SUFFIX, Path, suggest_key
from monitor.config.settings import DELIMITER, PREFIX, Settings
from monitor.config.values import correct_name

CONFIG: Final = f"{PREFIX}CONFIG"
CONFIG_YAML: Final = f"{PREFIX}CONFIG_YAML"
RAILWAY_ENVIRONMENT: Final = "RAILWAY_ENVIRONMENT_NAME"
RAILWAY_VOLUME: Final = "RAILWAY_VOLUME_MOUNT_PATH"
_STORE_FILE: Final = "anchorwatch.sqlite"
_SERVICE_LINK: Final = re.compile(
    r"ANCHORWATCH(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_\w+)?)"
)


class _Variables(EnvSettingsSource):
    """Reads a given environment in place of the process's own."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environ.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """JSON, where a section stands in one variable; other text is judged later, unquoted."""
        del field
        try:
            if value.lstrip()[:1] not in ("{", "["):
                return value
            return write_texts(json.loads(value), (field_name,))
        except (ValueError, RecursionError):
            return value


def read_environment(environ: Mapping[str, str]) -> Layer:
    """What the variables that begin with `ANCHORWATCH_` say.

    The variables that Kubernetes sets for a service of that name are no settings:
    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    ours = {name: value for name, value in environ.items() if _is_ours(name, value)}
    layer = Layer(tree=_Variables(ours)())
    names = {_make_path(name): name for name in sorted(ours)}
    for path, name in names.items():
        if _has(layer.tree, path):
            continue
        if len(path) == 1:
            # Not a field of the models, but it may be the _FILE form of one.
            layer.tree[path[0]] = ours[name]
        else:
            layer.flaws.append(_make_misplaced(path, name))
    layer.origins.update(_find_sections(names))
    layer.origins.update(_find_origins(layer.tree, (), names))
    return layer


def read_platform(environ: Mapping[str, str]) -> tuple[Layer, Layer]:
    """What platforms say: below everything else, and above everything else."""
    below, above = Layer(), Layer()
    _copy(below, "environment", environ, RAILWAY_ENVIRONMENT)
    _copy(below, "sentry_dsn", environ, "SENTRY_DSN")
    _copy(above, "port", environ, "PORT")
    if volume := environ.get(RAILWAY_VOLUME):
        below.tree["store_url"] = f"sqlite:///{quote(volume.rstrip('/'))}/{_STORE_FILE}"
        below.origins["store_url",] = RAILWAY_VOLUME
    return below, above


def read_single_database(environ: Mapping[str, str]) -> Layer:
    """The one database that `DATABASE_URL` names; nothing when it is not set."""
    name = correct_name(environ.get("RAILWAY_SERVICE_NAME", ""))
    database: dict[str, Tree] = {}
    layer = Layer()
    for key in ("url", f"url{FILE_SUFFIX}"):
        variable = f"DATABASE_{key.upper()}"
        if value := environ.get(variable):
            database[key] = value
            layer.tree["databases"] = {name: database}
            layer.origins["databases", name] = variable
            layer.origins["databases", name, key] = variable
    return layer


def _is_ours(name: str, value: str) -> bool:
    upper = name.upper()
    is_service_link = _SERVICE_LINK.fullmatch(upper) or (
        upper.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    )
    is_setting = upper.startswith(PREFIX) and upper not in (CONFIG, CONFIG_YAML)
    return is_setting and bool(value) and not is_service_link


def _make_path(name: str) -> Path:
    return tuple(name[len(PREFIX) :].lower().split(DELIMITER))


def _copy(layer: Layer, key: str, environ: Mapping[str, str], variable: str) -> None:
    if value := environ.get(variable):
        layer.tree[key] = value
        layer.origins[key,] = variable


def _has(tree: Tree, path: Path) -> bool:
    if not path:
        return True
    return isinstance(tree, dict) and path[0] in tree and _has(tree[path[0]], path[1:])


def _make_misplaced(path: Path, name: str) -> Flaw:
    return Flaw(
        path=path,
        where=name,
        message="There is no such setting.",
        next_step=suggest_key(path[0], ()),
    )


def _find_origins(tree: Tree, path: Path, names: Mapping[Path, str]) -> Iterator[tuple[Path, str]]:
    """Each key comes from the longest variable that leads to it."""
    own = [names[path[:length]] for length in range(len(path), 0, -1) if path[:length] in names]
    if own:
        yield path, own[0]
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _find_origins(value, (*path, key), names)


def _find_sections(names: Mapping[Path, str]) -> Origins:
    """A section that no variable gives as a whole comes from the first one inside it."""
    firsts: Origins = {}
    for path, name in names.items():
        for length in range(1, len(path)):
            firsts.setdefault(path[:length], name)
    return firsts
