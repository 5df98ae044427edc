"""What a check reads of the agent's ledger: what was accepted, and nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from monitor.cli.loop import run_loop
from monitor.cli.output import say
from monitor.config.load import LoadedConfig
from monitor.core.errors import StoreError
from monitor.core.printing import clean
from monitor.core.waivers import Acceptance
from monitor.sinks.backend import find_missing

type Place = tuple[str, str]
"""Environment and name of a database."""


def read_acceptances(
    loaded: LoadedConfig, places: Iterable[Place]
) -> Mapping[Place, tuple[Acceptance, ...]]:
    """What is accepted at each place; nothing, and a word about it, when it cannot be read.

    Without a word where no ledger is named and there is none: nobody runs an agent here.
    """
    url = loaded.settings.store_url.get_secret_value()
    if "store_url" not in loaded.origins and find_missing(url):
        return defaultdict(tuple)
    try:
        return run_loop(_read(url, places))
    except StoreError as error:
        say(f"what was accepted is told as well: {clean(str(error))}")
        return defaultdict(tuple)


async def _read(url: str, places: Iterable[Place]) -> dict[Place, tuple[Acceptance, ...]]:
    from monitor.sinks.visit import visit_store

    async with visit_store(url) as store:
        return {place: tuple(await store.list_acceptances(*place)) for place in places}
