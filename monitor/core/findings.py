"""What is wrong, and what could not be looked at: the two answers of every check."""

import hashlib
from enum import StrEnum
from typing import Final

import msgspec

from monitor.core.keys import ObjectKey
from monitor.core.kinds import Value


class Severity(StrEnum):
    """How bad it is, from the least to the worst."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return _RANKS[self]


_RANKS: Final = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class FindingClass(StrEnum):
    """What findings are gathered by: one incident a class and database, but none of upkeep."""

    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    HISTORY = "history"
    DRIFT = "drift"
    ORPHANS = "orphans"
    DATA = "data"
    SMOKE = "smoke"
    DEPLOY = "deploy"
    UPKEEP = "upkeep"
    CHANNEL = "channel"


INCIDENT_CLASSES: Final[tuple[FindingClass, ...]] = tuple(
    finding_class
    for finding_class in FindingClass
    if finding_class not in (FindingClass.UPKEEP, FindingClass.DEPLOY, FindingClass.CHANNEL)
)
"""Upkeep is about our own configuration: shown wherever findings are, never told to people. A
deployment is told once and is over at once: nothing of it opens or is resolved. A channel is
the agent's, and no look judges it: see `monitor.core.channel_health`."""


def make_id(born: tuple[object, ...]) -> str:
    """Twelve letters that stand for something, the same for every agent that knows as much."""
    return hashlib.sha256(msgspec.json.encode(born)).hexdigest()[:12]


class Evidence(msgspec.Struct, frozen=True):
    """One attribute, as it should be and as it is."""

    name: str
    expected: Value
    actual: Value


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        code: the rule, ``AW204``.
        severity: how bad it is.
        environment: where the database runs.
        database: its configured name.
        key: the object, or None when it is about the database as a whole.
        title: one sentence for a person.
        evidence: what differs.
        remedy: the next step, often a command.
        subject: what it is about when that is no object of the database: the name of a
            smoke suite.
        inside: a digest of all that is missing or unexpected with the object and
            has no finding of its own; empty when there is nothing.
    """

    code: str
    severity: Severity
    environment: str
    database: str
    key: ObjectKey | None
    title: str
    evidence: tuple[Evidence, ...] = ()
    remedy: str = ""
    inside: str = ""
    subject: str = ""

    @property
    def identity(self) -> tuple[str, str, str, tuple[str, str, str, str]]:
        """Environment, database, code and object, or subject: never the text, never the values."""
        return (
            self.environment,
            self.database,
            self.code,
            self.key.order if self.key else ("", "", "", self.subject),
        )

    @property
    def id(self) -> str:
        """Twelve letters that stand for the identity, also after a restart."""
        return make_id(self.identity)

    @property
    def digest(self) -> str:
        """Sixteen letters that change with the rule, the object and anything that differs.

        And with how bad it is: what was accepted as information is no warning.

        The same in every environment and database: what was accepted in one can be
        recognised in another.
        """
        key = self.key and (self.key.kind, self.key.schema, self.key.parent, self.key.name)
        evidence = [(e.name, e.expected, e.actual) for e in self.evidence]
        about = key or self.subject
        seen = msgspec.json.encode((self.code, self.severity, about, evidence, self.inside))
        return hashlib.sha256(seen).hexdigest()[:16]


class Unknown(msgspec.Struct, frozen=True):
    """Something that could not be looked at, and why: never counted as fine.

    Attributes:
        finding_class: the class of findings that is not judged therefore.
        code: a bounded word: ``refused``, ``too_slow``, ``no_expectation``...
        message: one sentence for a person.
        next_step: what to do about it.
    """

    finding_class: FindingClass
    code: str
    message: str
    next_step: str


LOOKED: Final = (
    FindingClass.UNREACHABLE,
    FindingClass.UNKNOWN,
    FindingClass.HISTORY,
    FindingClass.DRIFT,
)
"""The classes that a look at a schema judges; each of the others has a check of its own."""

READ: Final = (FindingClass.DRIFT, FindingClass.HISTORY)
"""The classes that are judged by what is read in the database."""


def make_unknowns(code: str, message: str, next_step: str) -> tuple[Unknown, ...]:
    """Neither schema nor history is judged, for the same reason."""
    return tuple(Unknown(finding_class, code, message, next_step) for finding_class in READ)


def get_worst(findings: tuple[Finding, ...]) -> Severity:
    """The severity of the worst finding; INFO when there is none."""
    return max((f.severity for f in findings), key=lambda s: s.rank, default=Severity.INFO)


def digest_findings(findings: tuple[Finding, ...]) -> str:
    """Equal for two looks that saw the same things with the same evidence, in any order."""
    seen = sorted(msgspec.json.encode((f.identity, f.evidence)) for f in findings)
    return hashlib.sha256(b"\n".join(seen)).hexdigest()[:16]
