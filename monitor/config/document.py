"""A YAML document as a tree of texts that knows where each of them stands.

Every scalar stays the text that was written, so that `dbname: on`, `user: 0123` and
`interval: 60s` mean what they say; only null is not text. `${VAR}` is expanded in these
texts, after parsing: a value can never change the shape of the document.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from monitor.config.flaws import Flaw, show_path
from monitor.config.outline import Path, is_data
from monitor.core.errors import ConfigurationError

type Tree = str | list[Tree] | dict[str, Tree] | None
type Origins = dict[Path, str]
type _Read = Callable[[yaml.Node, Path], Any]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_NODES: Final = 50_000
_DEEPEST: Final = 20
_TAG: Final = "tag:yaml.org,2002:"
_NULL: Final = _TAG + "null"
_MERGE: Final = _TAG + "merge"
_KNOWN: Final = {
    _TAG + name
    for name in ("str", "null", "bool", "int", "float", "timestamp", "value", "map", "seq")
}
_REFERENCE: Final = re.compile(
    r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([^{}]*))?\}|(\{))"
)
_TYPED: Final = re.compile(r"true|false|-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?")
"""What is no text in data: as JSON writes it, without the further words of YAML."""
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one place says.

    Attributes:
        tree: keys and texts; `{}` when it says nothing.
        origins: where each of them was given.
        flaws: what is wrong with single keys, which are not in the tree then.
    """

    tree: dict[str, Tree] = field(default_factory=dict)
    origins: Origins = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)


def get_section(tree: Mapping[str, Tree], key: str) -> dict[str, Tree]:
    """What stands below a key; nothing when there is none."""
    section = tree.get(key)
    return section if isinstance(section, dict) else {}


def write_texts(value: object, path: Path = ()) -> Tree:
    """JSON as YAML is read: every scalar but null is text, and data is one text of JSON."""
    if is_data(path) and value is not None:
        return json.dumps(value)
    if isinstance(value, dict):
        return {str(key): write_texts(item, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [write_texts(item, (*path, str(at))) for at, item in enumerate(value)]
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def read_document(text: str, *, label: str, environ: Mapping[str, str]) -> Layer:
    """What a YAML document says.

    Args:
        text: the document.
        label: its name for messages.
        environ: what `${VAR}` is looked up in.

    Raises:
        ConfigurationError: it is no YAML, or not a mapping at its top.
    """
    root = _compose(text, label)
    reader = _Reader(label, environ)
    tree = {} if root is None or _is_null(root) else reader.read(root, ())
    if not isinstance(tree, dict):
        raise ConfigurationError(
            f"{label}:1: The document should hold keys, not a single value or a list.",
            next_step="Begin it with databases:.",
        )
    return Layer(tree=tree, origins=reader.origins, flaws=reader.flaws)


def _compose(text: str, label: str) -> yaml.Node | None:
    try:
        # The composer recurses in C and would take the process with it.
        _refuse_depth(text, label)
        return yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "its beginning"
        problem = error.problem or "it cannot be read"
        context = f"{error.context}, " if error.context and problem.startswith("but ") else ""
        raise _malformed(label, place, context + problem) from None
    except (yaml.YAMLError, ValueError):
        place = _find_unreadable(text)
        raise _malformed(label, place, "a control character") from None


def _refuse_depth(text: str, label: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise _overgrown(f"{label}:{line}")


def _overgrown(where: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where}: The document is nested too deeply, or refers to itself.",
        next_step="Write it with fewer levels and aliases.",
    )


def _malformed(label: str, place: str, problem: str) -> ConfigurationError:
    # What is quoted comes from the document, and so may be a secret.
    reason = _QUOTED.sub(lambda it: it[0] if _is_punctuation(it[0][1:-1]) else "...", problem)
    return ConfigurationError(
        f"{label} is not valid YAML at {place}: {reason}.",
        next_step="Correct it there or just before; put values with special characters in quotes.",
    )


def _is_punctuation(text: str) -> bool:
    return len(text) <= 1 and not text.isalnum()


def _find_unreadable(text: str) -> str:
    before = re.match(r"[\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*", text)
    lines = (before[0] if before else "").split("\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL


class _Reader:
    """Turns nodes into a tree, and remembers where they stand."""

    def __init__(self, label: str, environ: Mapping[str, str]) -> None:
        self.origins: Origins = {}
        self.flaws: list[Flaw] = []
        self._label = label
        self._environ = environ
        self._nodes = 0

    def read(self, node: yaml.Node, path: Path) -> Tree:
        """The node's tree; aliases are read as if they were written out."""
        if not self._enter(node, path):
            return ""
        if is_data(path) and node.tag != _NULL:
            return json.dumps(self._read_data(node, path))
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, path, self.read)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, str(i))) for i, item in enumerate(node.value)]
        return None if node.tag == _NULL else self._read_text(node, path)

    def _enter(self, node: yaml.Node, path: Path) -> bool:
        """Whether the node can be read."""
        self._nodes += 1
        if self._nodes > _MOST_NODES or len(path) > _DEEPEST:
            raise _overgrown(self._place(node))
        self.origins[path] = f"{self._place(node)}:{show_path(path)}"
        if node.tag not in _KNOWN:
            self._add(path, "A tag stands here.", "Remove the word that begins with !.")
        return node.tag in _KNOWN

    def _read_data(self, node: yaml.Node, path: Path) -> Any:
        """JSON with the types that are written: `yes` is a text, `"1"` is one too."""
        if not self._enter(node, path):
            return ""
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, path, self._read_data)
        if isinstance(node, yaml.SequenceNode):
            return [self._read_data(item, (*path, str(i))) for i, item in enumerate(node.value)]
        if node.tag == _NULL:
            return None
        is_plain = isinstance(node, yaml.ScalarNode) and not node.style
        if is_plain and _TYPED.fullmatch(node.value):
            return json.loads(node.value)
        return self._read_text(node, path)

    def _place(self, node: yaml.Node) -> str:
        return f"{self._label}:{node.start_mark.line + 1}"

    def _read_text(self, node: yaml.Node, path: Path) -> str:
        try:
            return expand(str(node.value), self._environ)
        except ConfigurationError as error:
            self._add(path, error.message, error.next_step)
            return ""

    def _read_mapping(self, node: yaml.MappingNode, path: Path, read: _Read) -> dict[str, Tree]:
        tree: dict[str, Tree] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                tree.update(self._merge(value_node, path, kept=lines, read=read))
                continue
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            if key in lines:
                self._add_repeat(key_node, (*path, key), lines[key])
                continue
            lines[key] = key_node.start_mark.line + 1
            tree[key] = read(value_node, (*path, key))
            self.origins[*path, key] = f"{self._place(key_node)}:{show_path((*path, key))}"
        return tree

    def _merge(
        self, node: yaml.Node, path: Path, *, kept: Mapping[str, int], read: _Read
    ) -> dict[str, Tree]:
        """`<<: *other`: its keys, below those that are written here."""
        tree: dict[str, Tree] = {}
        merged = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for one in reversed(merged):
            inherited = read(one, path)
            if isinstance(inherited, dict):
                tree.update({k: v for k, v in inherited.items() if k not in kept})
        return tree

    def _add_repeat(self, node: yaml.Node, path: Path, line: int) -> None:
        where = f"{self._place(node)}:{show_path(path)}"
        message = f"The key stands here a second time, after line {line}."
        flaw = Flaw(path=path, where=where, message=message, next_step="Keep one of them.")
        self.flaws.append(flaw)

    def _add(self, path: Path, message: str, next_step: str) -> None:
        where = self.origins[path]
        self.flaws.append(Flaw(path=path, where=where, message=message, next_step=next_step))


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with its references to variables replaced.

    `${VAR}` must be set; `${VAR:-default}` takes the default when it is unset or empty;
    `${VAR:?message}` must be set and not empty; `$$` is one `$`; any other `$` stays.

    Raises:
        ConfigurationError: a variable is not set, or a reference is written wrongly.
    """
    return _REFERENCE.sub(lambda match: _resolve(match, environ), text)


def _resolve(match: re.Match[str], environ: Mapping[str, str]) -> str:
    dollar, name, operator, rest, broken = match.groups()
    if dollar:
        return "$"
    if broken:
        raise ConfigurationError(
            "A reference to a variable is written wrongly.",
            next_step="Write ${VAR}, ${VAR:-default} or ${VAR:?message}, and $$ for a dollar.",
        )
    value = environ.get(name)
    if value or (value is not None and operator is None):
        return value
    if operator == ":-":
        return str(rest)
    message = f"${{{name}}} is not set{f': {rest.strip()}' if rest else ''}."
    raise ConfigurationError(message, next_step=f"Set {name}, or write ${{{name}:-default}}.")
