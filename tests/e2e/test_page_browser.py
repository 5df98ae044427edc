"""The page in a real browser: what it looks like, and what its script does."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.core.verdict import State
from monitor.sinks.store import Store
from monitor.web import news
from monitor.web.view import Configured
from tests.web.browser import PROGRAM, Tab, opened_tab
from tests.web.builders import SECRET, a_record, a_report, a_view, commit, list_configured
from tests.web.sites import PAGES, opened_fleet, served

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed"),
]

WARNING = "The ledger lies on a disk that is lost at each deploy: mount a volume."
SIZES = {"wide": 1280, "laptop": 1000, "tablet": 800, "phone": 390, "narrow": 320}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened_fleet(tmp_path) as opened:
        yield opened


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    async with opened_tab() as opened:
        yield opened


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where the pictures go; ANCHORWATCH_TEST_SHOTS keeps them."""
    directory = Path(os.environ.get("ANCHORWATCH_TEST_SHOTS", tmp_path / "shots"))
    directory.mkdir(parents=True, exist_ok=True)
    return directory


async def test_every_page_fits_every_width_in_both_schemes(
    store: Store, tab: Tab, shots: Path
) -> None:
    async with served(a_view(store, warnings=(WARNING,))) as site:
        for name, path in PAGES.items():
            await tab.go(site + path)
            for size, width in SIZES.items():
                for scheme in ("light", "dark"):
                    await tab.show(width, scheme=scheme)
                    shown = await tab.ask("document.documentElement.scrollWidth")
                    assert shown <= width, (name, size)
                    await tab.shoot(shots / f"{name}-{size}-{scheme}.png")
        assert [one for one in tab.complaints if PAGES["missing"] not in one] == []


async def test_text_stands_out_from_its_ground_in_both_schemes(store: Store, tab: Tab) -> None:
    async with served(a_view(store)) as site:
        await tab.go(site)
        for scheme in ("light", "dark"):
            await tab.show(1280, scheme=scheme)
            assert await tab.ask(LOWEST_CONTRAST) >= 4.5, scheme


async def test_a_change_appears_by_itself_and_is_announced(store: Store, tab: Tab) -> None:
    async with served(a_view(store)) as site:
        await tab.go(site)
        await tab.ask("document.getElementById('to-production-billing').focus()")
        await commit(store, a_record(a_report("newcomer", State.EMPTY)))
        await tab.wait_for("document.querySelector('[data-name=newcomer]') !== null")
        assert await tab.ask("document.activeElement.id") == "to-production-billing"
        assert await tab.ask("document.getElementById('announcer').textContent") == (
            "newcomer is empty"
        )
        assert tab.complaints == []


async def test_a_person_searches_in_place_and_what_changes_keeps_the_search(
    store: Store, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "PERIOD", 0.1)
    async with served(a_view(store)) as site:
        await tab.go(site)
        await tab.wait_for(f"{ROWS} === 10")
        await tab.ask("document.getElementById('q').focus()")
        await tab.call("Input.insertText", text="in sync")
        await tab.wait_for(f"{ROWS} === 1")
        assert await tab.ask("location.search") == "?q=in+sync"
        assert await tab.ask("document.getElementById('announcer').textContent") == "1 of 10"
        await commit(store, a_record(a_report("newcomer", State.IN_SYNC)))
        await tab.wait_for("document.querySelector('[data-name=newcomer]') !== null")
        assert await tab.ask(ROWS) == 2
        assert await tab.ask("document.activeElement.id + document.activeElement.value") == (
            "qin sync"
        )
        assert await tab.ask("document.activeElement.selectionStart") == 7
        await tab.ask("document.getElementById('clear').click()")
        await tab.wait_for(f"{ROWS} === 11")
        assert await tab.ask("location.search") == ""
        assert tab.complaints == []


async def test_a_person_narrows_by_the_tally_and_by_the_form(store: Store, tab: Tab) -> None:
    async with served(a_view(store)) as site:
        await tab.go(site)
        await tab.ask("document.getElementById('tally-good').click()")
        await tab.wait_for(f"{ROWS} === 2")
        assert await tab.ask("document.getElementById('state').value") == "good"
        assert await tab.ask("document.activeElement.id || 'body'") in {"body", "tally-good"}
        await tab.ask(
            "(state => { state.value = 'drifted';"
            " state.dispatchEvent(new Event('input', {bubbles: true})) })"
            "(document.getElementById('state'))"
        )
        await tab.wait_for(f"{ROWS} === 4")
        assert await tab.ask("location.search") == "?state=drifted"
        assert tab.complaints == []


async def test_a_person_sorts_with_the_keyboard_and_stays_where_they_are(
    store: Store, tab: Tab
) -> None:
    first = "document.querySelector('#databases tbody .name').textContent"
    async with served(a_view(store)) as site:
        await tab.go(site)
        await tab.ask("document.getElementById('sort-name').focus()")
        for name, order in (("accounts", "ascending"), ("warehouse", "descending")):
            await press(tab, "Enter")
            await tab.wait_for(f"{first} === {name!r}")
            assert await tab.ask("document.activeElement.id") == "sort-name"
            assert await tab.ask("document.querySelector('[aria-sort]').ariaSort") == order
        assert tab.complaints == []


async def test_without_a_stream_the_page_asks_by_itself(
    store: Store, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "MAX_LISTENERS", 0)
    async with served(a_view(store)) as site:
        await tab.go(site)
        await commit(store, a_record(a_report("newcomer", State.EMPTY)))
        await tab.wait_for("document.querySelector('[data-name=newcomer]') !== null")


async def test_without_script_everything_can_be_asked_for(store: Store, tab: Tab) -> None:
    await tab.call("Emulation.setScriptExecutionDisabled", value=True)
    async with served(a_view(store)) as site:
        await tab.go(site)
        # The protocol still may: it stands for a person's hands.
        await tab.ask("document.getElementById('q').value = 'unreachable'")
        await tab.ask("document.getElementById('filter').submit()")
        await tab.wait_for(f"location.search.includes('q=unreachable') && {ROWS} === 1")
        await tab.ask("location.href = document.getElementById('sort-since').href")
        await tab.wait_for(f"location.search.includes('sort=since') && {ROWS} === 1")


async def test_the_first_key_leads_past_the_head_and_focus_is_seen(store: Store, tab: Tab) -> None:
    async with served(a_view(store)) as site:
        await tab.go(site)
        await press(tab, "Tab")
        assert await tab.ask("document.activeElement.className") == "skip"
        assert await tab.ask("document.activeElement.getBoundingClientRect().left") >= 0
        await press(tab, "Enter")
        await tab.wait_for("document.activeElement.id === 'main'")
        await press(tab, "Tab")
        assert await tab.ask("document.activeElement.closest('main') !== null")
        assert await tab.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"


async def test_a_person_asks_for_a_look_from_an_incident(store: Store, tab: Tab) -> None:
    asked: list[tuple[str, str]] = []

    def ask(environment: str, database: str) -> bool:
        asked.append((environment, database))
        return True

    async with served(a_view(store, ask=ask)) as site:
        await tab.go(site + "/incidents/5e1f00d5ea11")
        await tab.ask("document.getElementById('look').click()")
        await tab.wait_for("location.pathname === '/databases/billing'")
    assert asked == [("production", "billing")]


async def press(tab: Tab, key: str) -> None:
    text = {"text": "\r"} if key == "Enter" else {}
    code = {"Enter": 13, "Tab": 9}[key]
    event = {"key": key, "code": key, "windowsVirtualKeyCode": code}
    await tab.call("Input.dispatchKeyEvent", type="keyDown", **event, **text)
    await tab.call("Input.dispatchKeyEvent", type="keyUp", **event)


ROWS = "document.querySelectorAll('#databases tbody tr').length"
"""How many databases the overview lists."""


async def test_what_a_reader_closed_stays_closed(store: Store, tab: Tab) -> None:
    async with served(a_view(store)) as site:
        await tab.go(site + "/databases/billing")
        await tab.ask("document.querySelector('.finding').open = false")
        await tab.ask("document.querySelector('h1').dataset.old = 'yes'")
        await tab.wait_for("document.querySelector('h1').dataset.old === undefined")
        assert await tab.ask("document.querySelector('.finding').open") is False
        assert await tab.ask("document.querySelectorAll('.finding')[1].open") is True


async def test_a_person_accepts_a_finding_and_withdraws_it(
    store: Store, tab: Tab, shots: Path
) -> None:
    page = "/databases/billing"
    async with served(a_view(store)) as site:
        await tab.go(site + page)
        await tab.ask("document.querySelectorAll('.accept').forEach((one) => { one.open = true })")
        for size, width in SIZES.items():
            for scheme in ("light", "dark"):
                await tab.show(width, scheme=scheme)
                assert await tab.ask("document.documentElement.scrollWidth") <= width, size
                await tab.shoot(shots / f"accepting-{size}-{scheme}.png")
        assert await tab.ask(LOWEST_CONTRAST) >= 4.5
        await tab.ask("document.querySelector('.finding [name=reason]').value = '</script> & why'")
        await tab.ask("document.querySelector('.finding .accept button').click()")
        await tab.wait_for("document.getElementById('accepted') !== null")
        assert await tab.ask("location.pathname + location.hash") == f"{page}#accepted"
        (acceptance,) = await store.list_acceptances("production", "billing")
        assert (acceptance.code, acceptance.reason) == ("AW213", "</script> & why")
        await tab.ask("document.querySelector('.waiver button').click()")
        await tab.wait_for(
            "document.getElementById('accepted') === null && document.readyState === 'complete'"
        )
        assert await store.list_acceptances("production", "billing") == []
        assert tab.complaints == []


async def test_what_a_person_types_outlives_a_change_of_the_page(store: Store, tab: Tab) -> None:
    async with served(a_view(store)) as site:
        await tab.go(site + "/databases/billing")
        await tab.ask("document.querySelector('.finding .accept').open = true")
        await tab.ask("document.querySelector('.finding [name=reason]').focus()")
        await tab.ask("document.activeElement.value = 'half a sent'")
        await tab.ask("document.querySelector('h1').dataset.old = 'yes'")
        await tab.wait_for("document.querySelector('h1').dataset.old === undefined")
        assert await tab.ask("document.activeElement.value") == "half a sent"
        assert await tab.ask("document.querySelector('.finding .accept').open") is True


async def test_an_agent_that_is_gone_is_said(store: Store, tab: Tab) -> None:
    async with served(a_view(store)) as site:
        await tab.go(site)
    await tab.wait_for("document.getElementById('contact').textContent.includes('not answer')")


async def test_a_page_that_is_no_more_is_not_said_of_the_agent(store: Store, tab: Tab) -> None:
    new = Configured(
        name="newcomer", environment="production", expected=None, interval_seconds=60.0
    )
    watched = [*list_configured(), new]
    async with served(a_view(store, configured=lambda: list(watched))) as site:
        await tab.go(site + "/databases/newcomer")
        watched.remove(new)
        await tab.wait_for("document.getElementById('contact').textContent.includes('no more')")


async def test_hostile_text_runs_nothing(store: Store, tab: Tab) -> None:
    async with served(a_view(store)) as site:
        for path in ("/", "/databases/hostile", "/incidents/ba5eba11dead"):
            await tab.go(site + path)
            assert await tab.ask("document.images.length") == 0
            assert await tab.ask("document.scripts.length") == 1
        assert tab.complaints == []


async def test_a_person_logs_in_and_out(store: Store, tab: Tab) -> None:
    async with served(a_view(store, api_token=SECRET, is_loopback=False)) as site:
        await tab.go(site + "/incidents")
        await tab.ask(f"document.getElementById('token').value = {SECRET!r}")
        await tab.ask("document.querySelector('form button').click()")
        await tab.wait_for("document.querySelector('h1')?.textContent === 'Incidents'")
        assert await tab.ask("location.pathname") == "/incidents"
        assert await tab.ask("document.cookie") == ""
        await tab.ask("document.querySelector('.top form button').click()")
        await tab.wait_for("document.querySelector('h1')?.textContent === 'Log in'")


COVERED_SORTS = """[...document.querySelectorAll('.sort')].filter((one) => {
  one.scrollIntoView({block: 'center'});
  const {x, y, width, height} = one.getBoundingClientRect();
  return document.elementFromPoint(x + width / 2, y + height / 2) !== one;
}).map((one) => one.id)"""
"""The columns by which nobody who sees the page could sort."""


LOWEST_CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const read = (colour, ground) => {
    canvas.fillStyle = ground; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb
    .map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const groundOf = (element) => {
    const behind = element.parentElement ? groundOf(element.parentElement) : "white";
    return `rgb(${read(getComputedStyle(element).backgroundColor, behind)})`;
  };
  const texts = [...document.querySelectorAll("main *, header *, footer *")].filter(
    (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  return Math.min(...texts.map((element) => {
    const ground = groundOf(element);
    const a = light(read(getComputedStyle(element).color, ground));
    const b = light(read(ground, "white"));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }));
})()"""
"""The lowest WCAG contrast of any text: https://www.w3.org/TR/WCAG22/#contrast-minimum"""


async def test_a_mark_is_read_in_forced_colours(store: Store, tab: Tab) -> None:
    """Who needs them sees what differs as the system marks it, opaque."""
    features = [{"name": "forced-colors", "value": "active"}]
    async with served(a_view(store)) as site:
        await tab.go(site + PAGES["database"])
        await tab.call("Emulation.setEmulatedMedia", features=features)
        ground, text = await tab.ask(
            "(({backgroundColor, color}) => [backgroundColor, color])"
            "(getComputedStyle(document.querySelector('mark')))"
        )
    assert "rgba" not in ground, ground
    assert ground != text


async def test_what_became_of_a_test_stays_and_the_agent_is_not_said_to_be_away(
    store: Store, tab: Tab
) -> None:
    async with served(a_view(store)) as site:
        await tab.go(site + "/channels")
        await tab.ask("document.querySelector('#main form button').click()")
        await tab.wait_for("document.getElementById('trial') !== null")
        await asyncio.sleep(6)  # the script asks every five seconds
        assert await tab.ask("document.getElementById('contact').textContent") == ""
        assert await tab.ask("document.getElementById('trial') !== null")


async def test_a_state_that_appears_does_not_become_the_one_that_was_chosen(
    store: Store, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "PERIOD", 0.1)
    async with served(a_view(store)) as site:
        await tab.go(site)
        for chosen in ("pending", "drifted"):
            await tab.ask(
                f"(state => {{ state.value = {chosen!r};"
                " state.dispatchEvent(new Event('input', {bubbles: true})) })"
                "(document.getElementById('state'))"
            )
            await tab.wait_for(f"location.search === '?state={chosen}' && {ROWS} < 5")
        await commit(store, a_record(a_report("newcomer", State.EMPTY)))
        await tab.wait_for("document.querySelector('#state option[value=empty]') !== null")
        assert await tab.ask("document.getElementById('state').value") == "drifted"


@pytest.mark.parametrize("width", [640, 390, 320])
async def test_whoever_has_a_narrow_page_sorts_as_well(store: Store, tab: Tab, width: int) -> None:
    async with served(a_view(store)) as site:
        await tab.go(site)
        await tab.show(width)
        assert await tab.ask(COVERED_SORTS) == []
