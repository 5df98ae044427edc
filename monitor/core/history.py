"""The graph of an Alembic history: what comes before what.

Edges are `down_revision` and `depends_on` alike, as `alembic upgrade` orders them and as
its version table forgets a revision that another one needs. A broken history is data:
duplicates, missing parents and cycles are fields.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from monitor.core.errors import UsageError
from monitor.core.source import BASE, HEADS


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision as its file states it.

    Attributes:
        id: its identifier.
        down: the revisions before it; none for a base.
        depends_on: ids or branch labels that must be there before it.
        branch_labels: the names of the branch that it starts.
        path: its file, relative to the history.
    """

    id: str
    down: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    path: str = ""


@dataclass(frozen=True, kw_only=True)
class History:
    """A graph of revisions; build one with `make_history`.

    Attributes:
        revisions: sorted by id, no id twice: of duplicates, the first by path.
        duplicates: the other revisions whose id was taken.
        missing: each id that revisions name and nothing defines, with who names it.
    """

    revisions: tuple[Revision, ...]
    duplicates: tuple[Revision, ...]
    missing: Mapping[str, tuple[str, ...]]

    @cached_property
    def by_id(self) -> Mapping[str, Revision]:
        """Every revision under its id."""
        return {revision.id: revision for revision in self.revisions}

    @cached_property
    def parents(self) -> Mapping[str, tuple[str, ...]]:
        """The revisions that each one needs directly, sorted, missing ones left out."""
        labels = _read_labels(self.revisions)
        return {
            item.id: tuple(
                sorted({labels.get(name, name) for name in _names(item)} & self.by_id.keys())
            )
            for item in self.revisions
        }

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The revisions that need each one directly, sorted."""
        found: dict[str, list[str]] = defaultdict(list)
        for child, parents in self.parents.items():
            for parent in parents:
                found[parent].append(child)
        return {parent: tuple(sorted(children)) for parent, children in found.items()}

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The revisions that no `down_revision` names, sorted: what Alembic calls heads."""
        named = {name for item in self.revisions for name in item.down}
        return tuple(sorted(self.by_id.keys() - named))

    @cached_property
    def bases(self) -> tuple[str, ...]:
        """The revisions without a `down_revision`, sorted."""
        return tuple(item.id for item in self.revisions if not item.down)

    @cached_property
    def cycles(self) -> tuple[str, ...]:
        """The revisions that come before themselves, sorted; empty in a sound history."""
        ordered = set(self._order(self.by_id.keys()))
        suspects = self.by_id.keys() - ordered
        return tuple(sorted(one for one in suspects if one in self.ancestors(self.parents[one])))

    def is_known(self, revision: str) -> bool:
        """Whether the history has a revision with exactly this id."""
        return revision in self.by_id

    def knows(self, revisions: Iterable[str]) -> bool:
        """Whether it has every one of these."""
        return all(map(self.is_known, revisions))

    def ancestors(self, ids: Iterable[str]) -> frozenset[str]:
        """The known ones of ``ids`` and everything that comes before them."""
        return self._follow(ids, self.parents.__getitem__)

    def lineage(self, ids: Iterable[str]) -> frozenset[str]:
        """The known ones of ``ids`` and what they follow, but for what they only depend on.

        Branch labels are handed on along it.
        """
        return self._follow(ids, lambda name: self.by_id[name].down)

    def _follow(
        self, ids: Iterable[str], list_next: Callable[[str], Iterable[str]]
    ) -> frozenset[str]:
        found: set[str] = set()
        waiting = [*ids]
        while waiting:
            one = waiting.pop()
            if one in self.by_id and one not in found:
                found.add(one)
                waiting.extend(list_next(one))
        return frozenset(found)

    def reduce(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Those of ``ids`` that no other one of them includes, sorted: the version rows."""
        given = frozenset(ids)
        covered = {parent for one in self.ancestors(given) for parent in self.parents[one]}
        return tuple(sorted(given - covered))

    def pending(self, stamped: Iterable[str]) -> tuple[str, ...]:
        """What an upgrade to the heads still runs where ``stamped`` is, in a fixed order.

        Each revision follows all it needs; among those that may come next, the smallest
        id does. Members of a cycle, which nothing can run, stand at the end.
        """
        todo = self.by_id.keys() - self.ancestors(stamped)
        ordered = self._order(todo)
        return (*ordered, *sorted(todo - set(ordered)))

    def find_overlaps(self, stamped: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Each pair of version rows of which the first comes before the second."""
        rows = sorted(set(stamped))
        return tuple(
            (before, after)
            for after in rows
            for before in sorted(self.ancestors((after,)) & set(rows))
            if before != after
        )

    def resolve(self, wanted: str) -> tuple[str, ...]:
        """The ids that `heads`, `base`, an id or the unique start of one mean, sorted.

        Raises:
            UsageError: none fits, or more than one.
        """
        if wanted == HEADS:
            return self.heads
        if wanted == BASE:
            return ()
        if wanted in self.by_id:
            return (wanted,)
        fitting = [one for one in self.by_id if one.startswith(wanted)]
        if len(fitting) == 1:
            return (fitting[0],)
        if fitting:
            some = ", ".join(fitting[:5])
            raise UsageError(
                f"{len(fitting)} revisions start with {wanted}: {some}.",
                next_step="Write more characters of the id.",
            )
        raise UsageError(
            f"The history has no revision {wanted}.",
            next_step=f"Its heads are {', '.join(self.heads) or 'none'}; write one of its ids.",
        )

    def _order(self, ids: Iterable[str]) -> tuple[str, ...]:
        """``ids`` with parents first; what waits for a cycle is left out."""
        todo = set(ids)
        needs = {one: sum(parent in todo for parent in self.parents[one]) for one in todo}
        ready = [one for one, count in needs.items() if not count]
        heapq.heapify(ready)
        ordered: list[str] = []
        while ready:
            one = heapq.heappop(ready)
            ordered.append(one)
            for child in self.children.get(one, ()):
                if child in needs:
                    needs[child] -= 1
                    if not needs[child]:
                        heapq.heappush(ready, child)
        return tuple(ordered)


def make_history(revisions: Iterable[Revision]) -> History:
    """The graph of the revisions, in whatever order they come."""
    kept: dict[str, Revision] = {}
    duplicates: list[Revision] = []
    for item in sorted(revisions, key=lambda r: (r.id, r.path)):
        if item.id in kept:
            duplicates.append(item)
        else:
            kept[item.id] = item
    known = kept.keys() | _read_labels(kept.values()).keys()
    missing: dict[str, list[str]] = defaultdict(list)
    for item in kept.values():
        for name in sorted(set(_names(item)) - known):
            missing[name].append(item.id)
    return History(
        revisions=tuple(kept.values()),
        duplicates=tuple(duplicates),
        missing={name: tuple(named_by) for name, named_by in sorted(missing.items())},
    )


def _names(item: Revision) -> tuple[str, ...]:
    return (*item.down, *item.depends_on)


def _read_labels(revisions: Iterable[Revision]) -> dict[str, str]:
    return {label: item.id for item in revisions for label in item.branch_labels}
