"""The secrets of smoke suites, read from the variable or the file that the settings name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final

from monitor.config.document import Layer, Tree
from monitor.config.flaws import Flaw
from monitor.config.outline import Path
from monitor.config.shape import find_origin, read_secret_file
from monitor.core.errors import ConfigurationError

_SOURCES: Final = ("env", "file", "value")


def fill_secrets(layer: Layer, environ: Mapping[str, str], cwd: FilePath) -> Layer:
    """The layer, with the `value` of every secret of a suite beside where it comes from."""
    suites = layer.tree.get("smoke")
    if not isinstance(suites, list):
        return layer
    filler = _Filler(layer, environ, cwd)
    filled: list[Tree] = [
        filler.fill_suite(suite, ("smoke", str(number))) for number, suite in enumerate(suites)
    ]
    tree: dict[str, Tree] = {**layer.tree, "smoke": filled}
    return Layer(tree=tree, origins=layer.origins, flaws=[*layer.flaws, *filler.flaws])


@dataclass(slots=True)
class _Filler:
    layer: Layer
    environ: Mapping[str, str]
    cwd: FilePath
    flaws: list[Flaw] = field(default_factory=list)

    def fill_suite(self, suite: Tree, path: Path) -> Tree:
        secrets = suite.get("secrets") if isinstance(suite, dict) else None
        if not isinstance(suite, dict) or not isinstance(secrets, dict):
            return suite
        filled: dict[str, Tree] = {
            name: self._fill(source, (*path, "secrets", name)) for name, source in secrets.items()
        }
        return {**suite, "secrets": filled}

    def _fill(self, source: Tree, path: Path) -> Tree:
        if not isinstance(source, dict):
            return source
        given = [key for key in _SOURCES if source.get(key)]
        try:
            return {**source, "value": self._read(source, given)}
        except ConfigurationError as error:
            self._add(error, path)
            return source

    def _read(self, source: dict[str, Tree], given: list[str]) -> Tree:
        match given:
            case ["env"]:
                return self._read_variable(str(source["env"]))
            case ["file"]:
                return read_secret_file(self.cwd, str(source["file"]), "this secret")
            case [one, other, *_]:
                raise ConfigurationError(
                    f"Both {one} and {other} are given.", next_step="Keep one of them."
                )
        return source.get("value")

    def _read_variable(self, name: str) -> str:
        if value := self.environ.get(name):
            return value
        raise ConfigurationError(
            "The variable of this secret is not set, or empty.",
            next_step="Set it, or correct its name below env.",
        )

    def _add(self, error: ConfigurationError, path: Path) -> None:
        where = find_origin(path, self.layer.origins)
        flaw = Flaw(path=path, where=where, message=error.message, next_step=error.next_step)
        self.flaws.append(flaw)
