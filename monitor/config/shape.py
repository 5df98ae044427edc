"""A layer with only keys that exist, each with the shape that it should have."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final

from monitor.config.document import Layer, Origins, Tree, write_texts
from monitor.config.flaws import Flaw, show_key
from monitor.config.outline import (
    FILE_SUFFIX,
    Path,
    Setting,
    Shape,
    find_setting,
    suggest_key,
)
from monitor.config.values import NAME, correct_name
from monitor.core.errors import ConfigurationError
from monitor.sources.dsn import printable

_LARGEST_SECRET: Final = 65_536
_REFERENCE: Final = "docs/reference/settings.md"


def shape_layer(layer: Layer, cwd: FilePath) -> Layer:
    """The layer without what cannot be a setting; its `_file` keys replaced by what they hold.

    An empty text counts as not given. What is left out is among the flaws.
    """
    shaper = _Shaper(origins=dict(layer.origins), cwd=cwd, flaws=list(layer.flaws))
    tree = shaper.shape_section(layer.tree, ())
    return Layer(tree=tree, origins=shaper.origins, flaws=shaper.flaws)


@dataclass(slots=True, kw_only=True)
class _Shaper:
    origins: Origins
    cwd: FilePath
    flaws: list[Flaw] = field(default_factory=list)

    def shape_section(self, tree: dict[str, Tree], above: Path) -> dict[str, Tree]:
        return {
            key: value
            for name, given in tree.items()
            for key, value in self._shape_key(name, given, tree, above)
        }

    def _shape_key(
        self, key: str, value: Tree, tree: dict[str, Tree], above: Path
    ) -> Iterator[tuple[str, Tree]]:
        path = (*above, key)
        setting = find_setting(path)
        stem = key.removesuffix(FILE_SUFFIX)
        if setting is None and stem != key and _is_secret((*above, stem)):
            yield from self._read_file(stem, value, tree, path)
        elif setting is None:
            what = f"There is no setting {show_key(key)} here."
            self._add(path, what, suggest_key(key, above))
        elif setting.path[-1] == "*" and not NAME.fullmatch(key):
            self._add_name(path, key)
        elif setting.shape is Shape.SECTIONS:
            yield from self._shape_list(key, value, path)
        elif self._fits(setting, value, path):
            yield from self._shape_value(setting, value, path)

    def _shape_list(self, key: str, value: Tree, path: Path) -> Iterator[tuple[str, Tree]]:
        """A list of sections: written as one, as JSON in a variable, or with a number for each."""
        items = _list_items(value, path)
        if items is None:
            self._add(path, f"{key} should be a list of sections.", f"See {_REFERENCE}.")
            return
        shaped: list[Tree] = []
        for number, item in enumerate(items):
            place = (*path, str(number))
            if isinstance(item, dict):
                shaped.append(self.shape_section(item, place))
            else:
                self._add(place, "This should hold keys.", f"See {_REFERENCE}.")
        if shaped:
            yield key, shaped

    def _fits(self, setting: Setting, value: Tree, path: Path) -> bool:
        if setting.shape in (Shape.SECTION, Shape.NAMED):
            if value is None or isinstance(value, dict):
                return True
            self._add(path, f"{show_key(path[-1])} should hold keys.", "Put them below it.")
            return False
        is_text = value is None or isinstance(value, str)
        is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if is_text or (is_list and setting.shape is Shape.LIST):
            return True
        what = "one value" if setting.shape is Shape.TEXT else "a list of values"
        self._add(path, f"{path[-1]} should be {what}.", "Put special characters in quotes.")
        return False

    def _shape_value(
        self, setting: Setting, value: Tree, path: Path
    ) -> Iterator[tuple[str, Tree]]:
        if setting.shape in (Shape.SECTION, Shape.NAMED):
            inside = value if isinstance(value, dict) else {}
            yield path[-1], self.shape_section(inside, path)
        elif value != "":
            yield path[-1], value

    def _read_file(
        self, stem: str, value: Tree, tree: dict[str, Tree], path: Path
    ) -> Iterator[tuple[str, Tree]]:
        """The secret that a file holds, for the key without `_file`."""
        if value in (None, ""):
            return
        if not isinstance(value, str):
            self._add(path, f"{path[-1]} should be the path of a file.", "Write one path.")
        elif tree.get(stem) not in (None, ""):
            self._add(path, f"Both {stem} and {path[-1]} are given.", "Keep one of them.")
        elif (secret := self._read_secret(value, path)) is not None:
            self.origins[*path[:-1], stem] = self.origins[path]
            yield stem, secret

    def _read_secret(self, name: str, path: Path) -> str | None:
        try:
            return read_secret_file(self.cwd, name, path[-1])
        except ConfigurationError as error:
            self._add(path, error.message, error.next_step)
            return None

    def _add_name(self, path: Path, key: str) -> None:
        rule = "Names are made of a to z, 0 to 9 and _, at most 40 long, and begin with a letter"
        shown = show_key(key)
        spelling = f": write {correct_name(key)}." if shown.startswith('"') else "."
        self._add(path, f"{printable(shown)} cannot be a name.", f"{rule}{spelling}")

    def _add(self, path: Path, message: str, next_step: str) -> None:
        where = find_origin(path, self.origins)
        self.flaws.append(Flaw(path=path, where=where, message=message, next_step=next_step))


def read_secret_file(cwd: FilePath, name: str, what: str) -> str:
    """The file's text without the newline at its end.

    Raises:
        ConfigurationError: it cannot be read, or holds no secret; `what` says whose it is.
    """
    try:
        with (cwd / name).open("rb") as file:
            text = file.read(_LARGEST_SECRET + 1).decode("utf-8-sig").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is not text"
        raise ConfigurationError(
            f"The file of {what} cannot be read: {reason}.",
            next_step="Correct the path, or let this user read the file.",
        ) from None
    if not text or len(text) > _LARGEST_SECRET:
        size = "empty" if not text else "too large to be a secret"
        raise ConfigurationError(
            f"The file of {what} is {size}.", next_step="Write the secret into it."
        )
    return text


def _list_items(value: Tree, path: Path) -> list[Tree] | None:
    """What stands in a list; None where there is none."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = write_texts(json.loads(value), path)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, dict) and all(key.isdecimal() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else None


def find_origin(path: Path, origins: Origins) -> str:
    """Where a key, or the nearest section around it, was given."""
    for length in range(len(path), 0, -1):
        if origin := origins.get(path[:length]):
            return origin
    return ".".join(path)


def _is_secret(path: Path) -> bool:
    setting = find_setting(path)
    return setting is not None and setting.is_secret
