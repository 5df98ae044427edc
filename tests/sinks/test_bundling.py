"""What a message says beside what is wrong: where the history is, and the last deployment."""

from datetime import timedelta

import msgspec
import sqlalchemy as sa

from monitor.core.findings import FindingClass
from monitor.core.incidents import EventKind, Incident
from monitor.core.message import UNKNOWN, Surroundings
from monitor.sinks.bundling import Bundler
from monitor.sinks.choice import Told
from monitor.sinks.delivery import Delivery
from monitor.sinks.store import Store
from tests.sinks.builders import NOW, a_decision, a_record, an_incident

DEPLOYED = NOW - timedelta(minutes=14)


async def look_around(store: Store, *incidents: Incident) -> Surroundings:
    """What a message about these says beside."""
    bundler = Bundler(store, link=lambda _: None, find_deployment=lambda _: DEPLOYED)
    told = [Told(a_delivery(one), one, EventKind.OPENED) for one in incidents]
    [bundle] = await bundler.bundle("chat", told, has_threads=False)
    return bundler.compose(bundle).around


def a_delivery(incident: Incident) -> Delivery:
    return Delivery(
        id=f"delivery of {incident.id}",
        channel="chat",
        incident=incident.id,
        version=1,
        kind=EventKind.OPENED,
        at=NOW,
        attempts=1,
        holder="us",
    )


async def keep_stamp(store: Store, stamp: tuple[str, ...], *heads: str) -> None:
    record = a_record()
    report = msgspec.structs.replace(record.report, revisions=stamp, expected_revisions=heads)
    record = msgspec.structs.replace(record, report=report)
    assert await store.commit(a_decision(record=record))


async def test_a_message_says_where_the_history_is_and_when_the_last_deployment_was(
    file_store: Store,
) -> None:
    assert await look_around(file_store, an_incident()) == Surroundings(DEPLOYED)
    await keep_stamp(file_store, ("9f1c",), "4b2a")
    found = await look_around(file_store, an_incident())
    assert found == Surroundings(DEPLOYED, ("9f1c",), ("4b2a",))


async def test_a_record_that_cannot_be_read_keeps_back_no_word(file_store: Store) -> None:
    await keep_stamp(file_store, ("9f1c",), "4b2a")
    async with file_store._backend.writing() as connection:
        await connection.execute(sa.text("UPDATE anchorwatch_record SET body = 'nonsense'"))
    assert await look_around(file_store, an_incident()) == Surroundings(DEPLOYED)


async def test_where_the_history_is_says_nothing_of_what_is_no_schema(file_store: Store) -> None:
    await keep_stamp(file_store, ("9f1c",), "4b2a")
    orphans = an_incident(finding_class=FindingClass.ORPHANS)
    assert await look_around(file_store, orphans) == Surroundings(DEPLOYED)


async def test_a_message_about_several_databases_says_nothing_beside(file_store: Store) -> None:
    await keep_stamp(file_store, ("9f1c",), "4b2a")
    several = an_incident(), an_incident("i2", database="crm")
    assert await look_around(file_store, *several) == UNKNOWN
