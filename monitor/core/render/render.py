"""Which function writes what, and what none of them writes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from monitor.core.keys import Kind
from monitor.core.render import programs, tables
from monitor.core.render.words import Surroundings
from monitor.core.snapshot import SchemaObject

__all__ = ["RENDERED", "Surroundings", "list_unrendered", "render", "survey"]

type _Render = Callable[[SchemaObject, Surroundings], str]

_RENDERERS: Final[Mapping[Kind, _Render]] = {
    Kind.SCHEMA: programs.render_schema,
    Kind.EXTENSION: programs.render_extension,
    Kind.ENUM: programs.render_enum,
    Kind.COMPOSITE: programs.render_composite,
    Kind.RANGE: programs.render_range,
    Kind.DOMAIN: programs.render_domain,
    Kind.SEQUENCE: programs.render_sequence,
    Kind.FUNCTION: programs.render_routine,
    Kind.PROCEDURE: programs.render_routine,
    Kind.AGGREGATE: programs.render_aggregate,
    Kind.OPERATOR: programs.render_operator,
    Kind.TABLE: tables.render_table,
    Kind.PRIMARY_KEY: tables.render_key,
    Kind.UNIQUE: tables.render_key,
    Kind.CHECK: tables.render_check,
    Kind.EXCLUSION: tables.render_exclusion,
    Kind.INDEX: tables.render_index,
    Kind.VIEW: programs.render_view,
    Kind.MATERIALIZED_VIEW: programs.render_view,
    Kind.RULE: tables.render_rule,
    Kind.TRIGGER: tables.render_trigger,
    Kind.POLICY: tables.render_policy,
    Kind.STATISTICS: tables.render_statistics,
    Kind.PUBLICATION: tables.render_publication,
}

_KEY: Final = {"columns", "deferrable", "initially_deferred"}

RENDERED: Final[Mapping[Kind, frozenset[str]]] = {
    kind: frozenset(attributes)
    for kind, attributes in {
        Kind.SCHEMA: set[str](),
        Kind.EXTENSION: {"schema"},
        Kind.ENUM: {"labels"},
        Kind.COMPOSITE: {"fields"},
        Kind.RANGE: {"subtype", "multirange", "opclass", "collation", "subtype_diff"},
        Kind.DOMAIN: {"type", "not_null", "default", "collation"},
        Kind.SEQUENCE: {"type", "start", "increment", "minimum", "maximum", "cache", "cycle"},
        Kind.FUNCTION: {"language", "arguments", "returns", "body", "volatility"},
        Kind.PROCEDURE: {"language", "arguments", "body"},
        Kind.AGGREGATE: {
            "arguments",
            "returns",
            "aggregate_kind",
            "direct_arguments",
            "state_function",
            "state_type",
            "final_function",
            "final_extra",
            "initial_value",
        },
        Kind.OPERATOR: {"function", "returns"},
        Kind.TABLE: {
            "persistence",
            "column_order",
            "inherits",
            "partition_by",
            "partition_bound",
        },
        Kind.COLUMN: {
            "type",
            "nullable",
            "default",
            "generated",
            "generated_kind",
            "collation",
        },
        Kind.PRIMARY_KEY: _KEY,
        Kind.UNIQUE: _KEY | {"nulls_not_distinct"},
        Kind.CHECK: {"expression", "no_inherit", "valid"},
        Kind.EXCLUSION: {"definition"},
        Kind.INDEX: {
            "method",
            "columns",
            "expressions",
            "opclasses",
            "collations",
            "order",
            "include",
            "nulls_not_distinct",
            "predicate",
            "unique",
        },
        Kind.VIEW: {"definition"},
        Kind.MATERIALIZED_VIEW: {"definition"},
        Kind.RULE: {"definition"},
        Kind.TRIGGER: {"definition", "constraint"},
        Kind.POLICY: {"command", "permissive", "roles", "using", "check"},
        Kind.STATISTICS: {"kinds", "columns", "expressions", "table_schema"},
        Kind.PUBLICATION: {"tables"},
    }.items()
}
"""What a statement says about an object; columns are written with their table."""


def list_unrendered(item: SchemaObject) -> tuple[str, ...]:
    """The attributes of an object that its statement would not say, sorted.

    Of a kind that is not rendered at all, the name of the kind.
    """
    known = RENDERED.get(item.key.kind)
    if known is None:
        return (item.key.kind.value,)
    return tuple(sorted(item.attributes.keys() - known))


def render(item: SchemaObject, around: Surroundings) -> str:
    """The statement that makes an object, without what `list_unrendered` names.

    Raises:
        KeyError: no statement makes a thing of this kind.
        ValueError: a name holds what no name can.
    """
    return _RENDERERS[item.key.kind](item, around)


def survey(objects: Iterable[SchemaObject]) -> Surroundings:
    """What the statements of these objects take from each other."""
    columns: dict[tuple[str | None, str], list[SchemaObject]] = defaultdict(list)
    orders: dict[tuple[str | None, str], list[Any]] = {}
    domains = set()
    for item in objects:
        place = (item.key.schema, item.key.name)
        if item.key.kind is Kind.COLUMN:
            columns[item.key.schema, item.key.parent or ""].append(item)
        elif item.key.kind is Kind.TABLE:
            orders[place] = _as_list(item.get("column_order"))
        elif item.key.kind is Kind.DOMAIN:
            domains.add(place)
    ordered = {place: _sort(columns[place], order) for place, order in orders.items()}
    return Surroundings(columns=ordered, domains=frozenset(domains))


def _sort(columns: list[SchemaObject], order: list[Any]) -> list[SchemaObject]:
    places = {name: place for place, name in enumerate(order)}
    return sorted(columns, key=lambda item: places.get(item.key.name, len(places)))


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
