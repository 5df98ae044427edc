"""Which relation is meant, of those that are known."""

from collections.abc import Iterable
from typing import Final

import msgspec

from monitor.core.condition import require_condition
from monitor.core.errors import UsageError
from monitor.core.relation import Relation
from monitor.core.relation_text import parse_relation, write_relation

_ARROW: Final = "->"


def choose_relation(known: Iterable[Relation], text: str) -> Relation:
    """The one relation that is meant: by its name, or as it is written.

    A text that says the same as a relation that is known means that one, with its condition.

    Raises:
        UsageError: there is none, or there are several.
    """
    listed = [*known]
    found = [relation for relation in listed if relation.name == text]
    parsed: Relation | None = None
    if not found and _ARROW in text:
        parsed = parse_relation(text)
        found = [relation for relation in listed if _shape(relation) == _shape(parsed)]
    match found:
        case [relation]:
            return relation
        case [] if parsed is not None:
            return parsed
        case []:
            raise UsageError(
                f"No foreign key or configured relation is called {text!r}.",
                next_step="`anchorwatch orphans` lists them; or write it like "
                "orders.user_id -> users.id.",
            )
    raise UsageError(
        f"{text!r} may mean {len(found)} relations: {'; '.join(map(_describe_relation, found))}.",
        next_step="Write which one, like orders.user_id -> users.id, or by its name.",
    )


def _shape(relation: Relation) -> tuple[object, ...]:
    return (relation.child, relation.columns, relation.parent, relation.referenced)


def _describe_relation(relation: Relation) -> str:
    """As in `orders_user, public.orders(user_id) -> public.users(id)`."""
    where = f" where {relation.where}" if relation.where else ""
    return f"{relation.name}, {write_relation(relation)}{where}"


def narrow(relation: Relation, where: str) -> Relation:
    """The relation of fewer rows: its own condition holds as well.

    Raises:
        UsageError: one of the conditions could end what is around it.
    """
    conditions = [require_condition(text) for text in (relation.where, where.strip()) if text]
    joined = " and ".join(f"({text}\n)" for text in conditions)
    return msgspec.structs.replace(relation, where=joined if conditions else "")
