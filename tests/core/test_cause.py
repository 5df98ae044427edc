"""The likely cause: a deployment first, then what the findings have in common."""

from datetime import timedelta

import msgspec
import pytest

from monitor.core.cause import SOON, find_cause
from monitor.core.findings import INCIDENT_CLASSES, FindingClass
from tests.core.test_grouped import an_incident


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (["AW201"], "dropped by hand"),
        (["AW202", "AW205"], "made by hand"),
        (["AW201", "AW202"], "changed by hand"),
        (["AW209"], "changed by hand"),
    ],
)
def test_what_the_differences_have_in_common_suggests_who_made_them(
    codes: list[str], words: str
) -> None:
    [finding] = an_incident(1).findings
    findings = tuple(msgspec.structs.replace(finding, code=code) for code in codes)
    assert find_cause(an_incident(1, findings=findings)).startswith(words)


@pytest.mark.parametrize("finding_class", [*INCIDENT_CLASSES, FindingClass.CHANNEL])
def test_every_message_names_a_cause(finding_class: FindingClass) -> None:
    assert find_cause(an_incident(1, finding_class=finding_class))


@pytest.mark.parametrize("finding_class", FindingClass)
def test_a_deployment_not_long_before_is_named_first(finding_class: FindingClass) -> None:
    incident = an_incident(1, finding_class=finding_class)
    begun = incident.first_seen
    said = find_cause(incident, begun - timedelta(minutes=14))
    assert said.startswith("a deployment was reported 14 min before")
    for other in (begun - SOON - timedelta(seconds=1), begun + timedelta(seconds=1), None):
        assert "deployment was reported" not in find_cause(incident, other)
