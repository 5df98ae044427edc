import sys
import venv
from pathlib import Path

import pytest
import sqlalchemy

from monitor.core.errors import BuildError
from monitor.core.keys import Kind
from monitor.core.snapshot import Snapshot
from monitor.core.source import parse_source
from monitor.sources.build import BuildOptions
from monitor.sources.engine import Cluster
from monitor.sources.expected import read_source
from tests.sources.shadow_peers import find_leftovers, write_files

MODELS = """
    import os
    import sqlalchemy as sa
    from sqlalchemy.orm import DeclarativeBase

    print("hello from the models")
    os.write(1, b"and past the buffer too")
    SECRET = os.environ["DATABASE_URL"]
    Mood = sa.Enum("calm", "wild", name="mood", schema="shop")

    class Base(DeclarativeBase):
        pass

    class Item(Base):
        __tablename__ = "items"
        __table_args__ = (sa.CheckConstraint("name LIKE 'a%'"), {"schema": "shop"})
        id = sa.Column(sa.BigInteger, primary_key=True)
        name = sa.Column(sa.Text, nullable=False, index=True)
        mood = sa.Column(Mood)

    class Order(Base):
        __tablename__ = "orders"
        id = sa.Column(sa.Integer, sa.Identity(), primary_key=True)
        item_id = sa.Column(sa.ForeignKey(Item.id))
        mood = sa.Column(Mood)

    class db:
        Model = Base

    def make():
        return Base.metadata

    several = [Base.metadata]
    number = 3
    broken = sa.MetaData()
    sa.Table("t", broken, sa.Column("a", sa.Text, server_default=sa.text("nope()")))
"""


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_files(tmp_path, {"app/__init__.py": "", "app/db.py": MODELS})
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def build(target: str, server: Cluster, python: Path | None = None) -> Snapshot:
    options = BuildOptions(shadow_url=server.url(), python=python)
    return await read_source(parse_source(f"models:{target}"), options)


LISTENING = """
    import sqlalchemy as sa

    metadata = sa.MetaData()
    table = sa.Table("t", metadata, sa.Column("n", sa.Integer))

    @sa.event.listens_for(metadata, "before_create")
    def prepare(target, connection, **_):
        connection.exec_driver_sql("create function one() returns int return 1")
        connection.execute(sa.text("create view before as select '100%%' as much, ':x' as x"))

    sa.event.listen(table, "after_create", sa.DDL("create view %(table)s_view as table t"))
"""


async def test_what_listeners_send_while_the_tables_are_made_is_built(
    server: Cluster, application: Path
) -> None:
    write_files(application, {"listening.py": LISTENING})
    snapshot = await build("listening:metadata", server)
    told = {str(i.key) for i in snapshot.objects if i.key.kind in (Kind.FUNCTION, Kind.VIEW)}
    assert told == {"function public.one()", "view public.before", "view public.t_view"}


@pytest.mark.parametrize("attribute", ["db.Model", "several"])
async def test_models_are_built_whatever_names_them(
    server: Cluster, application: Path, attribute: str
) -> None:
    snapshot = await build(f"app.db:{attribute}", server)
    tables = {
        item.key.name: item.key.schema for item in snapshot.objects if item.key.kind is Kind.TABLE
    }
    assert tables == {"items": "shop", "orders": "public"}
    assert any("'a%'" in str(item.attributes) for item in snapshot.objects)
    assert snapshot.builder is not None
    assert await find_leftovers(server.url()) == []


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("app.db:number", "is a int, neither MetaData"),
        ("app.db:Base.nothing", "there is no nothing"),
        ("app.nothing:Base", "failed: ModuleNotFoundError: No module named 'app.nothing'"),
        ("app.db:broken", "models:app.db:broken, statement 1: .*42883"),
    ],
)
async def test_models_that_cannot_be_built_say_why(
    server: Cluster, application: Path, target: str, said: str
) -> None:
    with pytest.raises(BuildError, match=said):
        await build(target, server)
    assert await find_leftovers(server.url()) == []


async def test_an_interpreter_without_what_is_needed_says_what_to_install(
    server: Cluster, application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BuildError, match=r"cannot be started .* `--python PATH"):
        await build("app.db:Base", server, Path("nowhere/python"))
    home = tmp_path / "bare"
    venv.create(home)
    python = home / "bin/python"
    with pytest.raises(BuildError, match="bare/bin/python has no SQLAlchemy"):
        await build("app.db:Base", server, python)
    give_packages(python, "sqlalchemy", "typing_extensions.py")
    assert (await build("app.db:Base", server, python)).count(Kind.TABLE) == 2
    write_files(tmp_path, {"m/env.py": "", "m/versions/a.py": "revision = 'a'"})
    write_files(tmp_path, {"alembic.ini": "[alembic]\nscript_location = m"})
    options = BuildOptions(shadow_url=server.url(), python=python)
    with pytest.raises(BuildError, match=r"has no PostgreSQL driver .*pip install 'psycopg"):
        await read_source(parse_source("alembic:alembic.ini"), options)
    give_packages(python, "psycopg")
    with pytest.raises(BuildError, match="has no Alembic"):
        await read_source(parse_source("alembic:alembic.ini"), options)


def give_packages(python: Path, *names: str) -> None:
    """Let another environment have some of our packages."""
    ours = Path(sqlalchemy.__file__).parent.parent
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for name in names:
        (python.parent.parent / "lib" / version / "site-packages" / name).symlink_to(ours / name)
