"""Long texts come back whole, and hostile names as they are."""

from monitor.core.diff import diff
from monitor.core.keys import Kind
from monitor.core.quoting import quote_ident
from monitor.core.snapshot import Snapshot
from monitor.sources.engine import Cluster
from tests.cases.reader import describe
from tests.conftest import MakeDatabase
from tests.sources.looking import copy, look, name_of, run


async def test_no_text_is_cut(make_database: MakeDatabase) -> None:
    body = "select 1 -- " + "x" * 150_000
    label, comment = "l" * 63, "c" * 5_000
    default = "d" * 500
    url = await make_database(
        sql=f"""
        create type e as enum ('{label}');
        create table t (a text default '{default}');
        create function f() returns int language sql as '{body}';
        comment on table t is '{comment}';
        create view v as select '{default}'::text as a;
        """
    )
    by_name = {item.key.name: item for item in (await look(url)).objects}
    assert by_name["f()"].get("body") == body
    assert by_name["t"].get("comment") == comment
    assert by_name["e"].get("labels") == [label]
    assert by_name["a"].get("default") == f"'{default}'::text"
    assert default in str(by_name["v"].get("definition"))


HOSTILE = (
    "quotes \" and ' and `",
    "new\nline\r\n\ttab",
    "dots.in.it..",
    "</script><img src=x onerror=alert(1)>",
    "100% %s %(x)s :name $1 $$",
    "back\\slash \\n E'",
    "UPPER and lower",
    "select",
    "emoji \N{ANCHOR}\N{VARIATION SELECTOR-16}\N{WAVING WHITE FLAG}\N{ZERO WIDTH JOINER}",
    "-- comment /* */ ;",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnisrever",
    "ä" * 31 + "z",
    "n" * 63,
)
"""Names of at most 63 bytes that a careless reader stumbles over."""

HOSTILE_SCHEMA = """
create schema {n};
create table {n}.{n} ({n} int constraint {n} check ({n} > 0), other int);
create view {n}.{v} as select {n} from {n}.{n};
create index {i} on {n}.{n} ({n}) where {n} > 0;
create function {n}.{n}({n} int) returns int language plpgsql as 'begin return 1; end';
create function {n}.{f}() returns trigger language plpgsql as 'begin return new; end';
create trigger {n} before insert on {n}.{n} for each row execute function {n}.{f}();
create rule {n} as on delete to {n}.{n} do instead nothing;
create policy {n} on {n}.{n} to {n} using ({n} > 0);
create statistics {n}.{s} on {n}, other from {n}.{n};
create type {n}.{e} as enum ({l});
create sequence {n}.{q} owned by {n}.{n}.{n};
create publication {n} for table {n}.{n};
comment on column {n}.{n}.{n} is {l};
grant select on {n}.{v} to {n};
alter table {n}.{n} owner to {n};
alter default privileges in schema {n} grant select on tables to {n};
"""


def name_variant(letter: str, name: str) -> str:
    """Another name as hostile as the first, at most as long."""
    return quote_ident((letter + name).encode()[:63].decode(errors="ignore"))


def write_hostile(name: str) -> str:
    literal = "'" + name.replace("'", "''") + "'"
    variants = {letter: name_variant(letter, name) for letter in "vifseq"}
    return HOSTILE_SCHEMA.format(n=quote_ident(name), l=literal, **variants)


async def test_hostile_names_come_back_as_they_are(
    server: Cluster, make_database: MakeDatabase
) -> None:
    url, restored = await make_database(), await make_database()
    admin = server.socket_url()
    await run(admin, *(f"create role {quote_ident(name)}" for name in HOSTILE))
    try:
        await run(url, *map(write_hostile, HOSTILE))
        snapshot = await look(url)
        copy(server, name_of(url), name_of(restored))
        assert describe(diff(snapshot, await look(restored))) == ()
        for name in HOSTILE:
            check_hostile(snapshot, name)
            await run(url, f"drop schema {quote_ident(name)} cascade")
        left = await look(url)
        assert {item.key.kind for item in left.objects} == {
            Kind.SCHEMA,
            Kind.PUBLICATION,
            Kind.EXTENSION,
        }
    finally:
        for name in (name_of(url), name_of(restored)):
            await run(admin, f"drop database {quote_ident(name)} with (force)")
        await run(admin, *(f"drop role {quote_ident(name)}" for name in HOSTILE))


def check_hostile(snapshot: Snapshot, name: str) -> None:
    role = name if name.isascii() and name.isalpha() and name.islower() else quote_ident(name)
    role = quote_ident(name) if name == "select" else role
    own = {
        (item.key.kind, item.key.parent, item.key.name): item
        for item in snapshot.objects
        if item.key.schema == name
    }
    for kind, parent in (
        (Kind.TABLE, None),
        (Kind.COLUMN, name),
        (Kind.CHECK, name),
        (Kind.TRIGGER, name),
        (Kind.RULE, name),
        (Kind.POLICY, name),
    ):
        assert (kind, parent, name) in own
    assert own[Kind.TABLE, None, name].get("owner") == name
    [view] = [item for (kind, _, _), item in own.items() if kind is Kind.VIEW]
    assert view.get("grants") == [[role, "SELECT", False]]
    assert own[Kind.POLICY, name, name].get("roles") == [role]
    assert own[Kind.COLUMN, name, name].get("comment") == name
    assert own[Kind.FUNCTION, None, f"{name}(integer)"].get("language") == "plpgsql"
    definition = own[Kind.TRIGGER, name, name].get("definition")
    assert str(definition).startswith("BEFORE INSERT ON ")
    assert str(own[Kind.RULE, name, name].get("definition")).startswith("AS\n    ON DELETE TO ")
    [index] = [item for (kind, _, _), item in own.items() if kind is Kind.INDEX]
    assert index.get("columns") == [name]
    [enum] = [item for (kind, _, _), item in own.items() if kind is Kind.ENUM]
    assert enum.get("labels") == [name]
    [sequence] = [item for (kind, _, _), item in own.items() if kind is Kind.SEQUENCE]
    assert sequence.get("owned_by") == [name, name, name]
