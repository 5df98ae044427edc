"""Layers laid over each other, key by key."""

from collections.abc import Iterable
from typing import Final

from monitor.config.databases import ADDRESS_PARTS
from monitor.config.document import Layer, Origins, Tree, get_section
from monitor.config.outline import Path

DATABASES: Final = "databases"
DEFAULTS: Final = "defaults"
_ADDED_UP: Final = "ignore"
"""What a database says beside `defaults`, not in their place: each keeps its own list."""


def merge_layers(layers: Iterable[Layer]) -> Layer:
    """One layer of all, the last the strongest."""
    merged = Layer()
    tree: dict[str, Tree] = {}
    for layer in layers:
        tree = merge_trees(tree, layer.tree)
        merged.origins.update(
            (path, origin)
            for path, origin in layer.origins.items()
            if path not in merged.origins or not _is_section(layer.tree, path)
        )
        merged.flaws.extend(layer.flaws)
    return Layer(tree=tree, origins=merged.origins, flaws=merged.flaws)


def _is_section(tree: Tree, path: Path) -> bool:
    """Whether keys stand there: several layers give them, and the first has the place."""
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return isinstance(tree, dict)


def merge_trees(
    lower: dict[str, Tree], upper: dict[str, Tree], path: Path = ()
) -> dict[str, Tree]:
    """The keys of both; where both are sections, merged; else `upper` wins.

    A database's `url` says all that its parts say, so it takes the place of those below.
    """
    is_database = path[:1] == (DATABASES,) and not path[2:] and bool(path[1:])
    if is_database and upper.get("url"):
        lower = {key: value for key, value in lower.items() if key not in ADDRESS_PARTS}
    merged = dict(lower)
    for key, value in upper.items():
        below = lower.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = merge_trees(below, value, (*path, key))
        else:
            merged[key] = value
    return merged


def complete_databases(layer: Layer) -> Layer:
    """The layer, with `defaults` and `environment` below every database.

    Its origins then say where each of these was given.
    """
    common = dict(get_section(layer.tree, DEFAULTS))
    common.pop(_ADDED_UP, None)
    origins = dict(layer.origins)
    if not common.get("environment") and layer.tree.get("environment"):
        common["environment"] = layer.tree["environment"]
        origins[DEFAULTS, "environment"] = origins["environment",]
    databases: dict[str, Tree] = {}
    for name in get_section(layer.tree, DATABASES):
        path = (DATABASES, name)
        own = get_section(get_section(layer.tree, DATABASES), name)
        databases[name] = merge_trees(common, own, path)
        origins.update(_inherit(databases[name], path, (DEFAULTS,), origins))
    tree: dict[str, Tree] = {**layer.tree, DATABASES: databases}
    return Layer(tree=tree, origins=origins, flaws=list(layer.flaws))


def _inherit(tree: Tree, path: Path, source: Path, origins: Origins) -> Origins:
    """The origins of what `source` alone has given."""
    if not isinstance(tree, dict):
        return {path: origins[source]} if path not in origins and source in origins else {}
    return {
        place: origin
        for key, value in tree.items()
        for place, origin in _inherit(value, (*path, key), (*source, key), origins).items()
    }
