"""The settings as a table: every key with its kind, made from the models.

A path is a tuple of keys, `("databases", "*", "url")`; `*` stands for a name that the
reader chooses, `#` for a place in a list of sections.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Final, TypeAliasType, TypeGuard, get_args, get_origin

from pydantic import BaseModel, Secret, SecretStr
from pydantic.fields import FieldInfo

from monitor.config.settings import DELIMITER, PREFIX, Settings
from monitor.config.values import Data

type Path = tuple[str, ...]

ANY: Final = "*"
NUMBER: Final = "#"
SHOWN: Final = {ANY: "NAME", NUMBER: "NUMBER"}
"""What stands for a name or a place where people read a path."""
FILE_SUFFIX: Final = "_file"


class Shape(StrEnum):
    """What can stand at a key."""

    SECTION = "section"
    NAMED = "named"
    TEXT = "text"
    LIST = "list"
    SECTIONS = "sections"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key.

    Attributes:
        path: where it stands, with `*` for chosen names and `#` for places in a list.
        shape: a section of known keys, things by name, text, a list of texts, a
            list of sections, or anything that JSON can hold.
        is_secret: whether it can be given as a file, and is never shown.
        field: what the model says of it; None for what stands at a chosen name.
    """

    path: Path
    shape: Shape
    is_secret: bool = False
    field: FieldInfo | None = None

    @property
    def key(self) -> str:
        """As people write it, `databases.NAME.url`."""
        return ".".join(SHOWN.get(part, part) for part in self.path)

    @property
    def description(self) -> str:
        """What it means, in one sentence."""
        return (self.field and self.field.description) or ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return make_variable(
            tuple(f"<{SHOWN[part]}>" if part in SHOWN else part for part in self.path)
        )


def make_variable(path: Path) -> str:
    """The environment variable that sets what stands at a path."""
    return PREFIX + DELIMITER.join(path).upper()


@cache
def list_settings() -> Mapping[Path, Setting]:
    """Every key of the settings, in the order of the models."""
    return {setting.path: setting for setting in _list_fields(Settings, ())}


def find_setting(path: Path) -> Setting | None:
    """The key at a path whose names are filled in."""
    settings = list_settings()
    pattern: Path = ()
    for part in path:
        known = (*pattern, part)
        place = NUMBER if (*pattern, NUMBER) in settings and part.isdecimal() else ANY
        pattern = known if known in settings else (*pattern, place)
    return settings.get(pattern)


def is_data(path: Path) -> bool:
    """Whether what stands at a path is kept as it is, types and all."""
    setting = find_setting(path)
    return setting is not None and setting.shape is Shape.DATA


def find_keys(path: Path) -> tuple[str, ...]:
    """The keys that a section knows, with the `_file` forms of its secrets."""
    section = find_setting(path)
    depth = section.path if section else ()
    inside = [it for it in list_settings().values() if it.path[:-1] == depth]
    names = [(it.path[-1], it.is_secret) for it in inside]
    return tuple(
        key
        for name, is_secret in names
        for key in ((name, name + FILE_SUFFIX) if is_secret else (name,))
    )


def _list_fields(model: type[BaseModel], above: Path) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        yield from _list_kind(field.annotation, (*above, field.alias or name), field)


def _list_kind(annotation: object, path: Path, field: FieldInfo | None) -> Iterator[Setting]:
    bare = _unwrap(annotation)
    origin = get_origin(bare)
    if _is_section(bare):
        yield Setting(path=path, shape=Shape.SECTION, field=field)
        yield from _list_fields(bare, path)
    elif bare is Data:
        yield Setting(path=path, shape=Shape.DATA, field=field)
    elif origin is Mapping:
        yield Setting(path=path, shape=Shape.NAMED, field=field)
        yield from _list_kind(get_args(bare)[1], (*path, ANY), None)
    elif origin is tuple and _is_section(get_args(bare)[0]):
        yield Setting(path=path, shape=Shape.SECTIONS, field=field)
        yield from _list_kind(get_args(bare)[0], (*path, NUMBER), None)
    elif origin is tuple:
        is_secret = _is_secret(_unwrap(get_args(bare)[0]))
        yield Setting(path=path, shape=Shape.LIST, is_secret=is_secret, field=field)
    else:
        yield Setting(path=path, shape=Shape.TEXT, is_secret=_is_secret(bare), field=field)


def _is_section(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_secret(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, SecretStr | Secret)


def _unwrap(annotation: object) -> object:
    """The type inside aliases, `Annotated` and `| None`."""
    if isinstance(annotation, TypeAliasType):
        return _unwrap(annotation.__value__)
    origin = get_origin(annotation)
    if isinstance(origin, TypeAliasType):
        return _unwrap(origin.__value__[get_args(annotation)])
    members = [arg for arg in get_args(annotation) if arg is not NoneType]
    if hasattr(annotation, "__metadata__") or (NoneType in get_args(annotation)):
        return _unwrap(members[0])
    return annotation


def suggest_key(key: str, section: Path) -> str:
    """The next step for a key that a section does not know."""
    keys = find_keys(section)
    near = get_close_matches(key.replace("-", "_").lower(), keys, n=1, cutoff=0.5)
    place = f"{'.'.join(section)} " if section else "the top level "
    return f"Did you mean {near[0]}?" if near else f"Known at {place}are {', '.join(keys)}."
