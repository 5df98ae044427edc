"""All that keeps a difference from being told, at one database, seen wherever people look."""

import html
import json
import re
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from monitor.sources.engine import Cluster
from tests.agent.builders import Running, execute, load, running
from tests.cli.conftest import RunCommand
from tests.conftest import MakeDatabase
from tests.sources.shadow_peers import write_history
from tests.watch.builders import until

PROMISED = """
    create table users (id int constraint pk_users primary key, email text,
      carrier varchar(9) constraint carriers check (carrier in ('ups', 'dhl')),
      made timestamptz default 'now', seen timestamptz default 'now');
    create index ix_email on users (email);
    create index ix_carrier on users (carrier) where carrier in ('ups', 'dhl');
    create table carts (id int, made timestamptz default 'now');
    create table events (at date) partition by range (at)
"""
"""What the migrations make: with defaults that are others at each build."""

LIVE = """
    create table alembic_version (version_num varchar(32) primary key);
    insert into alembic_version values ('r1');
    create table users (id int constraint pk_users primary key, email text,
      carrier varchar(9), made timestamptz default '2024-05-06 07:08:09+00',
      seen timestamptz default '2024-05-06 07:08:09+00',
      -- as the server writes it after a dump and a restore
      constraint carriers check (carrier::text = any (array['ups'::varchar::text,
        'dhl'::varchar::text])));
    create index ix_email on users (email);
    create index ix_carrier on users (carrier) where carrier::text = any
      (array['ups'::varchar::text, 'dhl'::varchar::text]);
    create table carts (id int, made timestamptz default '2024-05-06 07:08:09+00');
    create table events (at date) partition by range (at);
    create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01');
    create table tmp_1 (id int);
    create schema scratch;
    create table scratch.heap (id int, tmp_2 int);
"""
KNOWN = """
    alter index ix_email rename to users_email_idx;
    alter table users rename constraint carriers to users_carrier_check;
    drop table carts;
    alter table users drop seen;
"""
NEW = """
    alter table users rename constraint pk_users to users_pkey;
    alter table users add note text;
    create table tmp_2 (id int);
"""
IGNORED = {"object": "table:public.tmp_*", "reason": "The import makes them."}
EXPIRED = {"code": "AW208", "reason": "OPS-1", "until": "2020-01-01"}
UNUSED = {"object": "table:scratch.*", "reason": "Nobody compares it."}
REASON = "The vendor made it so."

TOLD = {"column public.users.note", "primary key public.users.pk_users"}
ACCEPTED = {
    "check public.users.carriers",
    "index public.users.ix_email",
    "table public.carts",
    "column public.users.seen",
}


class Shop:
    """One database with a bit of everything, and all that is known about it."""

    def __init__(self, place: Path, url: str, shadow: str, server: HTTPServer) -> None:
        self.place = place
        self.url = url
        self.server = server
        ini = write_history(place / "app", f"op.execute({PROMISED!r})")
        self.entry = {
            "url": url,
            "expected": f"alembic:{ini}",
            "shadow_url": shadow,
            "ignore": [IGNORED, EXPIRED, UNUSED],
            "schemas": {"without": ["scratch"]},
        }

    def running(self) -> AbstractAsyncContextManager[Running]:
        """The agent, with both kinds of channel."""
        return running(
            load(
                self.place,
                {"app": json.dumps(self.entry)},
                ANCHORWATCH_SLACK__WEBHOOK_URL=self.server.url_for("/slack"),
                ANCHORWATCH_ALERTS__GROUP_WAIT="0s",
                ANCHORWATCH_ALERTS__GROUP_INTERVAL="0s",
                ANCHORWATCH_WEBHOOKS__TEAM__URL=self.server.url_for("/hook"),
            )
        )

    def write_configuration(self) -> None:
        """The same in a file, for the command."""
        document = {
            "environment": "test",
            "store_url": f"sqlite:///{self.place}/ledger.db",
            "databases": {"app": self.entry},
        }
        (self.place / "anchorwatch.yaml").write_text(json.dumps(document))

    def read_posts(self, path: str) -> list[str]:
        """The bodies of all that was posted there."""
        return [
            request.get_data(as_text=True)
            for request, _ in self.server.log
            if request.path == path
        ]

    @property
    def hooks(self) -> list[dict[str, Any]]:
        """The messages that the webhook got."""
        return [json.loads(body) for body in self.read_posts("/hook")]

    async def wait_for_posts(self, count: int) -> None:
        """Return when both channels got so many messages."""
        await until(
            lambda: min(len(self.read_posts(path)) for path in ("/hook", "/slack")) >= count
        )


@pytest.fixture
async def shop(
    make_database: MakeDatabase,
    other_server: Cluster,
    httpserver: HTTPServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Shop:
    monkeypatch.setenv("NO_PROXY", "*")
    httpserver.expect_request(re.compile("/(slack|hook)")).respond_with_data("ok")
    return Shop(tmp_path, await make_database(sql=LIVE), other_server.url(), httpserver)


async def test_what_is_left_out_is_counted_and_shown_and_never_told(
    shop: Shop, run_inside: RunCommand
) -> None:
    async with shop.running() as agent:
        await agent.wait_for(app="in_sync")
        await execute(shop.url, KNOWN)
        await shop.wait_for_posts(1)
        status, _ = await agent.post("/api/databases/app/accept", reason=REASON)
        assert status == 200
        await shop.wait_for_posts(2)
        await execute(shop.url, NEW)
        await shop.wait_for_posts(3)
        check_messages(shop)
    async with shop.running() as agent:  # what is expected is built anew
        await agent.wait_for_looks("app", 3)
        assert len(shop.hooks) == 3
        check_document(json.loads((await agent.get("/api/databases/app"))[1]))
        check_page((await agent.get("/databases/app"))[1])
        check_metrics((await agent.get("/metrics?database=app"))[1])
    shop.write_configuration()
    done = await run_inside("check")
    assert done.code == 1, done
    check_text(done.out)
    done = await run_inside("check", "--format", "json")
    assert done.code == 1, done
    check_document(done.document["databases"][0])


def check_messages(shop: Shop) -> None:
    """Three were told: what was not accepted yet, its end, and what was new."""
    first, second, third = shop.hooks
    assert [m["type"] for m in shop.hooks] == [
        *("incident.opened", "incident.resolved", "incident.opened")
    ]
    assert name_all(first["findings"]) == name_all(second["findings"]) == ACCEPTED
    assert "accepted or ignored and not undone" in second["headline"]
    assert name_all(third["findings"]) == TOLD
    bodies = shop.read_posts("/slack")
    assert [word for word in SILENT if word in "".join(bodies)] == []
    assert [word for word in (*SILENT, *ACCEPTED) if word in bodies[2]] == []
    assert all(word in bodies[2] for word in TOLD)
    assert all(f"`{finding['id']}`" in bodies[2] for finding in third["findings"])


SILENT = (*("tmp_1", "tmp_2", "events", "scratch", "users.made", "ix_carrier"), "AW90")
"""Ignored, out of scope, unstable, spelt in another way, rules to tidy up."""

NOTES = (
    "4 objects of the schema scratch, by configuration, are not compared.",
    "1 partition of table public.events that nothing expects is not compared.",
    "The expression of check public.users.carriers is written in another way than expected, ",
    "The predicate of index public.users.ix_carrier is written in another way than expected, ",
    "The default of column public.users.made comes out differently each time ",
    "The default of column public.users.seen comes out differently each time ",
)
SUMMARY = "2 differences, the worst: column public.users.note is there, nothing expects it"
WAIVED = "(4 accepted, 2 ignored)"


def check_document(document: dict[str, Any]) -> None:
    assert document["state"] == "drifted"
    assert document["summary"] == f"{SUMMARY} {WAIVED}"
    assert name_all(document["findings"]) == TOLD | {"AW903 info", "AW904 info"}
    assert name_all(document["accepted"]) == ACCEPTED
    assert {one["reason"] for one in document["accepted"]} == {REASON}
    assert name_all(document["ignored"]) == {"table public.tmp_1", "table public.tmp_2"}
    assert {one["reason"] for one in document["ignored"]} == {IGNORED["reason"]}
    assert len(document["notes"]) == len(NOTES)
    check_notes("\n".join(document["notes"]))


def check_notes(text: str) -> None:
    assert [note for note in NOTES if note not in text] == []


def check_page(page: str) -> None:
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert f"{SUMMARY} {WAIVED}" in text
    for words in (
        *(
            "What is wrong 2",
            "For information 2",
            "Accepted 4",
            "Ignored 2",
            f"Notes {len(NOTES)}",
        ),
        *("info: an ignore rule has expired: AW208 AW903", REASON, IGNORED["reason"]),
        *("info: an ignore rule matches nothing: * on table:scratch.* AW904",),
    ):
        assert words in text
    for told in (*TOLD, *ACCEPTED, "table public.tmp_1", "table public.tmp_2"):
        assert told in text
    check_notes(text)


def check_metrics(text: str) -> None:
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert values['anchorwatch_findings_waived{database="app",how="accepted"}'] == "4.0"
    assert values['anchorwatch_findings_waived{database="app",how="ignored"}'] == "2.0"
    counted = [float(n) for key, n in values.items() if key.startswith("anchorwatch_schema_diff")]
    assert sum(counted) == len(TOLD)
    assert values['anchorwatch_incidents_open{database="app",severity="warning"}'] == "1.0"
    assert values['anchorwatch_incidents_open{database="app",severity="info"}'] == "0.0"


def check_text(text: str) -> None:
    assert f"{SUMMARY} {WAIVED}" in text
    assert "1 unexpected, 1 altered; 2 warning." in text
    assert text.count("\n  accepted: ") == len(ACCEPTED)
    assert "\n  ignored: 2 by * on table:public.tmp_*: The import makes them.\n" in text
    assert "an ignore rule has expired: AW208  [AW903 info]" in text
    assert "an ignore rule matches nothing: * on table:scratch.*  [AW904 info]" in text
    assert text.count("\n  note: ") == len(NOTES)
    check_notes(text)


def name_all(findings: list[dict[str, Any]]) -> set[str]:
    return {_name(finding) for finding in findings}


def _name(finding: dict[str, Any]) -> str:
    """What it is about: the object, or the rule where it is about no object."""
    if finding["kind"] is None:
        return f"{finding['code']} {finding['severity']}"
    parts = (finding["schema"], finding["parent"], finding["name"])
    return f"{finding['kind'].replace('_', ' ')} {'.'.join(filter(None, parts))}"
