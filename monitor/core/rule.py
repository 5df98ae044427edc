"""What a rule is."""

import msgspec

from monitor.core.findings import FindingClass, Severity


class Rule(msgspec.Struct, frozen=True):
    """One rule: what it says, why it matters and what to do.

    Attributes:
        code: stable, never used again for something else.
        title: what holds when it fires.
        severity: of its findings, unless the configuration says otherwise.
        finding_class: the incident that its findings go to.
        why: why it matters.
        fix: how it is put right.
    """

    code: str
    title: str
    severity: Severity
    finding_class: FindingClass
    why: str
    fix: str
