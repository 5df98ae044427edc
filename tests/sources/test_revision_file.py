import pytest

from monitor.core.errors import BuildError
from monitor.core.history import Revision
from monitor.sources.revision_file import read_revision


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('revision = "b"\ndown_revision = "a"', Revision(id="b", down=("a",))),
        ('revision = "b"\ndown_revision = None', Revision(id="b")),
        (
            "revision: str = 'b'\ndown_revision: Union[str, None] = 'a'",
            Revision(id="b", down=("a",)),
        ),
        ('revision = "m"\ndown_revision = ("b", "a")', Revision(id="m", down=("a", "b"))),
        ('revision = "m"\ndown_revision = ["a", "b"]', Revision(id="m", down=("a", "b"))),
        ('ID = "b"\nrevision = ID', Revision(id="b")),
        ('revision = identifier = "b"', Revision(id="b")),
        ('revision = "a" "b" + "c"', Revision(id="abc")),
        ('revision = "old"\nrevision = "new"', Revision(id="new")),
        ('revision = "b"\ndepends_on = "a"', Revision(id="b", depends_on=("a",))),
        ('revision = "b"\ndepends_on = ["x", "a"]', Revision(id="b", depends_on=("a", "x"))),
        ('revision = "b"\nbranch_labels = ("shop",)', Revision(id="b", branch_labels=("shop",))),
        ('revision = "b"\nother = compute()\nop = "\\d"', Revision(id="b")),
    ],
)
def test_a_revision_is_read_from_its_literals(source: str, expected: Revision) -> None:
    found = read_revision(source.encode(), path="versions/x.py")
    assert (found.id, found.down) == (expected.id, expected.down)
    assert (found.depends_on, found.branch_labels) == (expected.depends_on, expected.branch_labels)


def test_an_old_file_is_named_after_its_revision() -> None:
    assert (
        read_revision(b"down_revision = None", path="versions/1975ea83b712.py").id
        == "1975ea83b712"
    )


def test_the_declared_encoding_is_used() -> None:
    source = "# coding: latin-1\nauthor = 'J\xfcrgen'\nrevision = 'a'".encode("latin-1")
    assert read_revision(source, path="a.py").id == "a"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"revision = 'a'\n\ndef upgrade(:", "v/x.py, line 3: this is no Python"),
        (b"\n\nrevision = make_id()", "v/x.py, line 3: revision is not a literal"),
        (b"revision = 'a'\ndown_revision = f'{x}'", "line 2: down_revision is not a literal"),
        (b"revision = 'a'\ndepends_on = ['b', 3]", "line 2: depends_on is not a literal"),
        (b"def upgrade(): pass", "v/x.py states no revision"),
        (b"revision = None", "v/x.py states no revision"),
        (b"revision = 'a'\0", "v/x.py"),
        (b"revision = " + b"(" * 5000, "v/x.py"),
        (b"# coding: martian\nrevision = 'a'", "v/x.py"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(source: bytes, said: str) -> None:
    with pytest.raises(BuildError) as caught:
        read_revision(source, path="v/x.py")
    assert said in caught.value.message
    assert caught.value.next_step
