"""Every page in a real browser, in light and dark, through axe-core."""

from pathlib import Path

import pytest

from tests.web.axe import SCRIPT, find_violations, load_axe
from tests.web.browser import PROGRAM, opened_tab
from tests.web.builders import SECRET, a_view
from tests.web.sites import PAGES, opened_fleet, served

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed"),
    pytest.mark.skipif(SCRIPT is None, reason="axe-playwright-python is not installed"),
]

WARNING = "The ledger lies on a disk that is lost at each deploy: mount a volume."


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("overview", "month"), id="some"),
        pytest.param(tuple(PAGES), id="all", marks=pytest.mark.long),
    ],
)
async def test_axe_finds_nothing_on_a_page_in_light_and_dark_and_on_a_phone(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    found: list[tuple[str, ...]] = []
    async with opened_fleet(tmp_path) as store, opened_tab() as tab:
        view = a_view(store, warnings=(WARNING,), api_token=SECRET)
        async with served(view) as site:
            await tab.go(site + "/login")
            await load_axe(tab)
            found += [("login", one) for one in await find_violations(tab)]
            await tab.ask(f"document.getElementById('token').value = {SECRET!r}")
            await tab.ask("document.querySelector('main form button').click()")
            await tab.wait_for("document.getElementById('databases') !== null")
            for name in names:
                await tab.go(site + PAGES[name])
                await load_axe(tab)
                await tab.ask("document.querySelectorAll('details').forEach((d) => d.open = true)")
                for scheme in ("light", "dark"):
                    await tab.show(1280, scheme=scheme)
                    found += [(name, scheme, one) for one in await find_violations(tab)]
                await tab.show(390)
                found += [(name, "phone", one) for one in await find_violations(tab)]
    assert found == []


async def test_axe_would_find_what_is_wrong(tmp_path: Path) -> None:
    async with opened_fleet(tmp_path) as store, opened_tab() as tab, served(a_view(store)) as site:
        await tab.go(site)
        await load_axe(tab)
        await tab.ask("document.documentElement.removeAttribute('lang')")
        await tab.ask("document.querySelector('label').remove()")
        found = " ".join(await find_violations(tab))
    assert "html-has-lang" in found
