"""The agent and a real Alertmanager: what is open stays there, whoever is restarted."""

from datetime import UTC, datetime
from pathlib import Path

from structlog.testing import capture_logs

from monitor.agent.keeper import Keeper
from monitor.core.findings import FindingClass
from monitor.core.incidents import EventKind, Incident, Status
from monitor.sinks.alertmanager import Alertmanager
from monitor.sinks.channel import FailureReason
from monitor.sinks.claims import Claim
from monitor.sinks.outbox import Courier, Route
from monitor.sinks.store import Store, open_store
from monitor.sources.http import open_client
from tests.agent.builders import TABLES, execute, load, running
from tests.conftest import MakeDatabase
from tests.sinks.alertmanager_peer import find_port, running_alertmanager
from tests.sinks.builders import NOW, an_incident, sqlite_url, told


async def test_a_restart_of_either_side_loses_nothing(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    url, port = await make_database(sql=TABLES), find_port()
    databases = {"app": f'{{url: "{url}"}}'}
    config = load(tmp_path, databases, ANCHORWATCH_ALERTMANAGER__URL=f"http://127.0.0.1:{port}")
    async with running(config) as agent:
        await agent.wait_for(app="unchanged")
        async with running_alertmanager(tmp_path / "first", port) as peer:
            await execute(url, "DROP TABLE orders")
            (alert,) = await peer.wait_for("AnchorwatchDrift")
            assert alert["labels"]["database"] == "app"
    async with running_alertmanager(tmp_path / "second", port) as peer:
        assert await peer.list_names() == []  # it has forgotten everything
        async with running(config):
            await peer.wait_for("AnchorwatchDrift")
            await execute(url, "CREATE TABLE orders (id int)")
            await peer.wait_for()


def a_keeper(
    store: Store, channel: Alertmanager, failures: list[FailureReason] | None = None
) -> Keeper:
    return Keeper(
        store,
        [Route(channel=channel)],
        is_ours=lambda incident: incident.database == "app",
        link=lambda _: None,
        observe=lambda _, reason: (failures if failures is not None else []).append(reason),
    )


async def test_only_what_was_told_is_kept(tmp_path: Path) -> None:
    """Not what is suspected, held back, somebody else's, or on its way still."""
    incidents: list[Incident] = [
        an_incident("told", finding_class=FindingClass.DRIFT),
        an_incident("waits", finding_class=FindingClass.DATA),
        an_incident("elsewhere", database="other", finding_class=FindingClass.SMOKE),
    ]
    async with (
        open_store(sqlite_url(tmp_path / "ledger.db")) as store,
        open_client() as client,
        running_alertmanager(tmp_path / "peer") as peer,
    ):
        channel = Alertmanager("alertmanager", peer.url, token=None, client=client)
        courier = Courier(store, [Route(channel=channel)], holder="us")
        for number, incident in enumerate(incidents, start=1):
            if incident.id == "waits":
                continue
            looks = number if incident.database == "app" else 1
            await store.commit(told(looks, EventKind.OPENED, "alertmanager", incident=incident))
        await courier.deliver_due(NOW)
        await store.commit(told(2, EventKind.OPENED, "alertmanager", incident=incidents[1]))
        suspected = an_incident(
            "suspected", status=Status.SUSPECTED, finding_class=FindingClass.ORPHANS
        )
        await store.commit(told(3, EventKind.OPENED, "chat", incident=suspected))
    async with (
        open_store(sqlite_url(tmp_path / "ledger.db")) as store,
        open_client() as client,
        running_alertmanager(tmp_path / "again") as peer,
    ):
        channel = Alertmanager("alertmanager", peer.url, token=None, client=client)
        await a_keeper(store, channel).keep(channel, lambda: datetime.now(UTC))
        assert await peer.list_names() == ["AnchorwatchDrift"]


async def test_one_that_is_down_is_said_once_and_counted_each_time(tmp_path: Path) -> None:
    failures: list[FailureReason] = []
    async with open_store(sqlite_url(tmp_path / "ledger.db")) as store, open_client() as client:
        channel = Alertmanager(
            "alertmanager", f"http://127.0.0.1:{find_port()}", token=None, client=client
        )
        await store.commit(told(1, EventKind.OPENED, "alertmanager"))
        claim = Claim(now=NOW, holder="us", lease=NOW - NOW, channel="alertmanager")
        (delivery,) = await store.claim_due(claim, 1)
        await store.complete([delivery], "HTTP 200", NOW)
        keeper = a_keeper(store, channel, failures)
        with capture_logs() as logs:
            for _ in range(3):
                await keeper.keep(channel, lambda: NOW)
    assert failures == [FailureReason.CONNECT] * 3
    assert len(logs) == 1
