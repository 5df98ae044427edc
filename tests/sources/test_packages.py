import sys
from pathlib import Path

import pytest
import sqlalchemy

from monitor.core.errors import BuildError
from monitor.sources.packages import read_search_path


def test_an_interpreter_says_where_its_packages_are() -> None:
    assert Path(sqlalchemy.__file__).parent.parent in read_search_path(Path(sys.executable))


@pytest.mark.parametrize("program", ["/bin/false", "/bin/echo", "/nowhere/python"])
def test_what_is_no_interpreter_is_told(program: str) -> None:
    with pytest.raises(BuildError, match="cannot be started"):
        read_search_path(Path(program))
