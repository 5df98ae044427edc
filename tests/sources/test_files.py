from pathlib import Path

import pytest

from monitor.config.load import load_config
from monitor.core.errors import BuildError, ConfigurationError
from monitor.core.source import parse_source
from monitor.sources import files
from monitor.sources.build import BuildOptions
from monitor.sources.expected import read_source


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 4096)


@pytest.mark.parametrize("scheme", ["sql", "snapshot", "alembic"])
async def test_a_file_without_an_end_is_refused(scheme: str) -> None:
    with pytest.raises(BuildError, match=r"cannot be read \(File too large\)"):
        await read_source(parse_source(f"{scheme}:/dev/zero"), BuildOptions())


def test_a_configuration_without_an_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: File too large"):
        load_config({}, path="/dev/zero", cwd=tmp_path)


def test_a_file_of_just_the_size_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 4096)
    assert files.read_file(path) == b"x" * 4096
