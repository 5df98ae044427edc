"""The settings for people: as they hold, without secrets, and as a reference page."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from monitor.config.databases import ADDRESS_PARTS
from monitor.config.load import LoadedConfig
from monitor.config.merge import DEFAULTS
from monitor.config.outline import ANY, SHOWN, Path, Setting, Shape, list_settings
from monitor.config.settings import Settings
from monitor.config.values import (
    MASK,
    Data,
    DatabaseUrl,
    Expected,
    StoreUrl,
    format_duration,
)
from monitor.core.findings import FindingClass
from monitor.core.patience import DEFAULT_POLICY

_ROWS: Final = (Shape.TEXT, Shape.LIST, Shape.SECTIONS, Shape.DATA)
_ADDRESS: Final = ("url", *ADDRESS_PARTS)
_HEAD: Final = """# Settings

<!-- Made by monitor.config.render_settings_reference; a test keeps it so. -->

Every setting can stand in the YAML document or in the environment, where the variable wins.
The document is the first of: `--config`, `ANCHORWATCH_CONFIG` (a path or an `https://` URL),
the text of `ANCHORWATCH_CONFIG_YAML`, `./anchorwatch.yaml`, `/etc/anchorwatch/anchorwatch.yaml`.
Without any, `DATABASE_URL` alone is enough: one database, named after `RAILWAY_SERVICE_NAME`
or `default`.

- Values in the document may hold `${VAR}`, `${VAR:-default}` and `${VAR:?message}`; `$$` is `$`.
- Durations are written `500ms`, `60s`, `5m`, `24h` or `7d`.
- Names are `a` to `z`, `0` to `9` and `_`, at most 40, and begin with a letter.
- A secret (marked *secret*) can be given as a file: the key with `_file`, the variable with
  `_FILE`. The newline at the end of the file does not count. Relative paths begin at the
  working directory.
- A variable that is set and empty counts as not set.
- A list of sections, as `ignore`, stands in one variable as JSON, or in a variable a key:
  `ANCHORWATCH_DATABASES__APP__IGNORE__0__CODE`.
- What is said under `defaults` holds for every database that does not say otherwise; what
  is under `ignore` there holds as well. A database has either a `url` or `host`, `port`,
  `user`, `password` and `dbname`.
"""


def mask_config(loaded: LoadedConfig) -> dict[str, Any]:
    """The settings as JSON, with `********` for each secret.

    Of database URLs the host and the database are shown; durations as they are written.
    """
    return {name: _mask(getattr(loaded.settings, name)) for name in Settings.model_fields}


def _mask(value: object) -> object:
    match value:
        case BaseModel():
            fields = type(value).model_fields.items()
            return {field.alias or name: _mask(getattr(value, name)) for name, field in fields}
        case Mapping():
            return {str(key): _mask(item) for key, item in value.items()}
        case tuple():
            return [_mask(item) for item in value]
        case _:
            return _mask_one(value)


def _mask_one(value: object) -> object:
    match value:
        case SecretStr() | Data():
            return MASK
        case date():
            return value.isoformat()
        case DatabaseUrl() | StoreUrl() | Expected():
            return str(value)
        case timedelta():
            return format_duration(value)
        case _:
            return value


def render_settings_reference() -> str:
    """The page `docs/reference/settings.md`: every setting with variable, default and meaning."""
    return "\n".join([_HEAD, *_render_sections()])


def _render_sections() -> Iterator[str]:
    leaves = [it for it in list_settings().values() if _is_leaf(it)]
    sections = dict.fromkeys(it.path[:-1] for it in leaves)
    for section in sections:
        inside = [it for it in leaves if it.path[:-1] == section]
        if section[:1] != (DEFAULTS,):
            yield from _render_table(section, sorted(inside, key=_get_rank))


def _is_leaf(setting: Setting) -> bool:
    """Whether it is a row: labels and roles are one, the names of databases are none."""
    is_value = setting.shape in _ROWS and setting.path[-1] != ANY
    return is_value or setting.path[-1] in ("labels", "roles", "vars", "capture")


def _get_rank(setting: Setting) -> int:
    key = setting.path[-1]
    return _ADDRESS.index(key) if key in _ADDRESS else len(_ADDRESS)


def _render_table(section: Path, settings: list[Setting]) -> Iterator[str]:
    title = ".".join(SHOWN.get(part, part) for part in section)
    yield f"## `{title}`" if title else "## At the top level"
    yield ""
    yield "| setting | variable | default | meaning |"
    yield "|---|---|---|---|"
    for setting in settings:
        secret = " *secret*" if setting.is_secret else ""
        yield (
            f"| `{setting.path[-1]}`{secret} | `{setting.variable}` | "
            f"{_render_default(setting)} | {setting.description} |"
        )
    yield ""


def _render_default(setting: Setting) -> str:
    if setting.field is None or setting.field.is_required():
        return "*required*"
    match _find_default(setting, setting.field):
        case None | () | MappingProxyType():
            return ""
        case bool() as value:
            return f"`{str(value).lower()}`"
        case timedelta() as value:
            return f"`{format_duration(value)}`"
        case value:
            return f"`{value}`"


def _find_default(setting: Setting, field: FieldInfo) -> object:
    match setting.path:
        case ("alerts", finding_class, patience):
            return getattr(DEFAULT_POLICY.classes[FindingClass(finding_class)], patience)
    return field.get_default(call_default_factory=True, validated_data={})
