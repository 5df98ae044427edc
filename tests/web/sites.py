"""A page that is served for real, with a fleet behind it that has a bit of everything."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from monitor.core.masking import make_masker
from monitor.sinks.store import Store, open_store
from monitor.web.app import make_app
from monitor.web.server import serve
from monitor.web.view import View
from tests.web.builders import make_fleet, plant_hostile, plant_month, sqlite_url
from tests.web.checked import plant_checks
from tests.web.waived import plant_waived

PAGES: Final = {
    "overview": "/",
    "narrowed": "/?q=billing&state=critical&sort=-since",
    "no-match": "/?q=nowhere",
    "database": "/databases/billing",
    "hostile": "/databases/hostile",
    "waived": "/databases/orders",
    "month": "/databases/month",
    "unknown": "/databases/warehouse",
    "incident": "/incidents/5e1f00d5ea11",
    "resolved": "/incidents/01dd0c5eafed",
    "incidents": "/incidents",
    "silences": "/silences",
    "channels": "/channels",
    "login": "/login",
    "missing": "/databases/nowhere",
}
"""Every page, and what makes another one of it."""


@contextlib.asynccontextmanager
async def opened_fleet(directory: Path) -> AsyncIterator[Store]:
    await make_fleet(directory)
    async with open_store(sqlite_url(directory)) as opened:
        await plant_hostile(opened)
        await plant_waived(opened)
        await plant_month(opened)
        await plant_checks(opened, "month")
        yield opened


@contextlib.asynccontextmanager
async def served(view: View, stop: asyncio.Event | None = None) -> AsyncIterator[str]:
    """The address of a server that shows the view, until the end or what stops it before."""
    stop, started = stop or asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(
            make_app(view),
            "127.0.0.1",
            0,
            stop,
            masker=make_masker(()),
            on_started=started.set_result,
        )
    )
    try:
        yield f"http://127.0.0.1:{await started}"
    finally:
        stop.set()
        await serving
