"""What roles are called: in quotes or not, by a symbol, as the owner."""

from collections.abc import Mapping
from typing import Final

import msgspec

from monitor.core.keys import Kind
from monitor.core.snapshot import SchemaObject

OWNER: Final = "OWNER"
"""The symbol of who owns the database, or built it. As a role's name it stands in quotes."""
PUBLIC: Final = "PUBLIC"
"""The same for everybody. The server lets no role be called public."""

_CLASSES: Final = ("tables", "sequences", "functions", "types", "schemas", "large objects")

type Symbols = Mapping[str, str]
"""What roles are called elsewhere: role -> the name that stands for it."""


NAMING_ROLES: Final = frozenset({Kind.DEFAULT_PRIVILEGE, Kind.USER_MAPPING, Kind.POLICY})
"""Kinds that name a role where it counts, beside owners and privileges."""


def unquote(text: str) -> str:
    """The role that an identifier stands for, quoted or not."""
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1].replace('""', '"') if is_quoted else text


def split_default_privilege(name: str) -> tuple[str, str]:
    """The role, as an identifier, and the class of objects in the name of a default privilege."""
    words = (word for word in _CLASSES if name.endswith(f" {word}"))
    word = next(words, "")
    return name.removesuffix(f" {word}"), word


class Side(msgspec.Struct, frozen=True):
    """What the roles of one snapshot are called.

    Attributes:
        builder: the role that built it.
        owner: the role that OWNER stands for.
        symbols: what the configuration calls them.
        major: of its server, where that is known.
    """

    builder: str | None
    owner: str | None
    symbols: Symbols
    major: int | None = None

    def list_names(self, role: str) -> set[str | None]:
        """All that a role may be called; None stands for the owner."""
        name = self.symbols.get(role, role)
        names = {role, None if name == OWNER else name}
        return names | {None} if role in (self.builder, self.owner) else names

    def read(self, text: str) -> set[str | None]:
        """The same for an identifier as the server writes it."""
        if text == OWNER:
            return {None}
        return {PUBLIC} if text == PUBLIC else self.list_names(unquote(text))

    def respell_builder(self, item: SchemaObject) -> SchemaObject:
        """The object without the name of a builder, which is another one at every build."""
        kind, builder = item.key.kind, self.builder
        if builder is None:
            return item
        if kind is Kind.DEFAULT_PRIVILEGE:
            role, word = split_default_privilege(item.key.name)
            return _rename(item, f"{OWNER} {word}") if unquote(role) == builder else item
        if kind is Kind.USER_MAPPING:
            return _rename(item, OWNER) if unquote(item.key.name) == builder else item
        roles = item.attributes.get("roles")
        if kind is Kind.POLICY and isinstance(roles, list):
            named = sorted(OWNER if unquote(role) == builder else role for role in roles)
            return SchemaObject(key=item.key, attributes={**item.attributes, "roles": named})
        return item


def is_same(text: str, other: str, wanted: Side, found: Side) -> bool:
    """Whether two identifiers, each of its side, stand for one role."""
    return text == other or not wanted.read(text).isdisjoint(found.read(other))


def _rename(item: SchemaObject, name: str) -> SchemaObject:
    key = msgspec.structs.replace(item.key, name=name)
    return SchemaObject(key=key, attributes=item.attributes)
