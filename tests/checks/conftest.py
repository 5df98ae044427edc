"""What tests of judging share."""

import pytest

from monitor.checks.spelling import Spellings
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster


@pytest.fixture
def spellings(server: Cluster) -> Spellings:
    """Tried out on the run's server, which spares starting another."""
    return Spellings(BuildOptions(shadow_url=server.url()))
