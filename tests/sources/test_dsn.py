"""What a pasted database URL means, and that its password never shows."""

import math
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.core.errors import DsnError
from monitor.sources.dsn import Dsn, Endpoint, SslMode, parse_dsn, printable, reveal

PLANTED = "s3cr3t-hunter2"
URL = "postgresql://u:p@db.example.com:5433/app"

# Text that a user, password or database name may hold: everything but NUL and surrogates.
texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40
)


def parse(text: str) -> Dsn:
    return parse_dsn(text)[0]


def notices(text: str) -> tuple[str, ...]:
    return parse_dsn(text)[1]


@pytest.mark.parametrize(
    "start",
    [
        "postgresql://",
        "postgres://",
        "POSTGRES://",
        "postgresql+asyncpg://",
        "postgresql+psycopg://",
        "postgresql+psycopg2://",
        "postgres+pg8000://",
        "jdbc:postgresql://",
        "  postgresql://",
    ],
)
def test_every_driver_s_scheme_means_the_same(start: str) -> None:
    assert parse(f"{start}u:p@db.example.com:5433/app\n") == parse(URL)


def test_a_driver_s_name_is_told_to_be_dropped() -> None:
    assert notices("postgresql+asyncpg://u@h/d") == (
        "The driver's name after postgresql+ was dropped.",
    )
    assert notices("postgres://u@h/d") == ()


def test_all_parts_are_kept() -> None:
    dsn = parse(
        "postgresql://u:p@h:1/d?sslmode=verify-ca&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem"
        "&application_name=me&options=-c%20geqo%3Doff&target_session_attrs=primary"
        "&connect_timeout=5"
    )
    assert dsn == Dsn(
        endpoints=(Endpoint(host="h", port=1),),
        database="d",
        user="u",
        password="p",  # noqa: S106 -- of nobody
        sslmode=SslMode.VERIFY_CA,
        is_sslmode_stated=True,
        sslrootcert="/ca.pem",
        sslcert="/c.pem",
        sslkey="/k.pem",
        application_name="me",
        options="-c geqo=off",
        target_session_attrs="primary",
        connect_timeout=5.0,
    )
    assert (dsn.host, dsn.port, dsn.label) == ("h", 1, "h:1/d")


@pytest.mark.parametrize(
    ("query", "mode", "notice"),
    [
        ("ssl=require", SslMode.REQUIRE, "ssl was read as sslmode=require."),
        ("ssl=true", SslMode.REQUIRE, "ssl was read as sslmode=require."),
        ("ssl=True", SslMode.REQUIRE, "ssl was read as sslmode=require."),
        ("ssl=false", SslMode.DISABLE, "ssl was read as sslmode=disable."),
        ("ssl=verify-full", SslMode.VERIFY_FULL, "ssl was read as sslmode=verify-full."),
        ("sslmode=no-verify", SslMode.REQUIRE, "sslmode was read as sslmode=require."),
        ("sslmode=prefer", SslMode.PREFER, None),
        ("sslmode=REQUIRE", SslMode.REQUIRE, None),
        ("ssl=true&sslmode=disable", SslMode.DISABLE, None),
        ("sslrootcert=system", SslMode.VERIFY_FULL, None),
        ("sslmode=", SslMode.REQUIRE, None),
    ],
)
def test_what_drivers_say_about_tls_becomes_sslmode(
    query: str, mode: SslMode, notice: str | None
) -> None:
    dsn, told = parse_dsn(f"{URL}?{query}")
    assert dsn.sslmode is mode
    assert told == ((notice,) if notice else ())


@pytest.mark.parametrize(
    "query",
    [
        "channel_binding=require",
        "gssencmode=disable",
        "pgbouncer=true",
        "connection_limit=1",
        "pool_timeout=10",
        "pool_size=5",
        "schema=public",
        "prepared_statement_cache_size=0",
        "statement_cache_size=0",
        "sslpassword=p",
        "keepalives=1",
        "statement_timeout=0",
    ],
)
def test_a_key_of_another_client_is_dropped_with_one_notice(query: str) -> None:
    dsn, told = parse_dsn(f"{URL}?{query}")
    key = query.partition("=")[0]
    assert dsn == parse(URL)
    assert [line.startswith(f"{key} was dropped: ") for line in told] == [True]


def test_an_unknown_key_is_dropped_unnamed_because_it_may_be_a_piece_of_a_password() -> None:
    told = notices(f"postgresql://h/d?user=u&password=a&{PLANTED.replace('-', '_')}=b")
    assert told == ("A parameter that PostgreSQL does not know was dropped.",)


@pytest.mark.parametrize(
    ("text", "seconds"), [("5", 5.0), ("0.5", 0.5), ("0", None), ("-1", None)]
)
def test_connect_timeout_is_kept_unless_it_means_forever(text: str, seconds: float | None) -> None:
    dsn, told = parse_dsn(f"{URL}?connect_timeout={text}")
    assert dsn.connect_timeout == seconds
    assert bool(told) is (seconds is None)


@pytest.mark.parametrize(
    ("host", "mode"),
    [
        ("db.example.com", SslMode.REQUIRE),
        ("10.0.0.7", SslMode.REQUIRE),
        ("shuttle.proxy.rlwy.net", SslMode.REQUIRE),
        ("railway.internal.example.com", SslMode.REQUIRE),
        ("postgres.railway.internal", SslMode.PREFER),
        ("POSTGRES.RAILWAY.INTERNAL.", SslMode.PREFER),
        ("localhost", SslMode.PREFER),
        ("127.0.0.1", SslMode.PREFER),
        ("[::1]", SslMode.PREFER),
        ("localhost,db.example.com", SslMode.REQUIRE),
        ("%2Fvar%2Frun%2Fpostgresql", SslMode.DISABLE),
    ],
)
def test_tls_is_required_unless_packets_stay_near(host: str, mode: SslMode) -> None:
    dsn = parse(f"postgresql://u:p@{host}/app")
    assert (dsn.sslmode, dsn.is_sslmode_stated) == (mode, False)


@pytest.mark.parametrize(
    "host", ["postgres.railway.internal", "shuttle.proxy.RLWY.net", "a,b.rlwy.net"]
)
def test_verify_full_is_refused_on_railway_with_the_reason(host: str) -> None:
    with pytest.raises(DsnError, match="issued for localhost") as caught:
        parse(f"postgresql://u:p@{host}/app?sslmode=verify-full")
    assert "sslmode=require" in caught.value.next_step


@pytest.mark.parametrize(
    ("text", "endpoints", "label"),
    [
        ("postgresql://u@h/d", [("h", 5432)], "h:5432/d"),
        ("postgresql://u@h:6000/d", [("h", 6000)], "h:6000/d"),
        ("postgresql://u@[::1]/d", [("::1", 5432)], "[::1]:5432/d"),
        (
            "postgresql://u@[fe80::1%25eth0]:6000/d",
            [("fe80::1%eth0", 6000)],
            "[fe80::1%eth0]:6000/d",
        ),
        (
            "postgresql://u@a:1,b,[::1]:3/d",
            [("a", 1), ("b", 5432), ("::1", 3)],
            "a:1,b:5432,[::1]:3/d",
        ),
        ("postgresql://u@/d?host=/run/pg&port=5433", [("/run/pg", 5433)], "/run/pg:5433/d"),
        ("postgresql://u@%2Frun%2Fpg:5433/d", [("/run/pg", 5433)], "/run/pg:5433/d"),
        ("postgresql://u@:5433/d?host=/run/pg", [("/run/pg", 5433)], "/run/pg:5433/d"),
        ("postgresql:///d?host=a:1&host=b:2&user=u", [("a", 1), ("b", 2)], "a:1,b:2/d"),
        ("postgresql:///d?host=a,b&port=1,2&user=u", [("a", 1), ("b", 2)], "a:1,b:2/d"),
        ("postgresql:///d?host=a,b&port=7&user=u", [("a", 7), ("b", 7)], "a:7,b:7/d"),
        ("postgresql:///d?host=::1&user=u", [("::1", 5432)], "[::1]:5432/d"),
        ("host=h port=1 dbname=d user=u", [("h", 1)], "h:1/d"),
    ],
)
def test_hosts_ports_and_sockets_are_read_as_libpq_does(
    text: str, endpoints: list[tuple[str, int]], label: str
) -> None:
    dsn = parse(text)
    assert [(it.host, it.port) for it in dsn.endpoints] == endpoints
    assert (dsn.label, dsn.user, dsn.database) == (label, "u", "d")


def test_without_a_host_localhost_is_used_and_told() -> None:
    dsn, told = parse_dsn("postgresql:///d")
    assert dsn.host == "localhost"
    assert told == ("No host is named: localhost is used.",)


def test_the_database_is_named_like_the_user_when_it_is_not_named() -> None:
    assert parse("postgresql://u:p@h").database == "u"


@pytest.mark.parametrize(
    ("text", "password"),
    [
        (f"host=h user=u dbname=d password={PLANTED}", PLANTED),
        ("host = h user= u dbname =d password = 'a b'", "a b"),
        (r"host=h user=u dbname=d password='it\'s a \\ secret'", r"it's a \ secret"),
        (r"host=h user=u dbname=d password=a\ b", "a b"),
        ("host=h user=u dbname=d password=''", None),
        ("host=h user=u dbname=d password=a'b", "a'b"),
    ],
)
def test_the_other_form_of_libpq_is_read(text: str, password: str | None) -> None:
    dsn = parse(text)
    assert (dsn.host, dsn.user, dsn.database, dsn.password) == ("h", "u", "d", password)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "Write it as"),
        ("   ", "Write it as"),
        ("mysql://u:{}@h/d", "Write it as"),
        ("{}", "Write it as"),
        ("${{{{Postgres.DATABASE_URL}}}}", "Set what it refers to"),
        ("'postgresql://u:{}@h/d'", "Remove the quotes"),
        ("postgresql://u:{}/x@h/d", "Percent-encode"),
        ("postgresql://u:{}?x@h/d", "Percent-encode"),
        ("postgresql://u:a@{}/x@h/d", "Percent-encode"),
        ("postgresql://u:{}%zz@h/d", "Percent-encode"),
        ("postgresql://u:{}%@h/d", "Percent-encode"),
        ("postgresql://u:{}%00@h/d", "Percent-encode"),
        ("postgresql://u:{}%ff@h/d", "Percent-encode"),
        ("postgresql://u:{}\udc80@h/d", "Percent-encode"),
        ("postgresql://u:{}", "Percent-encode"),
        ("postgresql://u:{}@h:port/d", "Percent-encode"),
        ("postgresql://u:{}@h:0/d", "Percent-encode"),
        ("postgresql://u:{}@h:65536/d", "Percent-encode"),
        ("postgresql://u:{}@h:99999999999/d", "Percent-encode"),
        ("postgresql://u:{}@::1/d", "square brackets"),
        ("postgresql://u:{}@a%20b/d", "Percent-encode"),
        ("postgresql://u:{}@a..b/d", "Percent-encode"),
        ("postgresql://u:{}@h/d#x", "Percent-encode"),
        ("postgresql://u:{}@h/d/e", "Percent-encode"),
        ("postgresql://u:{}@h/d?=x", "Percent-encode"),
        ("postgresql://:{}@h", "Write it as"),
        ("postgresql://u:{}@a,b,c:1/d?port=1,2", "one for each host"),
        ("postgresql://u:{}@h/d?sslmode=sometimes", "verify-ca"),
        ("postgresql://u:{}@h/d?target_session_attrs=best", "prefer-standby"),
        ("postgresql://u:{}@h/d?connect_timeout=soon", "seconds"),
        ("postgresql://u:{}@h/d?connect_timeout=nan", "seconds"),
        ("postgresql://u:{}@h/d?sslrootcert=system&sslmode=require", "both"),
        ("host=h dbname=d password='it''s {}'", "Quote values"),
        ("host=h password={} secret", "Quote values"),
    ],
)
def test_a_url_that_cannot_be_read_says_what_to_do_and_nothing_of_itself(
    text: str, hint: str
) -> None:
    with pytest.raises(DsnError) as caught:
        parse(text.format(PLANTED))
    assert hint in caught.value.next_step
    assert PLANTED not in f"{caught.value!s} {caught.value!r}"
    assert caught.value.__cause__ is None


def test_a_raw_at_sign_or_hash_in_a_password_is_understood() -> None:
    dsn = parse("postgresql://u:p@ss#word@h/d")
    assert (dsn.password, dsn.host) == ("p@ss#word", "h")


def test_a_hostile_database_name_stays_on_one_line_of_the_log() -> None:
    dsn = parse("postgresql://u@h/a%0Aerror%1B%5B31m%E2%80%AE")
    assert dsn.database == "a\nerror\x1b[31m\u202e"
    assert str(dsn) == r"h:5432/a\nerror\x1b[31m\u202e"


def test_printable_text_has_an_end() -> None:
    assert printable("x" * 10, limit=3) == "xxx…"
    assert printable("x" * 3, limit=3) == "xxx"
    assert len(printable("\0" * 5000)) <= 301


@given(texts, texts, texts)
@example("u", "p@ss:w/o?r#d%[]", "a/b?c#d")
def test_whatever_is_percent_encoded_comes_back(user: str, password: str, database: str) -> None:
    url = (
        f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}"
        f"@db.example.com/{quote(database, safe='')}"
    )
    dsn, told = parse_dsn(url)
    assert (dsn.user, dsn.password, dsn.database, told) == (user, password, database, ())


@given(password=texts.map(lambda text: f"{PLANTED}{text}"), database=texts)
def test_a_password_shows_in_no_rendering(password: str, database: str) -> None:
    dsn = parse(f"postgresql://u:{quote(password, safe='')}@h/{quote(database, safe='')}")
    shown = f"{dsn} {dsn!r} {dsn.label} {[dsn]} {dsn.endpoints}"
    assert PLANTED not in shown
    assert shown.isprintable()


url_like = st.lists(
    st.sampled_from(
        [
            *(
                "postgresql://",
                "postgres+x://",
                "user",
                ":",
                PLANTED,
                "@",
                "/",
                "?",
                "&",
                "=",
                ",",
            ),
            *(
                "%41",
                "%",
                "%00",
                "%ff",
                "[",
                "]",
                "::1",
                "'",
                "\\",
                " ",
                "host=",
                "port=1",
                "5432",
            ),
            *("sslmode=", "ssl=", "require", "connect_timeout=", "1e999", "h", "#", "é", "\n"),
            *("dbname=", "password=", "options=", "target_session_attrs=", "inf", "٣", "$"),
        ]
    ),
    max_size=16,
).map("".join)


@given(st.one_of(st.text(), url_like, url_like.map(lambda tail: f"postgresql://{tail}")))
def test_no_text_raises_anything_but_a_dsn_error(text: str) -> None:
    said = ""
    try:
        dsn, told = parse_dsn(text)
    except DsnError as error:
        said = f"{error!s} {error!r}"
    else:
        said = " ".join(told)
        assert all(1 <= it.port <= 65535 and it.host for it in dsn.endpoints)
        assert dsn.connect_timeout is None or 0 < dsn.connect_timeout < math.inf
        assert parse_dsn(reveal(dsn))[0] == dsn
    assert PLANTED not in said


def test_a_revealed_url_means_the_same() -> None:
    for text in (
        URL,
        "postgresql://u:p%40@a:1,[::1]:2/d%2Fe?options=-c%20a%3Db&connect_timeout=0.25",
        "postgresql://u:p@/d?host=/run/a:1&port=2",
        "postgresql:///d?host=/run/a,b&port=1,2&sslmode=allow&application_name=%20x",
        "postgresql://h/d?sslrootcert=system",
    ):
        dsn = parse(text)
        assert parse(reveal(dsn)) == dsn


def test_a_password_in_key_words_may_look_like_a_url() -> None:
    dsn, _ = parse_dsn("host='h' user='u' password='://' dbname='d'")
    assert (dsn.host, dsn.password) == ("h", "://")


def test_a_variable_that_was_pasted_with_its_name_is_no_address() -> None:
    with pytest.raises(DsnError, match="not a PostgreSQL URL"):
        parse_dsn("DATABASE_URL=postgresql://u:p@h/d")
