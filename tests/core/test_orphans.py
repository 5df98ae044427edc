"""What is known of rows without a parent, and what is told of it."""

import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from monitor.core.findings import Finding, Severity, digest_findings
from monitor.core.orphans import (
    Count,
    Problem,
    Scan,
    Tally,
    find_orphans,
    hide_keys,
    is_due,
    restore_key,
    summarise_tallies,
)
from monitor.core.relation import Origin, Relation
from monitor.core.relation_text import parse_relation

NOW = datetime(2026, 11, 27, tzinfo=UTC)
RELATION = parse_relation("orders(user_id, shop) -> users(id, shop)")
REFUSED = Problem(code="refused", message="No.", next_step="Ask.")


A_SCAN = Scan(after=("1",), rows=1, orphans=0, begun=NOW)


def a_relation(origin: Origin) -> Relation:
    key = msgspec.structs.replace(RELATION.key, name="orders_fk")
    return msgspec.structs.replace(RELATION, key=key, origin=origin)


def a_tally(
    orphans: int | None = None, *, origin: Origin = Origin.CONFIGURED, **changes: Any
) -> Tally:
    count = None if orphans is None else Count(orphans=orphans, at=NOW)
    return Tally(**{"relation": a_relation(origin), "count": count, **changes})


def find(*tallies: Tally) -> tuple[Finding, ...]:
    return find_orphans(tallies, environment="test", database="app")


@pytest.mark.parametrize(
    ("origin", "code", "words"),
    [
        (Origin.MISSING, "AW301", "foreign key orders_fk is missing, and adding it would fail"),
        (Origin.NOT_VALID, "AW301", "is NOT VALID, and validating it would fail"),
        (Origin.NOT_ENFORCED, "AW301", "is NOT ENFORCED, and enforcing it would fail"),
        (Origin.VALIDATED, "AW302", "though the foreign key orders_fk is held for valid"),
        (Origin.CONFIGURED, "AW303", "(user_id -> id, shop -> shop)"),
    ],
)
def test_rows_are_told_with_what_should_hold_them(origin: Origin, code: str, words: str) -> None:
    [finding] = find(a_tally(37, relation=a_relation(origin)))
    assert finding.code == code
    assert finding.title.startswith("37 rows of public.orders have no row in public.users")
    assert words in finding.title


def test_one_row_is_one_row() -> None:
    [finding] = find(a_tally(1))
    assert finding.title.startswith("1 row of public.orders has no row in public.users")


def test_a_few_more_are_no_news_and_twice_as_many_are() -> None:
    digests = {count: digest_findings(find(a_tally(count))) for count in (32, 37, 63, 64, 31)}
    assert digests[32] == digests[37] == digests[63]
    assert len(set(digests.values())) == 3
    [finding] = find(a_tally(37))
    assert [one.actual for one in finding.evidence] == ["32 or more"]


def test_none_is_no_finding_and_nobody_knows_is_none_either() -> None:
    assert find(a_tally(0)) == ()
    assert find(a_tally()) == ()
    assert a_tally().orphans is None
    assert not a_tally().is_complete
    assert a_tally(0).is_complete


def test_a_scan_that_found_more_speaks_and_says_at_least() -> None:
    scan = Scan(after=("7",), rows=100, orphans=40, begun=NOW)
    [finding] = find(a_tally(37, scan=scan))
    assert finding.title.startswith("at least 40 rows")
    [finding] = find(a_tally(50, scan=scan))
    assert finding.title.startswith("at least 50 rows")


def test_what_cannot_be_counted_is_a_warning_the_second_time() -> None:
    for failures, severity in ((1, Severity.INFO), (2, Severity.WARNING), (9, Severity.WARNING)):
        [finding] = find(a_tally(problem=REFUSED, failures=failures))
        assert (finding.code, finding.severity, finding.remedy) == ("AW309", severity, "Ask.")


def test_what_a_role_that_reads_schemas_cannot_count_is_one_remark() -> None:
    hidden = msgspec.structs.replace(REFUSED, is_expected=True)
    [finding] = find(*(a_tally(problem=hidden, failures=9) for _ in range(3)))
    assert (finding.key, finding.severity) == (None, Severity.INFO)
    assert "3 foreign keys" in finding.title
    assert len(find(a_tally(5, problem=hidden), a_tally(problem=REFUSED))) == 3


@pytest.mark.parametrize(
    ("tally", "every", "expected"),
    [
        (None, timedelta(0), True),
        (None, None, False),
        (a_tally(origin=Origin.VALIDATED), timedelta(days=7), True),
        (a_tally(0, origin=Origin.VALIDATED), timedelta(days=7), False),
        (a_tally(1, origin=Origin.VALIDATED), timedelta(days=7), True),
        (a_tally(0, origin=Origin.VALIDATED), timedelta(hours=1), True),
        (a_tally(0, origin=Origin.VALIDATED, scan=A_SCAN), timedelta(9), True),
        (a_tally(5, origin=Origin.NOT_VALID), None, True),  # validated since: it is over
    ],
)
def test_a_key_that_holds_is_due_seldom(
    tally: Tally | None, every: timedelta | None, *, expected: bool
) -> None:
    later = NOW + timedelta(hours=2)
    assert is_due(a_relation(Origin.VALIDATED), tally, later, every) is expected
    assert is_due(a_relation(Origin.NOT_VALID), tally, later, every)


def test_a_key_that_may_not_be_written_down_comes_back_to_who_knows_it() -> None:
    scan = Scan(after=("me@example.test",), rows=3, orphans=1, begun=NOW, is_private=True)
    hidden = hide_keys(a_tally(scan=scan))
    assert b"example" not in msgspec.json.encode(hidden)
    assert hidden.scan is not None
    assert restore_key(hidden, scan).scan == scan
    assert restore_key(hidden, None).scan is None
    other = msgspec.structs.replace(scan, rows=4)
    assert restore_key(hidden, other).scan is None
    open_scan = msgspec.structs.replace(scan, is_private=False)
    assert hide_keys(a_tally(scan=open_scan)).scan == open_scan


def test_the_sum_is_one_sentence() -> None:
    scan = Scan(after=("1",), rows=1, orphans=2, begun=NOW)
    tallies = [a_tally(3), a_tally(0, scan=scan), a_tally(problem=REFUSED)]
    assert summarise_tallies(tallies) == (
        "5 rows without a parent in 3 relations, 1 of which cannot be counted, 1 of which take "
        "more than one look"
    )
    assert summarise_tallies([]) == "0 rows without a parent in 0 relations"


def test_a_finding_names_the_command_that_repairs_it() -> None:
    relation = parse_relation('orders."it\'s" -> app.users.id')
    [finding] = find(a_tally(2, relation=relation))
    *_, name, text, option, strategy = shlex.split(finding.remedy or "")
    assert (name, option, strategy) == ("--relation", "--strategy", "quarantine")
    assert parse_relation(text) == relation
