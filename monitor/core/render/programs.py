"""Schemas, types, sequences, views, routines and operators."""

from typing import Any

from monitor.core.keys import Kind
from monitor.core.quoting import quote_ident, quote_literal
from monitor.core.render.words import (
    Surroundings,
    join,
    name,
    qualify,
    split_signature,
    when,
    write_options,
)
from monitor.core.snapshot import SchemaObject


def render_schema(item: SchemaObject, _: Surroundings) -> str:
    """A schema; ``public`` is in every new database."""
    return f"CREATE SCHEMA IF NOT EXISTS {quote_ident(item.key.name)}"


def render_extension(item: SchemaObject, _: Surroundings) -> str:
    """An extension in the version that the server has, with those that it needs."""
    schema = item.get("schema")
    return join(
        f"CREATE EXTENSION IF NOT EXISTS {quote_ident(item.key.name)}",
        when(schema, f"SCHEMA {quote_ident(str(schema))}"),
        "CASCADE",
    )


def render_enum(item: SchemaObject, _: Surroundings) -> str:
    """An enumeration."""
    labels: Any = item.get("labels") or []
    return f"CREATE TYPE {name(item.key)} AS ENUM ({', '.join(map(quote_literal, labels))})"


def render_composite(item: SchemaObject, _: Surroundings) -> str:
    """A composite type."""
    fields: Any = item.get("fields") or []
    defined = ", ".join(
        join(quote_ident(field), type_, when(collation, f"COLLATE {collation}"))
        for field, type_, collation in fields
    )
    return f"CREATE TYPE {name(item.key)} AS ({defined})"


def render_range(item: SchemaObject, _: Surroundings) -> str:
    """A range type, with the multirange that comes with it."""
    options = write_options(
        {
            "SUBTYPE": item.get("subtype"),
            "SUBTYPE_OPCLASS": item.get("opclass"),
            "COLLATION": item.get("collation"),
            "SUBTYPE_DIFF": item.get("subtype_diff"),
            "MULTIRANGE_TYPE_NAME": item.get("multirange"),
        }
    )
    return f"CREATE TYPE {name(item.key)} AS RANGE ({options})"


def render_domain(item: SchemaObject, _: Surroundings) -> str:
    """A domain; its checks are objects of their own."""
    collation, default = item.get("collation"), item.get("default")
    return join(
        f"CREATE DOMAIN {name(item.key)} AS {item.get('type')}",
        when(collation, f"COLLATE {collation}"),
        when(default is not None, f"DEFAULT ({default})"),
        when(item.get("not_null"), "NOT NULL"),
    )


def render_sequence(item: SchemaObject, _: Surroundings) -> str:
    """A sequence, at its start."""
    maximum = item.get("maximum")
    return join(
        f"CREATE SEQUENCE {name(item.key)} AS {item.get('type')}",
        f"INCREMENT BY {item.get('increment')} MINVALUE {item.get('minimum')}",
        when(maximum is not None, f"MAXVALUE {maximum}"),
        f"START WITH {item.get('start')} CACHE {item.get('cache')}",
        when(item.get("cycle"), "CYCLE"),
    )


def render_view(item: SchemaObject, _: Surroundings) -> str:
    """A view, or a materialised one without its rows."""
    query = str(item.get("definition")).rstrip().removesuffix(";")
    if item.key.kind is Kind.VIEW:
        return f"CREATE VIEW {name(item.key)} AS {query}"
    return f"CREATE MATERIALIZED VIEW {name(item.key)} AS {query} WITH NO DATA"


def render_routine(item: SchemaObject, _: Surroundings) -> str:
    """A function or a procedure."""
    is_function = item.key.kind is Kind.FUNCTION
    own_name, _types = split_signature(item.key.name)
    body = str(item.get("body"))
    is_standard = item.get("language") == "sql" and body.startswith(("BEGIN ATOMIC", "RETURN "))
    volatility = item.get("volatility") if is_function else None
    return join(
        f"CREATE {item.key.kind.noun.upper()} {qualify(item.key.schema, own_name)}"
        f"({item.get('arguments') or ''})",
        when(is_function, f"RETURNS {item.get('returns') if is_function else ''}"),
        f"LANGUAGE {quote_ident(str(item.get('language')))}",
        str(volatility).upper() if volatility else None,
        body if is_standard else f"AS {quote_literal(body)}",
    )


def render_aggregate(item: SchemaObject, _: Surroundings) -> str:
    """An aggregate, as far as its calls depend on it."""
    own_name, _types = split_signature(item.key.name)
    initial = item.get("initial_value")
    options = write_options(
        {
            "SFUNC": _name_function(item.get("state_function")),
            "STYPE": item.get("state_type"),
            "FINALFUNC": _name_function(item.get("final_function")),
            "INITCOND": quote_literal(initial) if isinstance(initial, str) else None,
        }
    )
    flags = [
        when(item.get("final_extra"), "FINALFUNC_EXTRA"),
        when(item.get("aggregate_kind") == "hypothetical-set", "HYPOTHETICAL"),
    ]
    arguments = item.get("arguments") or "*"
    listed = ", ".join([options, *(flag for flag in flags if flag)])
    return f"CREATE AGGREGATE {qualify(item.key.schema, own_name)}({arguments}) ({listed})"


def render_operator(item: SchemaObject, _: Surroundings) -> str:
    """An operator, without what only the planner asks for."""
    symbol, types = split_signature(item.key.name)
    left, _comma, right = _halve(types)
    options = write_options(
        {
            "LEFTARG": None if left == "NONE" else left,
            "RIGHTARG": right,
            "FUNCTION": _name_function(item.get("function")),
        }
    )
    schema = f"{quote_ident(item.key.schema)}." if item.key.schema else ""
    return f"CREATE OPERATOR {schema}{symbol} ({options})"


def _halve(types: str) -> tuple[str, str, str]:
    """The two types of an operator, at the comma that is in no quotes."""
    is_quoted = False
    for place, letter in enumerate(types):
        if letter == '"':
            is_quoted = not is_quoted
        elif letter == "," and not is_quoted:
            return types[:place], ",", types[place + 1 :].strip()
    return types, "", ""


def _name_function(signature: Any) -> str | None:
    """The name of a function that the server told with its types; it is quoted already."""
    return split_signature(signature).name if isinstance(signature, str) else None
