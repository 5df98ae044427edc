"""The agent as its users run it: a process, a real database, a real receiver."""

import json
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from standardwebhooks import Webhook

from tests.conftest import MakeDatabase
from tests.e2e.conftest import SECRET, Agent, Receiver, StartAgent, wait_for

TOKEN = "token-for-the-api"  # noqa: S105  # opens nothing but this test

TABLES = """
create table users (id int primary key, email text not null unique);
create table orders (id int primary key, user_id int references users);
create index orders_user on orders (user_id);
create table alembic_version (version_num varchar(32) primary key);
insert into alembic_version values ('0001');
"""


def environ_for(url: str, receiver: Receiver) -> dict[str, str]:
    return {
        "ANCHORWATCH_DATABASES__APP__URL": url,
        "ANCHORWATCH_DEFAULTS__INTERVAL": "300ms",
        "ANCHORWATCH_DEFAULTS__MIN_INTERVAL": "100ms",
        "ANCHORWATCH_WEBHOOKS__TEAM__URL": receiver.url,
        "ANCHORWATCH_WEBHOOKS__TEAM__SECRET": SECRET,
        "ANCHORWATCH_ENVIRONMENT": "test",
    }


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def test_drift_is_told_once_and_its_end_once(
    make_database: MakeDatabase, start_agent: StartAgent, receiver: Receiver
) -> None:
    url = await make_database(sql=TABLES)
    agent: Agent = start_agent(**environ_for(url, receiver))
    agent.wait_for_state("app", "unchanged")

    await execute(url, "drop index orders_user; alter table users add column note text")
    agent.wait_for_state("app", "drifted")
    wait_for(lambda: receiver.list_types("app") == ["incident.opened"], "the first message")
    agent.wait_for_looks(5)
    assert receiver.list_types("app") == ["incident.opened"]

    headers, body = receiver.requests[0]
    Webhook(SECRET).verify(body, {k.lower(): v for k, v in headers.items()})
    message = json.loads(body)
    assert message["environment"] == "test"
    assert {(f["code"], f["name"]) for f in message["findings"]} == {
        ("AW225", "orders_user"),
        ("AW208", "note"),
    }
    _, metrics = agent.get("/metrics")
    assert 'anchorwatch_database_state{database="app",state="drifted"} 1' in metrics
    assert 'anchorwatch_incidents_open{database="app",severity="warning"} 1' in metrics
    status, page = agent.get("/databases/app")
    assert (status, "orders_user" in page, "note" in page) == (200, True, True)

    await execute(url, "create index orders_user on orders (user_id); alter table users drop note")
    agent.wait_for_state("app", "unchanged")
    wait_for(lambda: len(receiver.messages) > 1, "the last message")
    agent.wait_for_looks(3)
    assert receiver.list_types("app") == ["incident.opened", "incident.resolved"]
    assert receiver.messages[0]["incident"] == receiver.messages[1]["incident"]
    assert agent.stop() < 5
    assert agent.process.returncode == 0


async def test_a_message_survives_kill_9_between_decision_and_delivery(
    make_database: MakeDatabase, start_agent: StartAgent, receiver: Receiver, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    environ = environ_for(url, receiver)
    receiver.release.clear()  # it accepts, and never answers
    agent = start_agent(**environ)
    agent.wait_for_state("app", "unchanged")
    await execute(url, "drop index orders_user")
    wait_for(lambda: receiver.requests, "the first attempt")
    agent.kill()
    receiver.release.set()
    first_id = receiver.requests[0][0]["webhook-id"]
    receiver.requests.clear()

    agent = start_agent(**environ)
    wait_for(lambda: receiver.requests, "the delivery after the restart")
    agent.wait_for_looks(3)
    assert [headers["webhook-id"] for headers, _ in receiver.requests] == [first_id]
    assert receiver.list_types("app") == ["incident.opened"]
    check_ledger(tmp_path / "l.sqlite", opened=1)


async def test_a_message_survives_kill_9_while_the_receiver_is_down(
    make_database: MakeDatabase, start_agent: StartAgent, receiver: Receiver, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    environ = environ_for(url, receiver)
    receiver.stop()
    agent = start_agent(**environ)
    agent.wait_for_state("app", "unchanged")
    await execute(url, "drop index orders_user")
    failed = 'anchorwatch_notification_failures_total{channel="webhook:team",reason="connect"}'
    wait_for(lambda: f"{failed} 1.0" in agent.get("/metrics")[1], "the first attempt")
    agent.kill()

    receiver.start()
    agent = start_agent(**environ)
    wait_for(lambda: receiver.requests, "the delivery after the restart")
    agent.wait_for_looks(3)
    assert receiver.list_types("app") == ["incident.opened"]
    check_ledger(tmp_path / "l.sqlite", opened=1)


async def test_a_message_under_way_at_a_clean_stop_is_delivered_once(
    make_database: MakeDatabase, start_agent: StartAgent, receiver: Receiver, tmp_path: Path
) -> None:
    url = await make_database(sql=TABLES)
    environ = environ_for(url, receiver)
    receiver.release.clear()
    agent = start_agent(**environ)
    agent.wait_for_state("app", "unchanged")
    await execute(url, "drop index orders_user")
    wait_for(lambda: receiver.requests, "the first attempt")
    agent.begin_to_stop()
    receiver.release.set()
    agent.wait_for_end()
    assert agent.process.returncode == 0
    check_ledger(tmp_path / "l.sqlite", opened=1)

    agent = start_agent(**environ)
    agent.wait_for_looks(5)
    assert receiver.list_types("app") == ["incident.opened"]
    assert len(receiver.requests) == 1


async def test_neither_a_receiver_nor_a_browser_that_hangs_delays_the_end(
    make_database: MakeDatabase, start_agent: StartAgent, receiver: Receiver, black_hole: int
) -> None:
    url = await make_database(sql=TABLES)
    receiver.release.clear()
    hole = f"postgresql://u:p@127.0.0.1:{black_hole}/x"
    agent = start_agent(**environ_for(url, receiver), ANCHORWATCH_DATABASES__HOLE__URL=hole)
    agent.wait_for_state("app", "unchanged")
    await execute(url, "drop index orders_user")
    wait_for(lambda: receiver.requests, "the first attempt")
    here = ("127.0.0.1", agent.port)
    with socket.create_connection(here) as writer, socket.create_connection(here) as listener:
        listener.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert listener.recv(4096).startswith(b"HTTP/1.1 200")
        writer.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        took = agent.stop()  # the body never comes
    assert took < 5
    assert agent.process.returncode == 0


def check_ledger(path: Path, *, opened: int) -> None:
    """Whole, with so many incidents opened and each told once."""
    ledger = sqlite3.connect(path)
    try:
        assert ledger.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert ledger.execute(
            "select kind, count(*) from anchorwatch_event group by 1"
        ).fetchall() == [("opened", opened)]
        assert ledger.execute(
            "select status, count(*) from anchorwatch_outbox group by 1"
        ).fetchall() == [("delivered", opened)]
    finally:
        ledger.close()


async def test_a_database_url_alone_is_enough(
    make_database: MakeDatabase, start_agent: StartAgent
) -> None:
    url = await make_database(sql=TABLES)
    agent = start_agent(DATABASE_URL=url)
    database = agent.wait_for_state("default", "unchanged")
    assert database["revision"] == "0001"
    assert agent.get("/livez")[0] == 200
    assert agent.get("/readyz")[0] == 200


async def test_one_database_that_never_answers_delays_no_other(
    make_database: MakeDatabase, start_agent: StartAgent, black_hole: int
) -> None:
    url = await make_database(sql=TABLES)
    agent = start_agent(
        ANCHORWATCH_DATABASES__APP__URL=url,
        ANCHORWATCH_DATABASES__HOLE__URL=f"postgresql://u:planted-secret@127.0.0.1:{black_hole}/x",
        ANCHORWATCH_DEFAULTS__INTERVAL="300ms",
        ANCHORWATCH_CONCURRENCY="2",
    )
    agent.wait_for_state("app", "unchanged")
    agent.wait_for_looks(5)
    assert agent.stop() < 5
    assert "planted-secret" not in agent.log


def test_beyond_loopback_without_a_token_everything_is_closed(start_agent: StartAgent) -> None:
    agent = start_agent(
        ANCHORWATCH_HOST="::", DATABASE_URL="postgresql://u:planted-secret@127.0.0.1:1/x"
    )
    for path in ("/", "/api/databases", "/metrics"):
        status, body = agent.get(path)
        assert status == 401
        assert "TOKEN" in body
    assert agent.get("/livez")[0] == 200


def test_a_token_opens_what_it_is_for(start_agent: StartAgent) -> None:
    agent = start_agent(
        ANCHORWATCH_HOST="::",
        ANCHORWATCH_API_TOKEN=TOKEN,
        DATABASE_URL="postgresql://u:planted-secret@127.0.0.1:1/x",
    )
    assert agent.get("/api/databases")[0] == 401
    status, body = agent.get("/api/databases", token=TOKEN)
    assert status == 200
    assert "planted-secret" not in body + agent.log


@pytest.fixture
def black_hole() -> Iterator[int]:
    """The port of a listener that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])
