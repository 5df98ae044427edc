"""What `anchorwatch snapshot` and `anchorwatch diff` do: they read sources."""

import asyncio

from monitor.cli.sources import BuildChoices, make_options, resolve_source
from monitor.core.snapshot import Snapshot
from monitor.core.source import Scheme
from monitor.sources.expected import read_source


def read_one(text: str, choices: BuildChoices) -> Snapshot:
    """The snapshot of a source.

    Raises:
        AnchorwatchError: it cannot be read or built.
    """
    return asyncio.run(read_source(resolve_source(text), make_options(choices)))


def read_both(expected: str, actual: str, choices: BuildChoices) -> tuple[Snapshot, Snapshot]:
    """The snapshots of two sources that are to be compared.

    Raises:
        AnchorwatchError: one cannot be read or built.
    """
    return asyncio.run(_read_both(expected, actual, choices))


async def _read_both(
    expected: str, actual: str, choices: BuildChoices
) -> tuple[Snapshot, Snapshot]:
    """Both sources; a shadow takes the major of the live side, whose text it must spell."""
    sources = [resolve_source(expected), resolve_source(actual)]
    found: dict[int, Snapshot] = {}
    at_hand = (Scheme.POSTGRES, Scheme.SNAPSHOT)
    live = [place for place, source in enumerate(sources) if source.scheme in at_hand]
    built = [place for place, source in enumerate(sources) if source.scheme not in at_hand]
    for place in [*live, *built]:
        majors = [s.server.major for s in found.values() if s.server is not None]
        found[place] = await read_source(
            sources[place], make_options(choices, major=majors[0] if majors else None)
        )
    return found[0], found[1]
