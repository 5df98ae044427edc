"""Tables with their columns, and what hangs on them."""

from typing import Any

from monitor.core.keys import Kind
from monitor.core.quoting import quote_ident
from monitor.core.render.words import (
    Surroundings,
    join,
    list_idents,
    name,
    name_parent,
    qualify,
    when,
)
from monitor.core.snapshot import SchemaObject


def render_table(item: SchemaObject, around: Surroundings) -> str:
    """A table with its columns; one that is a partition has those of its parent."""
    create = join("CREATE", when(item.get("persistence") == "unlogged", "UNLOGGED"), "TABLE")
    parents: Any = item.get("inherits") or []
    by = item.get("partition_by")
    partitioning = when(by, f"PARTITION BY {by}")
    if bound := item.get("partition_bound"):
        head = f"{create} {name(item.key)} PARTITION OF {qualify(*parents[0])}"
        return join(head, str(bound), partitioning)
    columns = around.columns.get((item.key.schema, item.key.name), ())
    defined = ", ".join(map(define_column, columns))
    from_parents = ", ".join(qualify(*parent) for parent in parents)
    return join(
        f"{create} {name(item.key)} ({defined})",
        when(from_parents, f"INHERITS ({from_parents})"),
        partitioning,
    )


def define_column(column: SchemaObject) -> str:
    """A column as CREATE TABLE has it."""
    collation, default = column.get("collation"), column.get("default")
    generated, kind = column.get("generated"), column.get("generated_kind")
    return join(
        quote_ident(column.key.name),
        str(column.get("type")),
        when(collation, f"COLLATE {collation}"),
        when(default is not None, f"DEFAULT ({default})"),
        when(generated is not None, f"GENERATED ALWAYS AS ({generated}) {str(kind).upper()}"),
        when(column.get("nullable") is False, "NOT NULL"),
    )


def _add_constraint(item: SchemaObject, definition: str, *, what: str = "TABLE") -> str:
    constraint = quote_ident(item.key.name)
    return f"ALTER {what} {name_parent(item.key)} ADD CONSTRAINT {constraint} {definition}"


def render_key(item: SchemaObject, _: Surroundings) -> str:
    """A primary key or a unique constraint."""
    is_primary = item.key.kind is Kind.PRIMARY_KEY
    columns: Any = item.get("columns")
    nulls = not is_primary and item.get("nulls_not_distinct")
    definition = join(
        "PRIMARY KEY" if is_primary else "UNIQUE",
        when(nulls, "NULLS NOT DISTINCT"),
        f"({list_idents(columns)})",
        when(item.get("deferrable"), "DEFERRABLE"),
        when(item.get("initially_deferred"), "INITIALLY DEFERRED"),
    )
    return _add_constraint(item, definition)


def render_check(item: SchemaObject, around: Surroundings) -> str:
    """A check of a table or a domain."""
    is_of_domain = (item.key.schema, item.key.parent) in around.domains
    definition = join(
        f"CHECK ({item.get('expression')})",
        when(item.get("no_inherit"), "NO INHERIT"),
        when(item.get("valid") is False, "NOT VALID"),
    )
    return _add_constraint(item, definition, what="DOMAIN" if is_of_domain else "TABLE")


def render_exclusion(item: SchemaObject, _: Surroundings) -> str:
    """An exclusion constraint."""
    return _add_constraint(item, str(item.get("definition")))


def render_index(item: SchemaObject, _: Surroundings) -> str:
    """An index that no constraint made."""
    include: Any = item.get("include")
    predicate = item.get("predicate")
    return join(
        when(item.get("unique"), "CREATE UNIQUE INDEX") or "CREATE INDEX",
        f"{quote_ident(item.key.name)} ON {name_parent(item.key)}",
        f"USING {quote_ident(str(item.get('method')))} ({_list_elements(item)})",
        when(include, f"INCLUDE ({list_idents(include or ())})"),
        when(item.get("nulls_not_distinct"), "NULLS NOT DISTINCT"),
        when(predicate, f"WHERE {predicate}"),
    )


def _list_elements(item: SchemaObject) -> str:
    columns: Any = item.get("columns")
    expressions = iter(_list(item, "expressions"))
    elements = []
    for place, column in enumerate(columns):
        key = quote_ident(column) if column is not None else f"({next(expressions)})"
        collation = _at(item, "collations", place)
        words = (_at(item, "opclasses", place), _at(item, "order", place))
        elements.append(join(key, when(collation, f"COLLATE {collation}"), *words))
    return ", ".join(elements)


def _at(item: SchemaObject, attribute: str, place: int) -> str | None:
    values = _list(item, attribute)
    return values[place] if place < len(values) else None


def _list(item: SchemaObject, attribute: str) -> list[Any]:
    value = item.get(attribute)
    return value if isinstance(value, list) else []


def render_rule(item: SchemaObject, _: Surroundings) -> str:
    """A rewrite rule."""
    return f"CREATE RULE {quote_ident(item.key.name)} {item.get('definition')}"


def render_trigger(item: SchemaObject, _: Surroundings) -> str:
    """A trigger, enabled as a new one is."""
    create = join("CREATE", when(item.get("constraint"), "CONSTRAINT"), "TRIGGER")
    return f"{create} {quote_ident(item.key.name)} {item.get('definition')}"


def render_policy(item: SchemaObject, _: Surroundings) -> str:
    """A row security policy."""
    using, check = item.get("using"), item.get("check")
    return join(
        f"CREATE POLICY {quote_ident(item.key.name)} ON {name_parent(item.key)}",
        when(item.get("permissive") is False, "AS RESTRICTIVE"),
        f"FOR {item.get('command')}",
        f"TO {', '.join(_list(item, 'roles'))}",
        when(using is not None, f"USING ({using})"),
        when(check is not None, f"WITH CHECK ({check})"),
    )


def render_statistics(item: SchemaObject, _: Surroundings) -> str:
    """Extended statistics; of a single expression no kinds may be named."""
    key, schema = item.key, item.get("table_schema")
    kinds = ", ".join(_list(item, "kinds"))
    columns = map(quote_ident, _list(item, "columns"))
    elements = [*columns, *(f"({text})" for text in _list(item, "expressions"))]
    table = qualify(schema if isinstance(schema, str) else key.schema, key.parent or "")
    return join(
        f"CREATE STATISTICS {name(key)}",
        when(kinds, f"({kinds})"),
        f"ON {', '.join(elements)} FROM {table}",
    )


def render_publication(item: SchemaObject, _: Surroundings) -> str:
    """A publication of single tables."""
    tables = ", ".join(_write_published(*row) for row in _list(item, "tables"))
    return join(
        f"CREATE PUBLICATION {quote_ident(item.key.name)}", when(tables, f"FOR TABLE {tables}")
    )


def _write_published(schema: str, table: str, rows: str | None, columns: list[str] | None) -> str:
    return join(
        qualify(schema, table),
        when(columns, f"({list_idents(columns or ())})"),
        when(rows is not None, f"WHERE ({rows})"),
    )
