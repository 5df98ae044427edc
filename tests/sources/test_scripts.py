import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from monitor.core.errors import BuildError
from monitor.sources.scripts import read_scripts

HISTORIES = Path(__file__).parent / "histories"


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files below a folder; return the path of alembic.ini in it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "alembic.ini"


def project(root: Path, options: str = "", **files: str) -> Path:
    """Write a project with one revision, and more files with `__` for a slash."""
    given = {name.replace("__", "/") + ".py": text for name, text in files.items()}
    return write(
        root,
        {
            "alembic.ini": f"[alembic]\nscript_location = %(here)s/m\n{options}\n",
            "m/env.py": "",
            "m/versions/a.py": "revision = 'a'\ndown_revision = None",
            **given,
        },
    )


def test_the_graph_is_the_one_alembic_sees() -> None:
    ini = HISTORIES / "branches/alembic.ini"
    history = read_scripts(ini).history
    theirs = ScriptDirectory.from_config(Config(str(ini)))
    assert history.heads == tuple(theirs.get_heads())
    assert history.bases == tuple(theirs.get_bases())
    for script in theirs.walk_revisions():
        mine = history.by_id[script.revision]
        assert set(mine.down) == set(script._versioned_down_revisions)
        assert set(mine.branch_labels) <= set(script.branch_labels)
        assert Path(script.path).name == Path(mine.path).name


def test_nothing_of_the_users_is_run(tmp_path: Path) -> None:
    bomb = "raise SystemExit('this was run')\n"
    ini = project(
        tmp_path, m__env=bomb, m__versions__b=f"{bomb}revision = 'b'\ndown_revision = 'a'"
    )
    assert read_scripts(ini).history.heads == ("b",)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("version_locations = %(here)s/one %(here)s/two", ("one", "two")),
        ("version_locations = one, two", ("one", "two")),
        (f"version_locations = one{os.pathsep}two\nversion_path_separator = os", ("one", "two")),
        ("version_locations = one;two\npath_separator = ;", ("one", "two")),
        (
            "version_locations =\n  one\n  two three\npath_separator = newline",
            ("one", "two three"),
        ),
        ("version_locations = one\npath_separator = space\nversion_path_separator = os", ("one",)),
        ("version_locations = pkg:one", ("pkg/one",)),
    ],
)
def test_revisions_may_lie_in_several_folders(
    tmp_path: Path, options: str, names: tuple[str, ...]
) -> None:
    files = {f"{name}/x{at}.py": f"revision = 'x{at}'" for at, name in enumerate(names)}
    scripts = read_scripts(write(project(tmp_path, options).parent, files))
    assert [item.id for item in scripts.history.revisions] == [
        f"x{at}" for at in range(len(names))
    ]


def test_folders_in_folders_are_read_where_that_is_asked_for(tmp_path: Path) -> None:
    nested = {"m__versions__2024__b": "revision = 'b'"}
    assert read_scripts(project(tmp_path, **nested)).history.heads == ("a",)
    ini = project(tmp_path, "recursive_version_locations = true", **nested)
    write(tmp_path, {"m/versions/__init__.py": "", "m/versions/2024/__pycache__/c.py": ""})
    assert read_scripts(ini).history.heads == ("a", "b")


def test_a_percent_sign_in_the_path_is_no_interpolation(tmp_path: Path) -> None:
    folder = tmp_path / "100%s"
    folder.mkdir()
    assert read_scripts(project(folder)).history.heads == ("a",)


def test_a_configuration_may_be_used_from_the_folder_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"conf/alembic.ini": "[alembic]\nscript_location = m", "m/env.py": ""})
    write(tmp_path, {"m/versions/a.py": "revision = 'a'"})
    monkeypatch.chdir(tmp_path)
    scripts = read_scripts(Path("conf/alembic.ini"))
    assert (scripts.directory, scripts.history.heads) == (tmp_path, ("a",))


def test_a_history_may_lie_in_an_installed_package(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(site, {"shop/db/m/env.py": "", "shop/db/m/versions/a.py": "revision = 'a'"})
    ini = write(tmp_path, {"alembic.ini": "[alembic]\nscript_location = shop.db:m"})
    scripts = read_scripts(ini, lambda: (tmp_path / "none", site))
    assert (scripts.directory, scripts.history.heads) == (tmp_path, ("a",))
    assert scripts.history.by_id["a"].path.endswith("m/versions/a.py")
    with pytest.raises(BuildError, match="which has no env"):
        read_scripts(ini)


def test_of_the_configured_url_the_driver_alone_is_kept(tmp_path: Path) -> None:
    ini = project(tmp_path, "sqlalchemy.url = postgresql+psycopg2://me:hunter22@h/d%%20b")
    scripts = read_scripts(ini)
    assert scripts.driver == "psycopg2"
    assert "hunter22" not in repr(scripts)


def test_other_line_ends_are_no_edit(tmp_path: Path) -> None:
    """Git writes them so on Windows."""
    ini = project(tmp_path)
    before = read_scripts(ini).digests
    for path in (ini.parent / "m" / "versions").glob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_scripts(ini).digests == before


def test_every_changed_file_changes_the_digest(tmp_path: Path) -> None:
    ini = project(tmp_path, m__helper="X = 1")
    digests = {read_scripts(ini).digest, read_scripts(ini).digest}
    assert len(digests) == 1
    for name in ("m/env.py", "m/helper.py", "m/versions/a.py", "alembic.ini"):
        path = tmp_path / name
        path.write_text(path.read_text() + "\n")
        digests.add(read_scripts(ini).digest)
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"alembic.ini": "script_location = m"}, "alembic.ini, line 1"),
        ({"alembic.ini": "[other]\na = b"}, "no section [alembic]"),
        ({"alembic.ini": "[alembic]\na = b"}, "no script_location"),
        ({"alembic.ini": "[alembic]\nscript_location = nowhere"}, "names nowhere"),
        ({"alembic.ini": "[alembic]\nscript_location = %(there)s/m"}, "script_location refers"),
        ({"alembic.ini": "[alembic]\nscript_location = app.db:m"}, "names app.db:m"),
        ({"m/versions/b.py": "revision = f()"}, "m/versions/b.py, line 1"),
        ({"m/versions/b.py": "revision = ("}, "m/versions/b.py, line 1"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, files: dict[str, str], said: str) -> None:
    project(tmp_path)
    with pytest.raises(BuildError) as caught:
        read_scripts(write(tmp_path, files))
    assert said in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_a_missing_file_or_folder_is_a_build_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"alembic\.ini cannot be read"):
        read_scripts(tmp_path / "alembic.ini")
    ini = project(tmp_path, "version_locations = nowhere")
    with pytest.raises(BuildError, match="nowhere is not there"):
        read_scripts(ini)
    ini = project(tmp_path, "version_locations = a\npath_separator = comma")
    with pytest.raises(BuildError, match="no path separator is called comma"):
        read_scripts(ini)


@pytest.mark.parametrize("closed", ["m", "m/versions", "m/versions/more", "m/helpers"])
def test_a_closed_folder_is_an_error_and_never_an_empty_history(
    open_directory: Path, ordinary_python: Callable[..., subprocess.Popen[str]], closed: str
) -> None:
    ini = project(
        open_directory,
        "recursive_version_locations = true",
        m__versions__more__b="revision = 'b'\ndown_revision = 'a'",
        m__helpers__h="",
    )
    (open_directory / closed).chmod(0)
    script = ordinary_python(f"""
from pathlib import Path
try:
    scripts.read_scripts(Path({str(ini)!r}))
except scripts.BuildError as error:
    print(error.message)
""")
    name = "env.py" if closed == "m" else Path(closed).name
    assert script.communicate() == (f"{name} cannot be read (Permission denied).\n", "")
    (open_directory / closed).chmod(0o755)
