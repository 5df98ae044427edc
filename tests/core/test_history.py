import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import UsageError
from monitor.core.history import History, Revision, make_history


def graph(**parents: str) -> History:
    """A history written as `d="b c"`; names after a colon are depends_on."""
    revisions = []
    for identifier, names in parents.items():
        down, _, needs = names.partition(":")
        revisions.append(
            Revision(id=identifier, down=tuple(down.split()), depends_on=tuple(needs.split()))
        )
    return make_history(revisions)


DIAMOND = graph(a="", b="a", c="a", d="b c", e="d")


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Sound histories of up to nine revisions."""
    names = "abcdefghi"[: draw(st.integers(0, 9))]
    parents = {
        name: " ".join(draw(st.sets(st.sampled_from(names[:at]), max_size=2)) if at else ())
        for at, name in enumerate(names)
    }
    return graph(**parents)


def test_heads_and_bases_are_the_ends_of_the_graph() -> None:
    assert (DIAMOND.heads, DIAMOND.bases) == (("e",), ("a",))
    assert (graph(a="", b="a", c="a").heads, graph().heads) == (("b", "c"), ())


def test_what_another_branch_depends_on_stays_a_head() -> None:
    history = graph(a="", b="", c="b:a")
    assert history.heads == ("a", "c")
    assert history.ancestors(["c"]) == {"a", "b", "c"}
    assert history.reduce(["a", "c"]) == ("c",)


def test_a_branch_label_may_stand_for_its_revision() -> None:
    one = Revision(id="a", branch_labels=("shop",))
    history = make_history([one, Revision(id="b", depends_on=("shop",))])
    assert (history.parents["b"], dict(history.missing)) == (("a",), {})


def test_pending_is_what_comes_after_the_stamp_parents_first() -> None:
    assert DIAMOND.pending([]) == ("a", "b", "c", "d", "e")
    assert DIAMOND.pending(["c"]) == ("b", "d", "e")
    assert DIAMOND.pending(["unknown"]) == ("a", "b", "c", "d", "e")
    assert DIAMOND.pending(["e"]) == ()


def test_a_row_that_comes_before_another_overlaps() -> None:
    assert DIAMOND.find_overlaps(["a", "c", "x"]) == (("a", "c"),)
    assert DIAMOND.find_overlaps(["b", "c"]) == ()


def test_a_cycle_is_named_and_holds_nothing_up() -> None:
    history = graph(a="", b="a c", c="b", d="c")
    assert history.cycles == ("b", "c")
    assert history.pending([]) == ("a", "b", "c", "d")
    assert history.ancestors(["d"]) == {"a", "b", "c", "d"}
    assert DIAMOND.cycles == ()


def test_duplicates_and_missing_parents_are_kept_as_data() -> None:
    first, second = Revision(id="a", path="1.py"), Revision(id="a", path="2.py")
    history = make_history([second, first, Revision(id="b", down=("gone",))])
    assert (history.by_id["a"], history.duplicates) == (first, (second,))
    assert dict(history.missing) == {"gone": ("b",)}
    assert history.parents["b"] == ()


def test_a_wanted_revision_is_a_name_an_id_or_its_start() -> None:
    history = graph(abc="", abd="abc", x="abc", xy="x")
    assert history.resolve("heads") == ("abd", "xy")
    assert history.resolve("base") == ()
    assert history.resolve("x") == ("x",)
    assert history.resolve("abd") == ("abd",)
    assert graph(abc="").resolve("ab") == ("abc",)


@pytest.mark.parametrize(("wanted", "said"), [("ab", "2 revisions start"), ("no", "heads are")])
def test_a_revision_that_is_unknown_or_unclear_is_a_usage_error(wanted: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        graph(abc="", abd="abc").resolve(wanted)


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_reading_changes_nothing(history: History, shuffler: random.Random) -> None:
    revisions = list(history.revisions)
    shuffler.shuffle(revisions)
    assert make_history(revisions) == history
    assert make_history(revisions).pending([]) == history.pending([])


@given(histories(), st.data())
def test_what_is_pending_and_what_was_done_are_the_whole(
    history: History, data: st.DataObject
) -> None:
    ids = sorted(history.by_id)
    stamped = data.draw(st.lists(st.sampled_from(ids), max_size=3) if ids else st.just([]))
    pending = history.pending(stamped)
    done = history.ancestors(stamped)
    assert sorted([*pending, *done]) == ids
    for at, one in enumerate(pending):
        assert set(history.parents[one]) <= done | set(pending[:at])
    assert history.ancestors(history.reduce(stamped)) == done
    assert not history.find_overlaps(history.reduce(stamped))
