import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.extensions import (
    Extension,
    admit_extensions,
    find_missing_extension,
    read_extension,
)
from monitor.sources.postgres import connect
from monitor.sources.shadow import ShadowServer
from monitor.sources.statements import run_script


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE EXTENSION hstore", Extension(name="hstore")),
        ('create extension "uuid-ossp"', Extension(name="uuid-ossp")),
        ("CREATE EXTENSION IF NOT EXISTS Citext", Extension(name="citext", is_quiet=True)),
        (
            "create extension x with schema \"S\" version '1.0' cascade",
            Extension(name="x", schema="S", version="1.0", is_cascading=True),
        ),
        ("create extension x; drop table t", None),
        ("create extension x schema s, t", None),
        ("create extension", None),
        ("drop extension x", None),
    ],
)
def test_the_fields_of_a_statement_are_read(statement: str, expected: Extension | None) -> None:
    assert read_extension(statement) == expected


@given(
    st.builds(
        Extension,
        name=st.text(min_size=1).filter(lambda text: "\0" not in text),
        schema=st.none() | st.text(min_size=1).filter(lambda text: "\0" not in text),
        is_cascading=st.booleans(),
    )
)
def test_what_is_written_reads_back_the_same(extension: Extension) -> None:
    assert read_extension(extension.write(is_quiet=False)) == extension


async def test_an_untrusted_extension_is_created_by_the_superuser_in_its_schema(
    shadow: ShadowServer,
) -> None:
    script = """
        create schema ext;
        create extension pageinspect with schema ext;
        comment on extension pageinspect is 'a look; inside';
        create extension hstore;
        create view v as select ext.get_raw_page('v', 0);
    """
    async with shadow.scratch() as scratch:
        await run_script(scratch, script, place="x.sql")
        async with connect(scratch.dsn) as session:
            rows = await session.fetch_values(
                "select extname::text, extowner::regrole::text = user::text, "
                "obj_description(oid, 'pg_extension') from pg_extension "
                "where extname <> 'plpgsql' order by 1"
            )
        assert [row[:2] for row in rows] == [("hstore", True), ("pageinspect", False)]
        assert rows[1][2] == "a look; inside"


async def test_nothing_else_is_changed_or_run_by_the_superuser(shadow: ShadowServer) -> None:
    async with shadow.scratch() as scratch:
        for text in (
            "create extension hstore",
            "select 'create extension pageinspect'",
            "create table extension (); -- create extension pageinspect\n",
            "create extension pageinspect; drop role x".replace("pageinspect", "hstore"),
        ):
            assert await admit_extensions(scratch, text) == text
        mixed = "select 1; create extension pageinspect ; select 2"
        admitted = await admit_extensions(scratch, mixed)
        assert admitted == 'select 1; CREATE EXTENSION IF NOT EXISTS "pageinspect" ; select 2'


@pytest.mark.parametrize(
    "message",
    [
        'extension "postgis" is not available',
        'could not open extension control file "/usr/share/extension/postgis.control": No such',
    ],
)
def test_a_missing_extension_is_named_by_every_major(message: str) -> None:
    assert find_missing_extension(message) == "postgis"
    assert find_missing_extension('relation "postgis" does not exist') is None
