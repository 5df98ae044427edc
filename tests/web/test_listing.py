from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.findings import Severity
from monitor.core.smoke import StepStatus
from monitor.core.verdict import State
from monitor.web.answers import DatabaseAnswer
from monitor.web.description import describe_database
from monitor.web.listing import (
    COLUMNS,
    PAGE,
    TONES,
    Listing,
    count_tones,
    list_environments,
    list_page,
    list_states,
    read_listing,
)
from tests.web.builders import HOSTILE, NOW, a_record, a_report, list_fleet


def an_answer(name: str, state: State = State.IN_SYNC, **changes: object) -> DatabaseAnswer:
    described = describe_database(a_record(a_report(name, state)), None, NOW)
    return described.model_copy(update=changes)


FLEET = [describe_database(record, None, NOW) for record in list_fleet()]


def names(listing: Listing, databases: list[DatabaseAnswer] = FLEET) -> list[str]:
    return [one.name for one in list_page(databases, listing).databases]


def test_without_a_wish_what_needs_a_person_comes_first() -> None:
    assert names(Listing()) == [
        "billing",
        "ledger",
        "warehouse",
        "catalogue",
        "accounts",
        "search",
    ]


def test_a_state_and_a_tone_narrow() -> None:
    assert names(Listing(state="drifted")) == ["billing"]
    assert names(Listing(state="good")) == ["accounts", "search"]
    assert names(read_listing({"state": "nonsense"})) == names(Listing())


def test_every_word_has_to_be_found_in_any_case_and_is_no_pattern() -> None:
    assert names(Listing(words="DIFFERENCES billing")) == ["billing"]
    assert names(Listing(words="9b3d44")) == ["catalogue"]
    assert names(Listing(words=".*")) == []
    assert names(Listing(words="unreachable")) == ["ledger"]


def test_an_environment_narrows() -> None:
    both = [an_answer("a"), an_answer("b", environment="staging")]
    assert names(Listing(environment="staging"), both) == ["b"]
    assert list_environments(both, Listing()) == ["production", "staging"]
    gone = Listing(environment="gone")
    assert list_environments(both, gone) == ["gone", "production", "staging"]


def test_columns_begin_with_what_is_looked_for_and_unknown_is_last() -> None:
    one = an_answer("one", orphans=3, smoke=StepStatus.PASS, pending=0, differences=None)
    two = an_answer("two", orphans=None, smoke=StepStatus.FAIL, pending=None, differences=2)
    six = an_answer("six", orphans=9, smoke=None, pending=4, differences=0)
    fleet = [one, two, six]
    assert names(Listing(sort="orphans"), fleet) == ["six", "one", "two"]
    assert names(Listing(sort="smoke"), fleet) == ["two", "one", "six"]
    assert names(Listing(sort="pending"), fleet) == ["six", "one", "two"]
    assert names(Listing(sort="differences"), fleet) == ["two", "six", "one"]
    assert names(Listing(sort="name", is_reversed=True), fleet) == ["two", "six", "one"]


def test_moments_are_sorted_the_youngest_first() -> None:
    old = an_answer("old", since=NOW - timedelta(days=2))
    new = an_answer("new", since=NOW)
    never = an_answer("never", since=None)
    assert names(Listing(sort="since"), [old, never, new]) == ["new", "old", "never"]


def test_pages_are_bounded_and_behind_the_last_is_the_last() -> None:
    many = [an_answer(f"db{n:04}") for n in range(2 * PAGE + 1)]
    last = list_page(many, Listing(page=99_999))
    assert (last.listing.page, last.pages, last.matches) == (3, 3, 401)
    assert [one.name for one in last.databases] == ["db0400"]
    assert list_page([], Listing()).pages == 1


def test_a_column_that_decides_is_turned_and_the_others_begin() -> None:
    listing = read_listing({"q": "bill", "sort": "since", "page": "2"})
    assert listing.turn("since") == "/?q=bill&sort=-since"
    assert listing.turn("name") == "/?q=bill&sort=name"
    assert listing.turn("state") == "/?q=bill"
    assert listing.tell_order("since") == "ascending"
    assert listing.tell_order("name") is None
    assert read_listing({"sort": "-since"}).tell_order("since") == "descending"


def test_states_are_listed_as_they_occur() -> None:
    there = {one.state for one in FLEET}
    assert set(list_states(FLEET, Listing())) == there
    assert State.AHEAD not in there
    assert set(list_states(FLEET, Listing(state="ahead"))) == {*there, State.AHEAD}
    assert count_tones(FLEET)["critical"] == 2
    assert all(one.severity in Severity for one in FLEET)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text of a machine is
@given(
    st.dictionaries(
        st.sampled_from(["q", "state", "environment", "sort", "page"]),
        st.one_of(st.text(), st.sampled_from([HOSTILE, "-", "-1", "²", "9" * 5000, "--name"])),
    )
)
def test_any_address_is_an_answer(query: dict[str, str]) -> None:
    listed = list_page(FLEET, read_listing(query))
    assert listed.listing.sort in COLUMNS
    assert listed.listing.page >= 1


@given(
    st.builds(
        Listing,
        state=st.sampled_from(["", *TONES, *(state.value for state in State)]),
        environment=st.text(max_size=20),
        words=st.text(max_size=20).map(str.strip),
        sort=st.sampled_from(sorted(COLUMNS)),
        is_reversed=st.booleans(),
        page=st.integers(1, 999),
    )
)
def test_a_link_leads_to_what_it_was_made_of(listing: Listing) -> None:
    link = listing.link(page=listing.page)
    assert read_listing(dict(parse_qsl(urlsplit(link).query))) == listing
