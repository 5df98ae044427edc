"""The self-test sees every kind, and says so when one is not seen."""

from monitor.core.keys import Kind
from monitor.sources.engine import Cluster
from monitor.sources.selftest import list_drifts, plant_all
from monitor.sources.shadow import open_shadow


def test_a_drift_of_every_kind_is_planted() -> None:
    assert {kind for kind, _ in list_drifts()} == set(Kind)


async def test_every_drift_is_seen(server: Cluster) -> None:
    async with open_shadow(url=server.url()) as shadow:
        planted = await plant_all(shadow)
    assert [one for one in planted if not one.is_seen] == []
    assert {one.kind for one in planted} == set(Kind)
