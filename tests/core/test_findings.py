"""Findings: an identity that holds, a digest that notices, a severity that is the worst."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.findings import (
    Evidence,
    Finding,
    Severity,
    digest_findings,
    get_worst,
)
from monitor.core.keys import Kind, ObjectKey

NAMES = st.text(min_size=1, max_size=12)
FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(["AW204", "AW209"]),
    severity=st.sampled_from(Severity),
    environment=st.sampled_from(["test", "production"]),
    database=st.sampled_from(["app", "billing"]),
    key=st.one_of(
        st.none(),
        st.builds(ObjectKey, kind=st.sampled_from(Kind), schema=NAMES, parent=NAMES, name=NAMES),
    ),
    title=NAMES,
    evidence=st.tuples(st.builds(Evidence, name=NAMES, expected=NAMES, actual=NAMES)),
)


@given(FINDINGS, NAMES)
def test_neither_text_nor_values_nor_severity_make_another_finding(
    finding: Finding, text: str
) -> None:
    other = msgspec.structs.replace(
        finding,
        title=text,
        remedy=text,
        severity=Severity.INFO,
        evidence=(Evidence(name=text, expected=text, actual=None),),
    )
    assert other.id == finding.id
    assert len(finding.id) == 12


@given(FINDINGS, FINDINGS)
def test_two_findings_share_an_id_only_when_they_are_the_same(one: Finding, two: Finding) -> None:
    assert (one.id == two.id) == (one.identity == two.identity)


def test_parts_of_a_name_cannot_be_shifted_into_each_other() -> None:
    dotted = ObjectKey(kind=Kind.COLUMN, schema="a", parent="b.c", name="d")
    other = ObjectKey(kind=Kind.COLUMN, schema="a.b", parent="c", name="d")
    made = [
        Finding(
            code="AW209",
            severity=Severity.INFO,
            environment="e",
            database="d",
            key=key,
            title=str(key),
        )
        for key in (dotted, other)
    ]
    assert made[0].title == made[1].title
    assert made[0].id != made[1].id


@given(st.lists(FINDINGS, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_change_their_digest(
    findings: list[Finding], chance: random.Random
) -> None:
    shuffled = sorted(findings, key=lambda _: chance.random())
    assert digest_findings(tuple(findings)) == digest_findings(tuple(shuffled))


@given(FINDINGS, NAMES)
def test_the_digest_of_one_is_of_rule_object_and_values_and_of_no_words(
    finding: Finding, text: str
) -> None:
    replace = msgspec.structs.replace
    assert replace(finding, title=text, remedy=text, environment=text).digest == finding.digest
    others = [
        replace(finding, code="AW000"),
        replace(finding, evidence=(*finding.evidence, Evidence(text, expected=None, actual=1))),
        replace(finding, evidence=()),
        replace(finding, inside="x"),
        replace(
            finding, key=ObjectKey(kind=Kind.TABLE, schema=None, parent=None, name=f"x{text}")
        ),
    ]
    assert len({finding.digest, *(other.digest for other in others)}) == len(others) + 1


@given(FINDINGS)
def test_other_evidence_is_another_digest(finding: Finding) -> None:
    changed = msgspec.structs.replace(
        finding, evidence=(*finding.evidence, Evidence(name="x", expected=1, actual=2))
    )
    assert digest_findings((finding,)) != digest_findings((changed,))


@given(st.lists(FINDINGS))
def test_the_worst_is_at_least_as_bad_as_every_one(findings: list[Finding]) -> None:
    worst = get_worst(tuple(findings))
    assert all(worst.rank >= finding.severity.rank for finding in findings)
    assert worst is Severity.INFO or worst in {finding.severity for finding in findings}
