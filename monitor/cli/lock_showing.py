"""How `anchorwatch lock show` shows a lock: for people, and for programs."""

from collections.abc import Iterator
from typing import Any, Final

from monitor.core.lock import Delta, Lock, Pair
from monitor.core.printing import clean

_OBJECTS_SHOWN: Final = 12


def describe_lock(lock: Lock, revision: str | None) -> dict[str, Any]:
    """The JSON document of `lock show`."""
    chosen = _choose(lock, revision)
    return {
        "server_version": lock.server_version,
        "spelt_on": list(lock.spelt_on),
        "version_table": {
            "schema": lock.place.schema,
            "name": lock.place.name,
            "width": lock.place.width,
        },
        "heads": list(lock.history.heads),
        "revisions": [_describe_revision(lock, name) for name in chosen],
        "begins_with": list(lock.start),
        "retired": [one.id for one in lock.retired],
    }


def _choose(lock: Lock, revision: str | None) -> list[str]:
    """The revisions to show, in the order of the lock."""
    if revision is None:
        return [one.id for one in lock.revisions]
    return list(lock.history.resolve(revision))


def _describe_revision(lock: Lock, name: str) -> dict[str, Any]:
    one = lock.by_id[name]
    delta = one.delta or Delta()
    return {
        "revision": one.id,
        "down": list(one.revision.down),
        "depends_on": list(one.revision.depends_on),
        "branch_labels": list(one.revision.branch_labels),
        "path": one.revision.path,
        "is_known": one.delta is not None,
        "is_transactional": not delta.steps,
        "changes": [
            {"change": _name_change(pair), "object": str(lock.find_key(pair))}
            for pair in delta.pairs
        ],
        "statements": [statement.sql for statement in delta.statements],
    }


def _name_change(pair: Pair) -> str:
    before, after = pair
    return "adds" if before is None else "removes" if after is None else "changes"


_SIGNS = {"adds": "+", "removes": "-", "changes": "~"}


def write_lock(lock: Lock, revision: str | None) -> str:
    """The same for people, the newest revision first."""
    chosen = _choose(lock, revision)
    lines = [line for name in reversed(chosen) for line in _list_revision(lock, name)]
    if revision is not None:
        delta = lock.by_id[chosen[0]].delta or Delta() if chosen else Delta()
        lines += ["", *_list_statements(delta)]
        return "\n".join(clean(line, keep_lines=True) for line in lines)
    place = lock.place
    head = [
        f"heads          {', '.join(lock.history.heads)}",
        f"version table  {place.schema}.{place.name}, {place.width or 'any number of'} characters",
        f"built on       PostgreSQL {', '.join(map(str, _list_majors(lock)))}",
        "",
    ]
    return "\n".join(clean(line) for line in [*head, *lines])


def _list_statements(delta: Delta) -> Iterator[str]:
    """What it runs; where it can stop halfway, with how far it is by then."""
    for number, statement in enumerate(delta.statements, 1):
        yield f"{statement.sql};"
        steps = [place for place, mark in enumerate(delta.marks, 1) if mark == number]
        if steps and len(delta.marks) > 1:
            yield f"-- step {steps[-1]} of {len(delta.marks)} is done"


def _list_majors(lock: Lock) -> tuple[int, ...]:
    return (lock.server_version // 10000, *lock.spelt_on)


def _list_revision(lock: Lock, name: str) -> Iterator[str]:
    one = lock.by_id[name]
    follows = ", ".join((*one.revision.down, *one.revision.depends_on)) or "nothing"
    delta = one.delta
    if name in lock.start:
        about = "in what the lock begins with"
    elif delta is None:
        about = "not known"
    else:
        about = "" if delta.pairs else "nothing in the schema"
    alone = "  (can stop halfway)" if delta and delta.steps else ""
    yield f"{name}  after {follows}{alone}" + (f": {about}" if about else "")
    pairs = delta.pairs if delta else ()
    for pair in pairs[:_OBJECTS_SHOWN]:
        yield f"    {_SIGNS[_name_change(pair)]} {lock.find_key(pair)}"
    if len(pairs) > _OBJECTS_SHOWN:
        yield f"    and {len(pairs) - _OBJECTS_SHOWN} more"
