"""Disputes against the collisions that they are made of."""

from collections.abc import Iterable
from itertools import chain, combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.lock_disputes import gather
from monitor.core.lock_order import Collision
from tests.core.lock_model import Node, a_node, build, histories, table

NAMES = "abcde"


@st.composite
def collisions(draw: st.DrawFn) -> list[Collision]:
    made = st.builds(
        Collision,
        key=st.sampled_from([table("t"), table("u")]),
        earlier=st.sampled_from("abc"),
        later=st.sampled_from("cde"),
        is_alone=st.booleans(),
        is_together=st.booleans(),
        settled_by=st.frozensets(st.sampled_from(NAMES), max_size=2),
    )
    return draw(st.lists(made, max_size=8))


@given(collisions())
def test_a_dispute_holds_where_one_of_its_collisions_does(found: list[Collision]) -> None:
    disputes = gather(found)
    for some in list_sets(NAMES):
        holding = {key for key, one in disputes.items() if one.holds(some)}
        assert holding == {hit.key for hit in found if hit.holds(some)}


@given(histories())
@settings(max_examples=30)
def test_what_is_unknown_is_so_one_by_one_and_all_at_once(nodes: list[Node]) -> None:
    states = build(nodes)
    for some in list_sets([node.revision.id for node in nodes]):
        assert states.find_unknown(some) == {h.key for h in states.collisions if h.holds(some)}


def list_sets(names: Iterable[str]) -> list[frozenset[str]]:
    names = list(names)
    sizes = range(len(names) + 1)
    return [frozenset(some) for some in chain(*(combinations(names, size) for size in sizes))]


class Asked(frozenset[str]):
    """A set that counts what it is asked."""

    times = 0

    def __contains__(self, name: object) -> bool:
        Asked.times += 1
        return super().__contains__(name)

    def __sub__(self, other: Any) -> "Asked":
        return Asked(super().__sub__(other))


def test_what_siblings_did_to_one_object_is_asked_once_for_each() -> None:
    siblings = 40
    states = build(branch_out(siblings))
    everything = Asked(one.id for one in states.lock.revisions)
    assert len(states.collisions) > siblings * (siblings - 1) / 2
    for some in (everything, everything - {"s01"}, everything - {"s01", "m", "z"}):
        Asked.times = 0
        states.find_unknown(some)
        assert Asked.times <= 4 * siblings * len({hit.key for hit in states.collisions})


def branch_out(siblings: int) -> list[Node]:
    """Many revisions that follow one, change one table, and are merged."""
    names = [f"s{number:02}" for number in range(siblings)]
    return [
        a_node("a", ("create", "t")),
        *(
            a_node(s, ("create", f"of_{s}"), ("set", "t", "persistence", s), down=("a",))
            for s in names
        ),
        a_node("m", down=tuple(names)),
        a_node("z", ("create", "last"), down=("m",)),
    ]
