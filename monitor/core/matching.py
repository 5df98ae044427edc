"""Who may stand for whom, one to one."""

from collections.abc import Mapping, Sequence


def match[K, V](wanted: Mapping[K, Sequence[V]]) -> dict[K, V]:
    """As many pairs as there can be, nobody in two of them.

    By augmenting paths (Kuhn): whoever could stand for several makes room where it can.

    Args:
        wanted: for each one, who may stand for it, the best first.
    """
    pairs: dict[V, K] = {}
    for one in wanted:
        _place(one, wanted, pairs, set())
    return {one: other for other, one in pairs.items()}


def _place[K, V](
    one: K, wanted: Mapping[K, Sequence[V]], pairs: dict[V, K], tried: set[V]
) -> bool:
    """Whether somebody can be found for one, others making room."""
    for other in wanted[one]:
        if other in tried:
            continue
        tried.add(other)
        if other not in pairs or _place(pairs[other], wanted, pairs, tried):
            pairs[other] = one
            return True
    return False
