"""Expectations: read without a slip, written back the same, judged with their types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import StepFailed, UsageError
from monitor.core.expectation import (
    DURATIONS,
    HTTP,
    ORDERS,
    TEXTS,
    Duration,
    Expectation,
    Head,
    Kind,
    Literal,
    Operator,
    Path,
)
from monitor.core.expectation_facts import Facts, Unreadable, read_body
from monitor.core.expectation_grammar import parse_expectation
from monitor.core.expectation_judging import judge, write_seconds
from monitor.core.template import Json, Reference, Scalar, Template, parse_template

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TEMPLATES = st.lists(
    st.one_of(TEXT.filter(lambda text: text and "{" not in text), NAMES.map(Reference)),
    max_size=3,
).map(lambda parts: parse_template(str(Template(tuple(parts)))))
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False, width=32)
)
LENGTHS = st.one_of(st.integers(0, 10**6), NAMES.map(Reference))
TIMES = st.builds(Duration, st.integers(0, 10**6).map(float), st.sampled_from(["ms", "s", "d"]))


@st.composite
def paths(draw: st.DrawFn) -> Path:
    head = draw(st.sampled_from(Head))
    if head is Head.HEADER:
        return Path(head, (draw(st.from_regex(r"[a-z0-9_-]{1,8}", fullmatch=True)),))
    if head in (Head.BODY, Head.ROWS):
        parts = draw(st.lists(st.one_of(TEXT, st.integers(0, 9_999_999)), max_size=3))
        return Path(head, tuple(parts))
    return Path(head)


def choose_literals(
    path: Path, operator: Operator, *, is_length: bool
) -> st.SearchStrategy[Literal]:
    named: st.SearchStrategy[Literal] = NAMES.map(Reference)
    if is_length or path.head is Head.STATUS:
        return LENGTHS
    if path.head in DURATIONS:
        return TIMES | named
    if operator in ORDERS:
        return named if path.head in TEXTS else NUMBERS | named
    if path.head in TEXTS:
        return TEMPLATES | named
    return st.one_of(TEMPLATES, named, NUMBERS, st.booleans(), st.none())


@st.composite
def expectations(draw: st.DrawFn) -> Expectation:
    path = draw(paths())
    operator = draw(st.sampled_from(Operator))
    is_text = path.head in (*TEXTS, Head.BODY, Head.ROWS)
    if operator is Operator.MATCHES and not is_text:
        operator = Operator.EXISTS
    can_be_long = path.head not in (Head.STATUS, *DURATIONS) and operator not in (
        *(Operator.EXISTS, Operator.ABSENT, Operator.MATCHES),
    )
    is_length = can_be_long and draw(st.booleans())
    literal = choose_literals(path, operator, is_length=is_length)
    match operator:
        case Operator.EXISTS | Operator.ABSENT:
            return Expectation(path, operator)
        case Operator.IS:
            kind = draw(st.sampled_from(Kind))
            return Expectation(path, operator, is_length=is_length, kind=kind)
        case Operator.MATCHES:
            text = draw(st.sampled_from(["a", "^/x/[a-z]+$", r"a\\/b", r"\d{2,3}", ""]))
            flag = draw(st.sampled_from(["", "i"]))
            return parse_expectation(f"{path} matches /{text.replace('/', chr(92) + '/')}/{flag}")
        case Operator.IN:
            many = draw(st.lists(literal, min_size=1, max_size=3))
            return Expectation(path, operator, tuple(many), is_length)
    return Expectation(path, operator, (draw(literal),), is_length)


@given(expectations())
def test_what_is_written_is_read_back_as_the_same(expectation: Expectation) -> None:
    assert parse_expectation(str(expectation)) == expectation


WORDS = st.sampled_from(
    [
        *("status", "body", ".id", "[0]", '["a b"]', "header.", "x", "len(", ")", "rows", "tls"),
        *("==", "=", "in", "(", ",", "contains", "matches", "/a+/", "/(a", "exists", "is", "text"),
        *(
            '"',
            '"a"',
            "'",
            "\\",
            "1",
            "-1.5e3",
            "800ms",
            "true",
            "null",
            "{{ a }}",
            "{{",
            " ",
            "\n",
        ),
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=8).map("".join)))
def test_any_line_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        found = parse_expectation(text)
    except UsageError as error:
        told = error
    else:
        assert parse_expectation(str(found)) == found
        return
    assert told.next_step
    assert "cannot be read at character" in told.message


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", 1, "Begin with status"),
        ("stauts == 200", 1, "Begin with status"),
        ("status = 200", 8, "Write == for the same"),
        ("status is200", 10, "Write one of string"),
        ("status ==", 10, 'Write "text", a number'),
        ('status == "200"', 16, "Write it without quotes"),
        ("status == 200 201", 15, "Write each on a line"),
        ("status in 200", 11, "Write in (200, 204)"),
        ("status in ()", 12, 'Write "text", a number'),
        ("time < 5", 9, "Write time < 800ms"),
        ("body.a < 5s", 12, "Only time and tls.expires_in"),
        ("body.a == 'x'", 11, "double quotes"),
        ("body.a == yes", 11, 'Write "text", a number'),
        ("body.a == 1e999", 16, "smaller"),
        ('body.a == "x', 11, 'Write " at its end'),
        (r'body.a == "\q"', 15, "Write \\\\ for"),
        ("body..a exists", 6, 'Write .name, [0] or ["any key"]'),
        ("body[-1] exists", 6, 'Write [0] or ["any key"]'),
        ("header == 1", 7, "Write header.content-type"),
        ("header.age == 5", 16, 'in quotes: "5"'),
        ("len(status) == 1", 17, "Write len(body.items)"),
        ("len(body) exists", 17, "without len"),
        ("body.a is uuid", 11, "Write one of string"),
        ("body.a matches abc", 16, "Write matches /"),
        ("body.a matches /abc", 20, "Write matches /"),
        ("body.a matches /(abc/", 22, "Letters, ."),
        ("status matches /2../", 21, "texts only"),
        ('body.a < "b"', 13, "Write a number"),
        ('body.a == "{{ a b }}"', 22, "Write {{ name }}"),
        ("x" * 2000, 1, "shorter"),
        ("body.a == 1\x00", 1, "escape"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, place: int, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_expectation(text)
    assert f"cannot be read at character {place}" in caught.value.message, caught.value
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "text", ['body.a == "hunter2" x', 'body.a == "hunter2', "body.a matches /hunter2(/"]
)
def test_an_error_never_quotes_a_text(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_expectation(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("bare", "quoted"),
    [
        ("header.content-type contains application/json", '"application/json"'),
        ("redirect == /login", '"/login"'),
        ("body.text contains Welcome", '"Welcome"'),
        ("header.x != abc-1", '"abc-1"'),
    ],
)
def test_a_text_needs_no_quotes_where_it_can_be_nothing_else(bare: str, quoted: str) -> None:
    assert str(parse_expectation(bare)).endswith(quoted)


def test_body_text_is_the_body_and_not_a_key() -> None:
    assert parse_expectation("body.text exists").path == Path(Head.TEXT)
    assert parse_expectation('body["text"] exists').path == Path(Head.BODY, ("text",))
    assert parse_expectation("body.text.a exists").path == Path(Head.BODY, ("text", "a"))


FACTS = Facts(
    seconds=0.912,
    status=500,
    headers={"content-type": "text/html"},
    text='{"id": "5"}',
    body={
        "id": "5",
        "n": 1,
        "f": 2.0,
        "yes": True,
        "no": None,
        "list": [1, "a"],
        "text": "t",
        "odd key": {"x": 0},
    },
)


NAMED: dict[str, Scalar] = {"x": "5", "y": 5}


def judge_line(line: str, facts: Facts = FACTS) -> str | None:
    return judge(parse_expectation(line), facts, NAMED.__getitem__, lambda text: text)


@pytest.mark.parametrize(
    "line",
    [
        *("status == 500", "status in (200, 500)", "status != 200", "status >= 500"),
        *("time < 1s", "time > 900ms", 'body.id == "5"', 'body.id == "{{ x }}"'),
        *("body.id == {{ x }}", "body.n == 1", "body.n == 1.0", "body.f is integer"),
        *("body.yes == true", "body.no == null", "body.no is null", "body.no exists"),
        *(
            "body.nope absent",
            "body.list contains 1",
            "len(body.list) == 2",
            'body.list[1] == "a"',
        ),
        *('body["odd key"].x == 0', 'body contains "id"', "body.id matches /^[0-9]$/"),
        *("len(body.id) == 1", 'body["text"] == "t"', "body.text contains id", "redirect absent"),
        *("header.content-type == text/html", "header.nope absent", "tls.expires_in absent"),
        *("body.text matches /ID/i", 'body.n != "1"', "body.n is number"),
    ],
)
def test_what_holds_is_silent(line: str) -> None:
    assert judge_line(line) is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("status == 201", "it is 500"),
        ("status in (200, 204)", "it is 500"),
        ("time < 800ms", "it is 912ms"),
        ("body.id == 5", 'it is "5", a string and not a number'),
        ("body.id == {{ y }}", 'it is "5", a string and not a number'),
        ("body.n == true", "it is 1, a number and not a boolean"),
        ("body.yes == 1", "it is true, a boolean and not a number"),
        ("body.yes > 0", "it is true, a boolean and not a number"),
        ("body.no == 0", "it is null and not a number"),
        ("body.n != 1", "it is 1"),
        ("body.n > 1", "it is 1"),
        ("body.n < {{ x }}", "what it is compared with is a string"),
        ("body.n is string", "it is 1, a number and not a string"),
        ("body.id is integer", 'it is "5", a string and not an integer'),
        ("body.n contains 1", "it is a number, which contains nothing"),
        ("body.list contains true", 'it is [1, "a"]'),
        ("body.list[2] exists", "body.list has 2 items"),
        ("body.list.a exists", "body.list is a list"),
        ("body.id.a exists", "body.id is a string"),
        ('body["odd key"].y exists', 'body["odd key"] has no "y"'),
        ("len(body.n) == 1", "body.n is a number and has no length"),
        ("len(body.list) > 2", "it is 2"),
        ("body.id absent", 'it is "5"'),
        ("body.n matches /1/", "it is 1, a number and not a string"),
        ("header.x exists", "there is no header x"),
        ("redirect exists", "it is no redirect"),
        ("tls.expires_in > 14d", "the answer did not come over TLS"),
    ],
)
def test_what_does_not_hold_is_told_beside_the_value(line: str, told: str) -> None:
    shown = line.replace("{{ x }}", '"5"').replace("{{ y }}", "5")
    assert judge_line(line) == f"{shown}, but {told}."


def test_a_name_in_a_text_is_never_read_as_a_comparison() -> None:
    hostile = '" or status == 500 or "'
    facts = Facts(seconds=0, body={"id": hostile})
    line = parse_expectation('body.id == "{{ x }}"')
    assert judge(line, facts, lambda _: hostile, lambda text: text) is None
    assert judge(line, FACTS, lambda _: hostile, lambda text: text) is not None


def test_a_body_that_is_no_json_is_no_assertion() -> None:
    with pytest.raises(StepFailed) as caught:
        judge_line("body.id exists", Facts(seconds=0, body=Unreadable("is empty")))
    assert caught.value.reason == "body"


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), TEXT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(JSON, expectations().filter(lambda one: one.path.head in {Head.BODY, Head.TIME}))
def test_any_body_is_judged_in_bounded_words(body: Json, expectation: Expectation) -> None:
    facts = Facts(seconds=1, body=body)
    told = judge(expectation, facts, lambda name: name, lambda text: text)
    assert told is None or len(told) < 1000


@given(st.binary(max_size=40))
def test_any_bytes_are_a_body(data: bytes) -> None:
    read_body(data)


def test_a_number_that_is_too_long_is_no_json() -> None:
    assert read_body(b"1" * 100_000) == Unreadable("is no JSON")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0ms"),
        (0.8123, "812ms"),
        (2.5, "2.5s"),
        (61.2, "61.2s"),
        (360.0, "360s"),
        (86400 * 13.2, "13.2d"),
        (-86400 * 2, "-2.0d"),
    ],
)
def test_times_are_told_in_their_unit(seconds: float, told: str) -> None:
    assert write_seconds(seconds) == told


def test_paths_belong_to_one_kind_of_step() -> None:
    assert {Head.ROWS, Head.TIME} == set(Head) - HTTP
