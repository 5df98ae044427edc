"""What only servers of one age have of a partitioned table is left out where ages differ."""

import pytest

from monitor.core.scope_partitioned import match_partitioned
from monitor.core.snapshot import ServerFacts, Snapshot, make_snapshot
from tests.core.builders import a_column, a_table


def built(major: int, *, on_partition: str | None, persistence: str = "permanent") -> Snapshot:
    root = a_table("t", columns=["b"], partition_by="LIST (a)", persistence=persistence)
    leaf = a_table("t1", columns=["b"], inherits=[["public", "t"]], partition_bound="DEFAULT")
    own = {} if on_partition is None else {"identity": on_partition}
    columns = [a_column("t", "b", identity="always"), a_column("t1", "b", **own)]
    server = ServerFacts(version_num=major * 10000, database="d", owner="o")
    return make_snapshot([root, leaf, *columns], server=server)


@pytest.mark.parametrize(("one", "other"), [(14, 17), (16, 17), (16, 18)])
def test_an_identity_that_is_handed_down_is_no_difference_to_an_older_server(
    one: int, other: int
) -> None:
    old, new = built(one, on_partition=None), built(other, on_partition="always")
    assert match_partitioned(old, new)[1].objects == old.objects
    assert match_partitioned(new, old)[0].objects == old.objects


def test_an_identity_of_its_own_and_one_on_servers_of_one_age_stay() -> None:
    old, new = built(16, on_partition=None), built(17, on_partition="by default")
    assert match_partitioned(old, new)[1] == new
    both = built(17, on_partition="always"), built(18, on_partition=None)
    assert match_partitioned(*both) == both


def test_unlogged_says_nothing_of_a_partitioned_table_where_a_server_refuses_it() -> None:
    old, new = (
        built(17, on_partition=None, persistence="unlogged"),
        built(18, on_partition=None),
    )
    assert match_partitioned(old, new)[0].objects == new.objects
    both = old, built(17, on_partition=None)
    assert match_partitioned(*both) == both
