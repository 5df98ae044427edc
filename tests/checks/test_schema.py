"""Differences and flaws as findings, on snapshots of a real server."""

from monitor.checks.schema import add_flaws, judge
from monitor.core.findings import Finding
from monitor.core.scope import DEFAULT_SCOPE, compare
from monitor.core.snapshot import Snapshot
from monitor.sources.dsn import parse_dsn
from monitor.sources.postgres import connect
from monitor.sources.reading import take_snapshot
from tests.conftest import MakeDatabase

PLACE = {"environment": "test", "database": "app"}
USERS = "CREATE TABLE users (id int PRIMARY KEY, email text, age int);"


async def read(url: str) -> Snapshot:
    async with connect(parse_dsn(url)[0]) as session:
        return await take_snapshot(session)


def compare_schema(
    expected: Snapshot, actual: Snapshot, *, environment: str, database: str
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What looks find, as far as no server is asked."""
    difference = compare(expected, actual, DEFAULT_SCOPE)
    return judge(difference, environment=environment, database=database)


def list_titles(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.title for finding in findings]


async def test_every_change_is_a_sentence_about_its_object(make_database: MakeDatabase) -> None:
    expected = await read(await make_database(sql=USERS))
    actual = await read(
        await make_database(
            sql=f"{USERS} ALTER TABLE users DROP email, ADD note text,"
            " ALTER age TYPE bigint; CREATE TABLE more (a int, b int)"
        )
    )
    findings, notes = compare_schema(expected, actual, **PLACE)
    assert list_titles(findings) == [
        "table public.more is there, nothing expects it, with 2 objects in it",
        "column public.users.email is missing",
        "column public.users.note is there, nothing expects it",
        "column public.users.age differs in type",
    ]
    assert all(finding.remedy for finding in findings)
    assert notes == ()


async def test_equal_schemas_have_no_findings(make_database: MakeDatabase) -> None:
    one, two = [await read(await make_database(sql=USERS)) for _ in range(2)]
    assert compare_schema(one, two, **PLACE) == ((), ())


async def test_another_order_of_columns_is_a_note_and_no_finding(
    make_database: MakeDatabase,
) -> None:
    one = await read(await make_database(sql="CREATE TABLE t (a int, b int)"))
    two = await read(await make_database(sql="CREATE TABLE t (b int, a int)"))
    findings, notes = compare_schema(one, two, **PLACE)
    assert findings == ()
    assert len(notes) == 1


async def test_what_is_wrong_by_itself_is_found_without_an_expectation(
    make_database: MakeDatabase,
) -> None:
    actual = await read(
        await make_database(
            sql=f"{USERS} ALTER TABLE users ADD CONSTRAINT positive CHECK (age > 0) NOT VALID"
        )
    )
    findings = add_flaws((), actual, **PLACE)
    assert [finding.code for finding in findings] == ["AW281"]


async def test_an_object_with_a_finding_gets_no_second_one(make_database: MakeDatabase) -> None:
    valid = f"{USERS} ALTER TABLE users ADD CONSTRAINT positive CHECK (age > 0)"
    expected = await read(await make_database(sql=valid))
    actual = await read(await make_database(sql=f"{valid} NOT VALID"))
    findings, _ = compare_schema(expected, actual, **PLACE)
    assert len(findings) == 1
    assert add_flaws(findings, actual, **PLACE) == findings


async def test_a_column_speaks_for_those_that_come_from_it(make_database: MakeDatabase) -> None:
    events = (
        "CREATE TABLE events (n int, note text) PARTITION BY RANGE (n);"
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (2);"
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (2) TO (3);"
    )
    expected = await read(await make_database(sql=events))
    actual = await read(await make_database(sql=f"{events} ALTER TABLE events DROP note"))
    findings, _ = compare_schema(expected, actual, **PLACE)
    assert list_titles(findings) == [
        "column public.events.note is missing, with 2 columns that come from it"
    ]
