"""What a role has and may do, spelled the same on both sides."""

from typing import Any, Final

from monitor.core.diff_declared import PRIVILEGES
from monitor.core.keys import Kind, ObjectKey
from monitor.core.kinds import Value
from monitor.core.scope_names import OWNER, Side, is_same, split_default_privilege
from monitor.core.snapshot import SchemaObject

type Objects = dict[ObjectKey, SchemaObject]


def match_object(
    item: SchemaObject, other: SchemaObject, wanted: Side, found: Side
) -> SchemaObject:
    """Their object, with the roles that ours names spelled as ours."""
    changed: dict[str, Value] = {}
    owner, theirs = item.attributes.get("owner", found.owner), other.attributes.get("owner")
    if isinstance(owner, str) and isinstance(theirs, str) and owner != theirs:
        is_other = wanted.list_names(owner).isdisjoint(found.list_names(theirs))
        changed["owner"] = theirs if is_other else owner
    for name in ("roles", *PRIVILEGES):
        ours, given = item.attributes.get(name), other.attributes.get(name)
        if isinstance(ours, list) and isinstance(given, list) and ours != given:
            match = _match_roles if name == "roles" else _match_grants
            changed[name] = match(ours, given, wanted, found)
    if not changed:
        return other
    return SchemaObject(key=other.key, attributes={**other.attributes, **changed})


def _match_roles(ours: list[Any], theirs: list[Any], wanted: Side, found: Side) -> list[Any]:
    pairs = _match_grants([[role] for role in ours], [[role] for role in theirs], wanted, found)
    return [role for (role,) in pairs]


def _match_grants(ours: list[Any], theirs: list[Any], wanted: Side, found: Side) -> list[Any]:
    """Their roles, each with its rights, under our names; every one of ours is used once."""
    free = [one for one in ours if one not in theirs]
    matched = []
    for role, *rights in theirs:
        twin = None
        if [role, *rights] not in ours:
            fits = (o for o in free if o[1:] == rights and is_same(o[0], role, wanted, found))
            twin = next(fits, None)
        if twin is not None:
            free.remove(twin)
        matched.append(twin or [role, *rights])
    return sorted(matched)


def drop_newer(item: SchemaObject, other: Side) -> SchemaObject:
    """An object without the right that the other side's server does not know."""
    if other.major is None or other.major >= _MAINTAINS:
        return item
    changed = {
        name: [one for one in _list_rights(item, name) if one[1] != "MAINTAIN"]
        for name in PRIVILEGES
        if name in item.attributes
    }
    kept = {name: value for name, value in item.attributes.items() if name not in PRIVILEGES}
    said = {name: value for name, value in changed.items() if value}
    return SchemaObject(key=item.key, attributes=kept | said) if changed else item


_MAINTAINS: Final = 17
"""The major since which there is the right MAINTAIN, and GRANT ALL means it too."""


def drop_implied(
    item: SchemaObject, other: SchemaObject, sides: tuple[Side, Side], theirs: Objects
) -> SchemaObject:
    """Our object without the privileges that an owner has there by itself.

    A right that is granted to a role is no grant any more where that role is the owner.
    """
    grants, given = _list_rights(item, "grants"), _list_rights(other, "grants")
    if grants == given:
        return item
    wanted, found = sides
    names = _name_owner(other, found, theirs)
    lost = {right for role, right, _ in _list_rights(other, "revokes") if role == OWNER}
    kept = [
        one
        for one in grants
        if one in given or one[1] in lost or wanted.read(one[0]).isdisjoint(names)
    ]
    attributes = {name: value for name, value in item.attributes.items() if name != "grants"}
    return SchemaObject(key=item.key, attributes=attributes | ({"grants": kept} if kept else {}))


def _list_rights(item: SchemaObject, attribute: str) -> list[Any]:
    rights = item.attributes.get(attribute)
    return rights if isinstance(rights, list) else []


def _name_owner(item: SchemaObject, side: Side, objects: Objects) -> set[str | None]:
    """What its owner may be called; a column belongs to the owner of its table."""
    if item.key.kind is Kind.COLUMN:
        for kind in (Kind.TABLE, Kind.FOREIGN_TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW):
            key = ObjectKey(kind, item.key.schema, None, item.key.parent or "")
            if (table := objects.get(key)) is not None:
                return _name_owner(table, side, objects)
    if item.key.kind is Kind.DEFAULT_PRIVILEGE:
        return side.read(split_default_privilege(item.key.name)[0])
    owner = item.attributes.get("owner")
    return side.list_names(owner) if isinstance(owner, str) else {None}
