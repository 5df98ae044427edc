from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from monitor.core.findings import Severity
from monitor.core.graph import GraphRow
from monitor.core.incidents import Status
from monitor.core.verdict import State
from monitor.sinks.store import Store, open_store
from monitor.web import description
from monitor.web.pages import LATEST, OPEN
from monitor.web.view import Configured
from tests.web.builders import (
    HOSTILE,
    NOW,
    a_finding,
    a_record,
    a_report,
    a_view,
    an_incident,
    client_of,
    commit,
    list_configured,
    list_fleet,
    plant_hostile,
    sqlite_url,
)

VOID = {"meta", "link", "input", "br", "wbr", "img"}
FOREIGN = {"svg", "path", "circle", "rect"}


class Page(HTMLParser):
    """Checks that elements nest, and remembers them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in FOREIGN
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


async def fetch(store: Store, path: str = "/", **changes: Any) -> Page:
    async with client_of(a_view(store, **changes), headers={"Accept": "text/html"}) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


PATHS = ["/", "/incidents", "/databases/hostile", "/incidents/ba5eba11dead", "/login"]


@pytest.mark.parametrize("path", PATHS)
async def test_hostile_text_never_becomes_markup(store: Store, path: str) -> None:
    await plant_hostile(store)
    warnings = (HOSTILE,)
    async with client_of(a_view(store, warnings=warnings, environment=HOSTILE)) as client:
        text = (await client.get(path)).text
    page = Page(text)
    assert HOSTILE not in text
    assert text.count("</script>") == len(page.find("script")) <= 1
    assert not page.find("img")
    assert all(name[:2] != "on" for _, attributes in page.elements for name in attributes)
    assert "\u202e" not in text
    assert "49" not in page.text.partition("{{7*7}}")[2][:40]


@pytest.mark.parametrize("path", ["/databases/hostile", "/incidents/ba5eba11dead"])
async def test_hostile_text_is_shown_with_nothing_hidden(store: Store, path: str) -> None:
    await plant_hostile(store)
    page = await fetch(store, path)
    assert "</script><img src=x onerror=alert(1)>" in page.text
    assert "⟨U+202E⟩drow⟨U+200B⟩" in page.text


@pytest.mark.parametrize("record", list_fleet(), ids=lambda record: record.database)
async def test_every_databases_page_nests_and_has_one_heading(store: Store, record: Any) -> None:
    page = await fetch(store, f"/databases/{record.database}")
    assert len(page.find("h1")) == len(page.find("main")) == 1
    assert record.state.meaning.sentence[1:] in page.text
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))


async def test_a_summary_that_says_what_the_state_says_is_not_said_twice(store: Store) -> None:
    sentence = State.IN_SYNC.meaning.sentence
    report = a_report("calm", State.IN_SYNC, summary=f"{sentence} (1 accepted)")
    await commit(store, a_record(report))
    page = await fetch(store, "/databases/calm")
    assert "The schema is what is expected (1 accepted)" in page.text
    assert page.text.lower().count(sentence) == 1


async def test_a_summary_that_begins_with_a_name_keeps_it_as_it_is(store: Store) -> None:
    report = a_report("odd", State.STAMPED_NOT_RUN, summary="f6c0ffee is stamped, and never ran")
    await commit(store, a_record(report))
    page = await fetch(store, "/databases/odd")
    assert "Stamped with a revision that never ran. f6c0ffee is stamped" in " ".join(
        page.text.split()
    )


async def test_the_overview_puts_first_what_needs_a_person(store: Store) -> None:
    page = await fetch(store)
    names = [a["data-name"] for a in page.find("span") if "data-name" in a]
    assert names == [
        "billing",
        "ledger",
        "archive",
        "warehouse",
        "catalogue",
        "accounts",
        "search",
    ]
    assert "4 of 7 databases need a look." in page.text


async def test_a_state_is_a_word_and_a_shape_not_only_a_colour(store: Store) -> None:
    page = await fetch(store)
    pills = [a["class"] for a in page.find("span") if "data-state" in a]
    assert len(pills) == 7
    assert len([a for a in page.find("svg") if a.get("aria-hidden") == "true"]) >= len(pills)
    assert all(word in page.text for word in ("drifted", "unreachable", "in sync"))


async def test_tables_can_be_read_by_ear(store: Store) -> None:
    page = await fetch(store, "/databases/billing")
    assert all(a.get("scope") in ("col", "row") for a in page.find("th"))
    assert len(page.find("caption")) == len(page.find("table"))
    assert page.find("a")[0]["href"] == "#main"
    assert [a for a in page.find("p") if a.get("aria-live") == "polite"]


async def test_expected_stands_beside_actual(store: Store) -> None:
    page = await fetch(store, "/databases/billing")
    assert "numeric(12,2)" in page.text
    assert "double precision" in page.text
    assert len(page.find("pre")) == 2


async def test_information_is_not_counted_with_what_is_wrong(store: Store) -> None:
    uncounted = a_finding(
        "calm", code="AW309", severity=Severity.INFO, key=None, title="rows are not counted"
    )
    calm = a_report("calm", State.IN_SYNC, findings=(uncounted,))
    await commit(store, a_record(calm), an_incident((uncounted,), id="c0ffee"))
    text = " ".join((await fetch(store, "/databases/calm")).text.split())
    assert "What is wrong 0 Nothing. For information 1" in text
    assert text.index("For information") < text.index("rows are not counted")
    assert "For information" not in (await fetch(store, "/databases/billing")).text
    assert "What was found 1" in " ".join((await fetch(store, "/incidents/c0ffee")).text.split())


async def test_unknowns_are_shown_with_the_next_step(store: Store) -> None:
    page = await fetch(store, "/databases/warehouse")
    assert "cannot be read by this role" in page.text
    assert 'GRANT SELECT ON "public"."alembic_version" TO watcher;' in page.text
    assert "Nothing is known to be wrong, but not everything could be looked at." in page.text


async def test_a_database_that_is_not_looked_at_unasked_is_never_overdue(store: Store) -> None:
    asleep = Configured(
        name="accounts", environment="production", expected=None, interval_seconds=None
    )
    for path in ("/", "/databases/accounts"):
        page = await fetch(
            store, path, configured=lambda: [asleep], clock=lambda: NOW + timedelta(days=400)
        )
        assert "only when asked" in page.text
        assert "overdue" not in page.text.lower()


async def test_of_a_database_that_was_never_looked_at_nothing_is_said_to_be_known(
    store: Store,
) -> None:
    new = Configured(name="new", environment="production", expected=None, interval_seconds=60)
    page = await fetch(store, "/databases/new", configured=lambda: [new])
    assert "ot looked at yet" in page.text
    assert "Connected" not in page.text
    assert "Last snapshot" not in page.text


async def test_what_is_wrong_with_an_entry_is_said_once(store: Store) -> None:
    page = (await fetch(store, "/databases/archive")).text
    assert page.count("the variable ARCHIVE_URL is not set") == 1
    assert "Nobody looks at it while its configuration is wrong." in page
    assert "onnected" not in page


async def test_a_look_is_asked_for_with_a_form_and_without_script(store: Store) -> None:
    asked: list[tuple[str, str]] = []

    def ask(environment: str, database: str) -> bool:
        asked.append((environment, database))
        return True

    page = await fetch(store, "/databases/billing")
    (form,) = [a for a in page.find("form") if "/look" in str(a["action"])]
    assert form["action"] == "/databases/billing/look?environment=production"
    assert "Look now" in page.text
    async with client_of(a_view(store, ask=ask)) as client:
        answer = await client.post(str(form["action"]))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/databases/billing?environment=production"
    assert asked == [("production", "billing")]


async def test_a_look_that_is_under_way_stands_on_the_page(store: Store) -> None:
    looking = [replace(one, is_looking=True) for one in list_configured()]
    page = await fetch(store, "/databases/billing", configured=lambda: looking)
    assert "A look is under way." in page.text
    assert "A look is under way." not in (await fetch(store, "/databases/billing")).text


async def test_nobody_can_ask_for_what_is_not_looked_at(store: Store) -> None:
    broken = [replace(one, is_enabled=False) for one in list_configured()]
    page = await fetch(store, "/databases/billing", configured=lambda: broken)
    assert not [a for a in page.find("form") if "/look" in str(a["action"])]
    async with client_of(a_view(store, ask=lambda *_: False)) as client:
        person = {"Accept": "text/html"}
        answer = await client.post("/databases/billing/look", headers=person)
        missing = await client.post("/databases/nope/look", headers=person)
    assert (answer.status_code, missing.status_code) == (409, 404)
    assert "Nobody here looks at this database." in Page(answer.text).text


@pytest.mark.parametrize("environment", [HOSTILE, "a b&c=d/../e", "//evil.example"])
async def test_a_hostile_environment_leads_nowhere_else(store: Store, environment: str) -> None:
    await commit(store, a_record(a_report("odd", State.IN_SYNC, environment=environment)))
    odd = Configured(name="odd", environment=environment, expected=None, interval_seconds=None)
    view = a_view(store, environment=environment, configured=lambda: [odd])
    async with client_of(view, headers={"Accept": "text/html"}) as client:
        (form,) = Page((await client.get("/databases/odd")).text).find("form")
        answer = await client.post(str(form["action"]))
        location = answer.headers["location"]
        assert location.startswith("/databases/odd?environment=")
        assert (await client.get(location)).status_code == 200


async def test_an_open_deploy_window_is_said(store: Store) -> None:
    page = await fetch(store, "/databases/catalogue")
    assert "it closes in 7 min" in page.text


async def test_warnings_stand_on_every_page(store: Store) -> None:
    for path in ("/", "/incidents", "/databases/billing", "/incidents/5e1f00d5ea11"):
        page = await fetch(store, path, warnings=("The ledger will not survive a deploy.",))
        assert "The ledger will not survive a deploy." in page.text


async def test_nothing_is_loaded_from_elsewhere_and_no_script_is_inline(store: Store) -> None:
    page = await fetch(store, "/databases/billing")
    loaded = [a.get("src") or a.get("href") for a in (*page.find("script"), *page.find("link"))]
    assert loaded
    assert all(address and address.startswith("/static/") for address in loaded)
    assert all("style" not in attributes for _, attributes in page.elements)
    assert not page.find("style")


async def test_a_page_that_did_not_change_is_not_sent_again(store: Store) -> None:
    later = NOW.replace(second=55)
    async with client_of(a_view(store)) as client:
        first = await client.get("/")
    async with client_of(a_view(store, clock=lambda: later)) as client:
        again = await client.get("/", headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
        assert not again.content
        await commit(store, a_record(a_report("newcomer", State.EMPTY)))
        changed = await client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert "newcomer" in changed.text


async def test_thousands_of_differences_make_no_endless_page(store: Store) -> None:
    findings = tuple(a_finding("huge", title=f"difference {n}") for n in range(3000))
    await commit(store, a_record(a_report("huge", State.DRIFTED, findings=findings)))
    page = await fetch(store, "/databases/huge")
    assert len([one for one in page.find("details") if "finding" in (one["class"] or "")]) == 200
    assert "2800 more are not listed here" in page.text


async def test_a_list_of_incidents_describes_no_findings(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand of them held the loop for a second, and no list shows one."""

    def describe(finding: object) -> None:
        raise AssertionError(finding)

    monkeypatch.setattr(description, "describe_finding", describe)
    for path in ("/", "/incidents"):
        assert "4 schema differences" in (await fetch(store, path)).text


async def test_the_history_shows_where_the_stamp_and_the_schema_are(store: Store) -> None:
    rows = (
        GraphRow("*  ", "c3", ("head", "stamped", "NEVER RAN")),
        GraphRow("| *", "b2"),
        GraphRow(":", folded=1),
        GraphRow("*  ", "a1", ("schema",)),
    )
    await commit(store, a_record(a_report("past", State.STAMPED_NOT_RUN, graph=rows)))
    page = await fetch(store, "/databases/past")
    drawn = page.text.partition("are.")[2].replace("●", " ● ").split()
    assert " ".join(drawn).startswith(
        "● c3 head stamped never ran │ ● b2 ⋮1 more revision ● a1 schema"
    )
    wrong = [a for a in page.find("span") if "critical" in (a.get("class") or "").split()]
    assert any("chip" in (a["class"] or "") for a in wrong)
    async with client_of(a_view(store)) as client:
        document = (await client.get("/api/databases/past")).json()
    assert document["graph"][0] == {
        "cells": "*  ",
        "revision": "c3",
        "marks": ["head", "stamped", "NEVER RAN"],
        "folded": 0,
    }


async def test_a_database_without_a_history_shows_none(store: Store) -> None:
    page = await fetch(store, "/databases/search")
    assert "The newest revision first" not in page.text


async def test_notes_that_are_not_listed_are_counted(store: Store) -> None:
    notes = tuple(f"note {n}: write `text('now()')`" for n in range(300))
    await commit(store, a_record(a_report("huge", State.IN_SYNC, notes=notes)))
    page = await fetch(store, "/databases/huge")
    assert "note 199:" in page.text
    assert "note 200:" not in page.text
    assert "100 more" in page.text
    assert page.text.count("write text('now()')") == 200  # as code, without the backticks


async def test_an_agent_without_databases_says_how_to_name_one(tmp_path: Path) -> None:
    async with open_store(sqlite_url(tmp_path / "empty")) as empty:
        page = await fetch(empty, configured=list)
    assert "No database is watched yet." in page.text


async def test_a_missing_database_is_a_page_for_people_and_json_for_others(store: Store) -> None:
    async with client_of(a_view(store)) as client:
        person = await client.get("/databases/nope", headers={"Accept": "text/html"})
        program = await client.get("/databases/nope")
    assert person.status_code == program.status_code == 404
    assert "No database of this name is watched here." in Page(person.text).text
    assert program.json()["error"]["code"] == "not_found"


async def test_no_open_incident_is_pushed_off_the_pages(store: Store) -> None:
    """Neither by younger ones nor by those that are over."""
    for number in range(OPEN + LATEST):
        is_old = number < OPEN
        finding = a_finding(f"db{number}")
        incident = an_incident(
            (finding,),
            id=f"{number:012}",
            first_seen=NOW - timedelta(days=20 if is_old else 10, minutes=number),
            **({} if is_old else {"status": Status.RESOLVED, "resolved_at": NOW}),
        )
        report = a_report(finding.database, State.DRIFTED, findings=(finding,))
        await commit(store, a_record(report), incident)
    page = await fetch(store, "/")
    assert "All open incidents" in page.text
    listed = {a["href"] for _, a in (await fetch(store, "/incidents")).elements if "href" in a}
    assert {f"/incidents/{number:012}" for number in range(OPEN)} <= listed


async def test_the_form_says_what_is_asked_for_also_where_nothing_is_in_it(store: Store) -> None:
    page = await fetch(store, "/?state=hole&environment=staging")
    chosen = [a.get("value") for tag, a in page.elements if tag == "option" and "selected" in a]
    assert chosen == ["hole", "staging"]
