"""Ignore rules and acceptances: what is told, what is not, and what there is to tidy up."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.errors import UsageError
from monitor.core.findings import Evidence, Finding, FindingClass, Severity
from monitor.core.keys import Kind
from monitor.core.rules import (
    CANNOT_LOOK,
    RULES,
    STUCK_MIGRATION,
    UNREACHABLE,
    UNUSED_RULE,
)
from monitor.core.rules_history import EMPTY
from monitor.core.waivers import (
    Acceptance,
    IgnoreRule,
    Judged,
    Waivers,
    accept,
    digest_all,
    is_over,
    is_waivable,
    read_day,
    write_rule,
)
from tests.core.builders import a_key

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY, YESTERDAY = date(2026, 6, 15), date(2026, 6, 14)
PLACE = {"environment": "test", "database": "app"}


def a_finding(name: str = "orders", **changes: Any) -> Finding:
    key = a_key(Kind.TABLE, name)
    finding = Finding(
        code="AW205",
        severity=Severity.WARNING,
        **PLACE,
        key=key,
        title=f"{key} is there, nothing expects it",
        evidence=(Evidence("persistence", None, "permanent"),),
    )
    return msgspec.structs.replace(finding, **changes)


def a_rule(**changes: Any) -> IgnoreRule:
    return msgspec.structs.replace(IgnoreRule(code="AW2*", reason="known"), **changes)


def an_acceptance(finding: Finding, until: date | None = None) -> Acceptance:
    (made,) = accept([finding], reason="known", until=None, by="us", at=NOON)
    return msgspec.structs.replace(made, until=until)


def judge(
    *findings: Finding,
    rules: tuple[IgnoreRule, ...] = (),
    accepted: tuple[Acceptance, ...] = (),
    at: datetime = NOON,
) -> Judged:
    return Waivers(rules, accepted).judge(findings, at)


NAMES = st.sampled_from(["a", "b", "c", "d.e"])
FINDINGS = st.lists(
    st.builds(a_finding, NAMES, code=st.sampled_from(["AW204", "AW205", "AW101", "AW902"])),
    unique_by=lambda finding: finding.id,
)
DAYS = st.none() | st.dates(date(2026, 6, 10), date(2026, 6, 20))
RULES_OF_PEOPLE = st.lists(
    st.builds(
        IgnoreRule,
        code=st.sampled_from(["*", "AW2*", "AW204", "AW9*"]),
        object=st.sampled_from(["*", "table:public.a", "table:*", 'table:public."d.e"']),
        reason=st.just("known"),
        until=DAYS,
    ),
    max_size=3,
).map(tuple)


@given(FINDINGS, RULES_OF_PEOPLE, FINDINGS, DAYS)
def test_every_finding_is_told_ignored_or_accepted_and_nothing_is_lost(
    findings: list[Finding], rules: tuple[IgnoreRule, ...], others: list[Finding], until: date
) -> None:
    held = tuple(an_acceptance(f, until) for f in others if is_waivable(f))
    judged = judge(*findings, rules=rules, accepted=held)
    parts = [
        *judged.told,
        *(one.finding for one in judged.ignored),
        *(one.finding for one in judged.accepted),
    ]
    assert sorted(f.id for f in parts) == sorted(f.id for f in findings)
    for one in judged.ignored:
        assert one.rule.matches(one.finding)
        assert not is_over(one.rule.until, NOON)
    for accepted in judged.accepted:
        assert accepted.acceptance.matches(accepted.finding)
        assert not is_over(accepted.acceptance.until, NOON)


@given(FINDINGS)
def test_without_waivers_everything_is_told_in_its_order(findings: list[Finding]) -> None:
    assert judge(*findings) == Judged(tuple(findings))


def test_the_first_rule_that_matches_is_the_one_and_goes_before_an_acceptance() -> None:
    finding = a_finding()
    first, second = a_rule(reason="first"), a_rule(reason="second")
    judged = judge(finding, rules=(first, second), accepted=(an_acceptance(finding),))
    assert [one.rule for one in judged.ignored] == [first]
    assert judged.accepted == ()


def test_an_acceptance_is_of_one_finding_and_one_digest() -> None:
    finding = a_finding()
    accepted = (an_acceptance(finding),)
    assert judge(finding, accepted=accepted).told == ()
    changed = a_finding(evidence=(Evidence("persistence", None, "unlogged"),))
    other_inside = a_finding(inside="another index")
    for further in (changed, other_inside, a_finding("other"), a_finding(code="AW206")):
        assert judge(further, accepted=accepted).told == (further,)


def test_what_was_accepted_as_information_is_told_once_it_is_a_warning() -> None:
    """Privileges that nobody declared become a difference once somebody declares some."""
    remark = msgspec.structs.replace(a_finding(), severity=Severity.INFO)
    warning = msgspec.structs.replace(remark, severity=Severity.WARNING)
    assert remark.id == warning.id
    assert remark.digest != warning.digest


def test_an_acceptance_of_another_environment_is_none_here() -> None:
    elsewhere = a_finding(environment="staging")
    assert judge(a_finding(), accepted=(an_acceptance(elsewhere),)).told == (a_finding(),)


def test_other_words_for_the_same_thing_stay_accepted() -> None:
    """A release may word its sentences anew."""
    accepted = (an_acceptance(a_finding()),)
    assert judge(a_finding(title="Another.", remedy="Other."), accepted=accepted).told == ()


@pytest.mark.parametrize(
    ("until", "is_told"), [(None, False), (TODAY, False), (YESTERDAY, True), (date.min, True)]
)
def test_a_waiver_holds_through_its_last_day(until: date | None, is_told: bool) -> None:  # noqa: FBT001
    finding = a_finding()
    assert bool(judge(finding, rules=(a_rule(until=until),)).told) is is_told
    assert bool(judge(finding, accepted=(an_acceptance(finding, until),)).told) is is_told


def test_days_are_those_of_utc() -> None:
    evening = datetime(2026, 6, 15, 22, tzinfo=timezone(timedelta(hours=-5)))
    assert is_over(TODAY, evening)
    assert not is_over(TODAY, evening.astimezone(UTC) - timedelta(hours=4))


@pytest.mark.parametrize(
    "code",
    [UNREACHABLE.code, CANNOT_LOOK.code, STUCK_MIGRATION.code, UNUSED_RULE.code, "AW000"],
)
def test_that_nobody_could_look_can_be_neither_ignored_nor_accepted(code: str) -> None:
    finding = a_finding(code=code, key=None)
    assert judge(finding, rules=(IgnoreRule(code="*", reason="all"),)).told == (finding,)
    with pytest.raises(UsageError, match="cannot be accepted"):
        an_acceptance(finding)


def test_what_is_about_the_whole_database_is_matched_by_the_code_alone() -> None:
    finding = a_finding(code=EMPTY.code, key=None)
    assert judge(finding, rules=(a_rule(code="AW101"),)).told == ()
    assert judge(finding, rules=(a_rule(code="AW101", object="table:*"),)).told == (finding,)


def test_a_rule_with_a_digest_ignores_that_and_no_further_change() -> None:
    finding = a_finding()
    rule = write_rule(an_acceptance(finding))
    assert judge(finding, rules=(rule,)).told == ()
    changed = a_finding(inside="changed")
    assert judge(changed, rules=(rule,)).told == (changed,)
    wider = msgspec.structs.replace(rule, digest=None)
    assert judge(changed, rules=(wider,)).told == ()


# Upkeep


def review(*findings: Finding, rules: tuple[IgnoreRule, ...]) -> dict[str, list[str]]:
    waivers = Waivers(rules)
    found = waivers.review(waivers.judge(findings, NOON), NOON, **PLACE)
    for finding in found:
        assert finding.severity is Severity.INFO
        assert finding.key is None
        assert RULES[finding.code].finding_class is FindingClass.UPKEEP
    return {finding.code: [e.name for e in finding.evidence] for finding in found}


def test_a_rule_that_matches_nothing_is_a_finding_and_one_that_does_is_none() -> None:
    used, unused = a_rule(object="table:public.orders"), a_rule(object="table:public.gone")
    assert review(a_finding(), rules=(used, unused)) == {"AW904": ["AW2* on table:public.gone"]}


def test_a_rule_that_has_expired_is_a_finding_whether_it_matches_or_not() -> None:
    past = a_rule(until=YESTERDAY), a_rule(code="AW225", until=YESTERDAY)
    assert review(a_finding(), rules=past) == {"AW903": ["AW2*", "AW225"]}


def test_a_rule_that_another_one_goes_before_is_used_all_the_same() -> None:
    assert review(a_finding(), rules=(a_rule(), a_rule(object="table:*"))) == {}


def test_a_rule_for_every_database_need_not_match_in_each() -> None:
    assert review(rules=(a_rule(is_shared=True),)) == {}
    assert review(rules=(a_rule(is_shared=True, until=YESTERDAY),)) == {"AW903": ["AW2*"]}


def test_many_rules_that_are_to_be_tidied_are_one_finding_with_all_of_them() -> None:
    rules = tuple(a_rule(object=f"table:public.t{number}") for number in range(30))
    (finding,) = Waivers(rules).review(Judged(()), NOON, **PLACE)
    assert finding.title == (
        "an ignore rule matches nothing: AW2* on table:public.t0, and 29 more"
    )
    assert len(finding.evidence) == 30


# Accepting


def test_a_critical_finding_can_be_accepted() -> None:
    critical = a_finding(severity=Severity.CRITICAL)
    assert judge(critical, accepted=(an_acceptance(critical),)).told == ()


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("x" * 10_000, "more than 1000"),
        ("</script>" * 1000, "more than 1000"),
    ],
)
def test_a_reason_that_is_none_or_an_essay_is_refused_and_not_repeated(
    reason: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        accept([a_finding()], reason=reason, until=None, by="us", at=NOON)
    assert "script" not in str(caught.value)


def test_a_reason_is_one_line_of_whole_characters() -> None:
    (one,) = accept(
        [a_finding()], reason=" a\n\tb \ud800 </script> ", until=None, by="x" * 500, at=NOON
    )
    assert one.reason == "a b \\ud800 </script>"
    assert len(one.by) == 100
    assert msgspec.json.decode(msgspec.json.encode(one), type=Acceptance) == one


def test_a_day_that_is_over_is_refused_and_today_is_not() -> None:
    with pytest.raises(UsageError, match="2026-06-14 is in the past"):
        accept([a_finding()], reason="x", until=YESTERDAY, by="us", at=NOON)
    assert accept([a_finding()], reason="x", until=TODAY, by="us", at=NOON)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-13-01", "2026-W01-1", "31.1.2027", "20270131"]
)
def test_a_text_that_names_no_day_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no day"):
        read_day(text)
    assert read_day("2027-01-31") == date(2027, 1, 31)


@given(FINDINGS)
def test_the_digest_of_all_is_of_what_they_are_and_of_no_order(findings: list[Finding]) -> None:
    assert digest_all(findings) == digest_all(findings[::-1])
    assert digest_all(findings) != digest_all([*findings, a_finding("another")])
    changed = [msgspec.structs.replace(finding, inside="x") for finding in findings]
    assert not findings or digest_all(findings) != digest_all(changed)
