"""A shadow server of our own for the tests that look at one, started once a run."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from monitor.sources.engine import Binaries
from monitor.sources.shadow import ShadowServer, open_shadow


@pytest.fixture(scope="session")
def shadow(binaries: Binaries) -> Iterator[ShadowServer]:
    """The run's own shadow server; it holds no event loop, so every test may use it."""
    undo = AsyncExitStack()
    with asyncio.Runner() as runner:
        yield runner.run(undo.enter_async_context(open_shadow(major=binaries.major)))
        runner.run(undo.aclose())
