"""Which attributes each kind of object has, and what each means when it is absent.

An attribute that equals its default is not stored: a snapshot stays small, and
one taken on a server that does not know an attribute equals one that has it
unset. ``docs/kinds.md`` is generated from this table.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from monitor.core.keys import Kind

type Value = str | int | float | bool | list[Any] | None
"""What an attribute may hold: JSON without objects. Lists hold the same again;
the JSON library cannot follow a type into itself."""


class Attribute(msgspec.Struct, frozen=True):
    """One attribute of a kind.

    Attributes:
        meaning: one line for the reference.
        default: the value that an absent attribute stands for.
        by_declaration: compared only where the expected source says something
            about it (owners and privileges are an environment's business
            until somebody declares them).
        is_note: a difference is worth a note, not a change.
        is_remark: a difference is information (a comment, a version), whatever the kind.
    """

    meaning: str
    default: Value = None
    by_declaration: bool = False
    is_note: bool = False
    is_remark: bool = False


def _one(meaning: str, default: Value = None) -> Attribute:
    return Attribute(meaning=meaning, default=default)


_OWNER: Final = {
    "owner": Attribute(meaning="the role that owns it", by_declaration=True),
}
_COMMENT: Final = {"comment": Attribute(meaning="COMMENT ON", is_remark=True)}
_GRANTS: Final = {
    "grants": Attribute(
        meaning="privileges beyond the default: role, privilege, with grant option",
        by_declaration=True,
    ),
    "revokes": Attribute(
        meaning="privileges of the default that were taken away", by_declaration=True
    ),
}
_OWNED: Final = _OWNER | _GRANTS | _COMMENT
_VALIDITY: Final = {"valid": _one("false for NOT VALID", True)}
_DEFERRAL: Final = {
    "deferrable": _one("DEFERRABLE", False),
    "initially_deferred": _one("INITIALLY DEFERRED", False),
}
_ENABLED: Final = {"enabled": _one("origin, disabled, replica or always", "origin")}

_INDEX: Final = {
    "method": _one("access method", "btree"),
    "columns": _one("key columns in order, null where an expression stands"),
    "expressions": _one("key expressions in order"),
    "opclasses": _one("operator class of each key column where it is not the type's default"),
    "collations": _one("collation of each key column where it is not the column's own"),
    "order": _one("DESC, NULLS FIRST or NULLS LAST of each key column where not the default"),
    "include": _one("columns of INCLUDE"),
    "nulls_not_distinct": _one("NULLS NOT DISTINCT", False),
    "predicate": _one("WHERE of a partial index"),
    "options": _one("storage parameters"),
    "tablespace": _one("tablespace, when not the database's"),
    "statistics": _one("number and statistics target of each key column that has one"),
    "opclass_options": _one("number and operator class parameters of each key column with some"),
    "valid": _one("false for an index that the planner may not use", True),
}
_KEY: Final = {
    "columns": _one("columns in order"),
    "include": _INDEX["include"],
    "options": _INDEX["options"],
    "tablespace": _INDEX["tablespace"],
    "valid": _one("false where its index is not valid", True),
    "index_comment": Attribute(meaning="COMMENT ON its INDEX", is_remark=True),
}
_PERIOD: Final = {"period": _one("WITHOUT OVERLAPS or PERIOD on the last column", False)}

_ANY_TABLE: Final = {
    "partition_bound": _one("FOR VALUES of a partition"),
    "inherits": _one("parents, or the partitioned table it is a partition of"),
    "detach_pending": _one("DETACH CONCURRENTLY was begun and not finished", False),
    "internal_triggers": _one(
        "name and state of keys, and of triggers of the partitioned table, whose triggers "
        "are not enabled as the server makes them"
    ),
    "column_order": Attribute(meaning="the columns in physical order", default=[], is_note=True),
} | _OWNED

_TABLE: Final = {
    "persistence": _one("permanent or unlogged", "permanent"),
    "access_method": _one("table access method", "heap"),
    "options": _one("storage parameters"),
    "toast_options": _one("storage parameters of the TOAST table"),
    "tablespace": _one("tablespace, when not the database's"),
    "row_security": _one("ENABLE ROW LEVEL SECURITY", False),
    "force_row_security": _one("FORCE ROW LEVEL SECURITY", False),
    "replica_identity": _one("default, full, nothing, or the index that is used", "default"),
    "cluster_index": _one("the index of CLUSTER ON; of a partition that of its topmost table"),
    "partition_indexes": _one(
        "options, tablespace, order, operator classes, DEFERRABLE and validity of indexes of a "
        "partition, where they are not those of the partitioned table's; and which there are of "
        "one that is not whole yet"
    ),
    "of_type": _one("the composite type of a typed table"),
    "partition_by": _one("strategy and key of a partitioned table"),
} | _ANY_TABLE

_ROUTINE: Final = {
    "language": _one("language"),
    "arguments": _one("arguments with modes, names, types and defaults"),
    "body": _one("source text"),
    "library": _one("object file of a routine in C"),
    "security_definer": _one("SECURITY DEFINER", False),
    "settings": _one("SET clauses"),
    "transforms": _one("TRANSFORM FOR TYPE"),
} | _OWNED

_FUNCTION: Final = {
    "returns": _one("type of the result"),
    "window": _one("WINDOW", False),
    "volatility": _one("volatile, stable or immutable", "volatile"),
    "strict": _one("STRICT", False),
    "leakproof": _one("LEAKPROOF", False),
    "parallel": _one("unsafe, restricted or safe", "unsafe"),
    "cost": _one("COST, when not 100 (in C: 1)"),
    "rows": _one("ROWS"),
    "support": _one("planner support function"),
} | _ROUTINE

_OPTIONS_HIDDEN: Final = {"option_names": _one("names of its options; values are never read")}
_FOREIGN_OPTIONS: Final = _one("OPTIONS; the value is never read where the name hints at a secret")

KINDS: Final[Mapping[Kind, Mapping[str, Attribute]]] = MappingProxyType(
    {
        Kind.SCHEMA: _OWNED,
        Kind.TABLE: _TABLE,
        Kind.FOREIGN_TABLE: _ANY_TABLE
        | {
            "server": _one("foreign server"),
            "foreign_options": _FOREIGN_OPTIONS,
        },
        Kind.COLUMN: {
            "type": _one("type with modifiers"),
            "nullable": _one("false for NOT NULL", True),
            "not_null_valid": _one("false for NOT NULL NOT VALID", True),
            "not_null_no_inherit": _one("NOT NULL NO INHERIT", False),
            "default": _one("default expression"),
            "identity": _one("always or by default"),
            "identity_options": _one(
                "of the identity's sequence: type, start, increment, minimum, maximum, "
                "cache, cycle"
            ),
            "generated": _one("expression of a generated column"),
            "generated_kind": _one("stored or virtual"),
            "collation": _one("collation, when not the type's"),
            "storage": _one("TOAST strategy, when not the type's"),
            "compression": _one("TOAST compression, when not the database's"),
            "statistics_target": _one("SET STATISTICS"),
            "options": _one("attribute options such as n_distinct"),
            "foreign_options": _FOREIGN_OPTIONS,
            "inherited": _one("comes from a parent only", False),
            # Nobody has a right on a single column until somebody is given one.
            "grants": _GRANTS["grants"],
        }
        | _COMMENT,
        Kind.PRIMARY_KEY: _KEY | _DEFERRAL | _PERIOD | _COMMENT,
        Kind.UNIQUE: _KEY
        | {"nulls_not_distinct": _INDEX["nulls_not_distinct"]}
        | _DEFERRAL
        | _PERIOD
        | _COMMENT,
        Kind.FOREIGN_KEY: {
            "columns": _one("referencing columns"),
            "references": _one("schema and name of the referenced table"),
            "referenced_columns": _one("referenced columns"),
            "match": _one("simple, full or partial", "simple"),
            "on_update": _one(
                "no action, restrict, cascade, set null or set default", "no action"
            ),
            "on_delete": _one(
                "no action, restrict, cascade, set null or set default", "no action"
            ),
            "on_delete_columns": _one("columns that ON DELETE SET touches, when not all"),
            "enforced": _one("false for NOT ENFORCED", True),
        }
        | _VALIDITY
        | _DEFERRAL
        | _PERIOD
        | _COMMENT,
        Kind.CHECK: {
            "expression": _one("the condition"),
            "no_inherit": _one("NO INHERIT", False),
            "enforced": _one("false for NOT ENFORCED", True),
        }
        | _VALIDITY
        | _COMMENT,
        Kind.EXCLUSION: {
            "definition": _one("the constraint without its name"),
            "tablespace": _KEY["tablespace"],
            "valid": _KEY["valid"],
            "index_comment": _KEY["index_comment"],
        }
        | _COMMENT,
        Kind.INDEX: _INDEX | {"unique": _one("UNIQUE", False)} | _COMMENT,
        Kind.SEQUENCE: {
            "type": _one("data type", "bigint"),
            "start": _one("START", 1),
            "increment": _one("INCREMENT", 1),
            "minimum": _one("MINVALUE", 1),
            "maximum": _one("MAXVALUE"),
            "cache": _one("CACHE", 1),
            "cycle": _one("CYCLE", False),
            "persistence": _one("permanent or unlogged", "permanent"),
            "owned_by": _one("schema, table and column of OWNED BY"),
        }
        | _OWNED,
        Kind.VIEW: {
            "definition": _one("the query"),
            "options": _one("security_barrier, security_invoker, check_option"),
        }
        | _OWNED,
        Kind.MATERIALIZED_VIEW: {
            "definition": _one("the query"),
            **{
                name: _TABLE[name]
                for name in (
                    "options",
                    "toast_options",
                    "tablespace",
                    "access_method",
                    "cluster_index",
                    "replica_identity",
                )
            },
        }
        | _OWNED,
        Kind.RULE: {"definition": _one("the rule after its name")} | _ENABLED | _COMMENT,
        Kind.TRIGGER: {
            "definition": _one("the trigger after its name"),
            "constraint": _one("CONSTRAINT TRIGGER", False),
        }
        | _ENABLED
        | _COMMENT,
        Kind.EVENT_TRIGGER: {
            "event": _one("the event"),
            "function": _one("the function that is called"),
            "tags": _one("command tags it is limited to"),
        }
        | _ENABLED
        | _OWNER
        | _COMMENT,
        Kind.POLICY: {
            "command": _one("all, select, insert, update or delete", "all"),
            "permissive": _one("false for RESTRICTIVE", True),
            "roles": _one("roles it applies to", ["PUBLIC"]),
            "using": _one("USING"),
            "check": _one("WITH CHECK"),
        }
        | _COMMENT,
        Kind.ENUM: {"labels": _one("labels in order")} | _OWNED,
        Kind.DOMAIN: {
            "type": _one("base type"),
            "not_null": _one("NOT NULL", False),
            "default": _one("default expression"),
            "collation": _one("collation, when not the type's"),
        }
        | _OWNED,
        Kind.COMPOSITE: {"fields": _one("name, type and collation of each field")} | _OWNED,
        Kind.RANGE: {
            "subtype": _one("type of the bounds"),
            "multirange": _one("its multirange type"),
            "opclass": _one("operator class, when not the default"),
            "collation": _one("collation, when not the default"),
            "canonical": _one("canonicalisation function"),
            "subtype_diff": _one("difference function"),
        }
        | _OWNED,
        Kind.FUNCTION: _FUNCTION,
        Kind.PROCEDURE: _ROUTINE,
        Kind.AGGREGATE: {
            "arguments": _one("arguments with modes, names and types"),
            "returns": _one("type of the result"),
            "aggregate_kind": _one("normal, ordered-set or hypothetical-set", "normal"),
            "direct_arguments": _one("number of direct arguments", 0),
            "state_function": _one("SFUNC"),
            "state_type": _one("STYPE"),
            "state_size": _one("SSPACE"),
            "final_function": _one("FINALFUNC"),
            "final_extra": _one("FINALFUNC_EXTRA", False),
            "final_modify": _one("FINALFUNC_MODIFY, when not the kind's default"),
            "combine_function": _one("COMBINEFUNC"),
            "serial_function": _one("SERIALFUNC"),
            "deserial_function": _one("DESERIALFUNC"),
            "initial_value": _one("INITCOND"),
            "sort_operator": _one("SORTOP"),
            "moving_state_function": _one("MSFUNC"),
            "moving_inverse_function": _one("MINVFUNC"),
            "moving_state_type": _one("MSTYPE"),
            "moving_state_size": _one("MSSPACE"),
            "moving_final_function": _one("MFINALFUNC"),
            "moving_final_extra": _one("MFINALFUNC_EXTRA", False),
            "moving_final_modify": _one("MFINALFUNC_MODIFY, when not the kind's default"),
            "moving_initial_value": _one("MINITCOND"),
            "parallel": _one("unsafe, restricted or safe", "unsafe"),
        }
        | _OWNED,
        Kind.OPERATOR: {
            "function": _one("the function that does the work"),
            "returns": _one("type of the result"),
            "commutator": _one("COMMUTATOR"),
            "negator": _one("NEGATOR"),
            "restriction": _one("RESTRICT"),
            "join": _one("JOIN"),
            "hashes": _one("HASHES", False),
            "merges": _one("MERGES", False),
        }
        | _OWNER
        | _COMMENT,
        Kind.CAST: {
            "function": _one("the function that does the work"),
            "method": _one("function, inout or binary", "function"),
            "context": _one("explicit, assignment or implicit", "explicit"),
        }
        | _COMMENT,
        Kind.EXTENSION: {
            "version": Attribute(meaning="installed version", is_remark=True),
            "schema": _one("schema of its objects"),
        }
        | _COMMENT,
        Kind.STATISTICS: {
            "kinds": _one("dependencies, mcv, ndistinct"),
            "columns": _one("columns"),
            "expressions": _one("expressions"),
            "target": _one("SET STATISTICS"),
            "table_schema": _one("schema of the table, when not its own"),
        }
        | _OWNER
        | _COMMENT,
        Kind.PUBLICATION: {
            "all_tables": _one("FOR ALL TABLES", False),
            "operations": _one("what is published", ["delete", "insert", "truncate", "update"]),
            "via_root": _one("publish_via_partition_root", False),
            "generated_columns": _one("publish_generated_columns, when not none"),
            "schemas": _one("FOR TABLES IN SCHEMA"),
            "tables": _one("schema, table, row filter and column list of each"),
        }
        | _OWNER
        | _COMMENT,
        Kind.FOREIGN_DATA_WRAPPER: {
            "handler": _one("handler function"),
            "validator": _one("validator function"),
        }
        | _OPTIONS_HIDDEN
        | _OWNED,
        Kind.FOREIGN_SERVER: {
            "wrapper": _one("foreign data wrapper"),
            "type": _one("type"),
            "version": _one("version"),
        }
        | _OPTIONS_HIDDEN
        | _OWNED,
        # Who may not connect as it sees no option of a mapping, not even the name.
        Kind.USER_MAPPING: {},
        Kind.DEFAULT_PRIVILEGE: {
            "grants": _one("privileges beyond the default: role, privilege, with grant option"),
            "revokes": _one("privileges of the default that are taken away"),
        },
    }
)


def get_default(kind: Kind, attribute: str) -> Value:
    """What ``attribute`` stands for on an object of ``kind`` that does not store it."""
    return KINDS[kind][attribute].default
