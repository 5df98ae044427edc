"""What is wrong, known, and need not be told: ignore rules and acceptances.

A rule of the configuration ignores what it matches, whatever becomes of it. An
acceptance in the ledger waives one finding with one digest: what changes further is
told again. Both end with the day that they name. Nothing here silences that a
database cannot be looked at: unknown is never fine.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

import msgspec

from monitor.core.errors import UsageError
from monitor.core.findings import READ, Evidence, Finding, FindingClass
from monitor.core.keys import ObjectKey
from monitor.core.overall import begin_sentence, find_overall
from monitor.core.patterns import ANYTHING, parse_pattern, write_pattern
from monitor.core.rule import Rule
from monitor.core.rules import EXPIRED_RULE, RULES, STUCK_MIGRATION, UNUSED_RULE
from monitor.core.rules_data import NOT_EVALUATED, UNCOUNTED
from monitor.core.typed import check_reason, write_name

_WAIVABLE: Final = frozenset(
    code
    for code, rule in RULES.items()
    if rule.finding_class in (*READ, FindingClass.ORPHANS, FindingClass.DATA)
    and rule not in (STUCK_MIGRATION, UNCOUNTED, NOT_EVALUATED)
)
"""Nobody knows what is right while nobody can look, or a migration is at work."""
_READ: Final = frozenset(code for code, rule in RULES.items() if rule.finding_class in READ)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class IgnoreRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the configuration.

    Attributes:
        code: a shell-like pattern for codes.
        object: a pattern for objects, see `monitor.core.patterns`.
        reason: why it is all right, for people.
        until: the last day on which it holds, UTC; None for ever.
        digest: only findings that have it are ignored; None for all.
        is_shared: whether it stands for every database: then that one of them has
            nothing it matches says nothing.
    """

    code: str = ANYTHING
    object: str = ANYTHING
    reason: str
    until: date | None = None
    digest: str | None = None
    is_shared: bool = False

    def matches(self, finding: Finding) -> bool:
        """Whether a finding is meant, whatever the day."""
        return (
            finding.code in find_codes(self.code)
            and parse_pattern(self.object).matches(finding.key)
            and self.digest in (None, finding.digest)
        )

    def __str__(self) -> str:
        """Words for people."""
        return f"{self.code} on {self.object}" if self.object != ANYTHING else self.code


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """One finding that somebody found to be all right as it is.

    Attributes:
        environment: where the database runs.
        database: its configured name.
        finding: the id of the finding.
        digest: of the finding; with another one it is told again.
        code: of the finding.
        key: its object; None for the database as a whole.
        title: what it said.
        reason: why it is all right, for people.
        until: the last day on which it holds, UTC; None for ever.
        by: who said so, as far as is known.
        at: when.
    """

    environment: str
    database: str
    finding: str
    digest: str
    code: str
    key: ObjectKey | None
    title: str
    reason: str
    until: date | None
    by: str
    at: datetime

    @property
    def id(self) -> str:
        """Of the finding, by which people name it."""
        return self.finding

    def matches(self, finding: Finding) -> bool:
        """Whether it is this finding with this digest, whatever the day."""
        return (self.finding, self.digest) == (finding.id, finding.digest)


class Ignored(msgspec.Struct, frozen=True):
    """A finding, and the rule that it is ignored by."""

    finding: Finding
    rule: IgnoreRule


class Accepted(msgspec.Struct, frozen=True):
    """A finding, and the acceptance that it is waived by."""

    finding: Finding
    acceptance: Acceptance


class Judged(msgspec.Struct, frozen=True):
    """Findings, taken apart.

    Attributes:
        told: what nothing waives, in the order in which it came.
        ignored: what a rule waives, with the first that does.
        accepted: what an acceptance waives, and no rule.
    """

    told: tuple[Finding, ...]
    ignored: tuple[Ignored, ...] = ()
    accepted: tuple[Accepted, ...] = ()

    def count_waived(self) -> str:
        """`` (2 accepted, 1 ignored)``, for the end of a sentence; nothing when there are none."""
        counts = {"accepted": len(self.accepted), "ignored": len(self.ignored)}
        told = ", ".join(f"{count} {how}" for how, count in counts.items() if count)
        return f" ({told})" if told else ""


class Waivers(msgspec.Struct, frozen=True):
    """Everything that may be waived at one database."""

    rules: tuple[IgnoreRule, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()

    def judge(self, findings: Iterable[Finding], at: datetime) -> Judged:
        """Take apart what is told and what is not; every finding is in exactly one part."""
        rules = [rule for rule in self.rules if not is_over(rule.until, at)]
        held = {
            (one.finding, one.digest): one
            for one in self.acceptances
            if not is_over(one.until, at)
        }
        told: list[Finding] = []
        ignored: list[Ignored] = []
        accepted: list[Accepted] = []
        for finding in findings:
            rule = next((rule for rule in rules if rule.matches(finding)), None)
            if rule is not None:
                ignored.append(Ignored(finding, rule))
            elif held and (acceptance := held.get((finding.id, finding.digest))):
                accepted.append(Accepted(finding, acceptance))
            else:
                told.append(finding)
        return Judged(tuple(told), tuple(ignored), tuple(accepted))

    def review(
        self, judged: Judged, at: datetime, *, environment: str, database: str
    ) -> tuple[Finding, ...]:
        """What there is to tidy up: rules that have expired, and rules that match nothing.

        Of those about rows alone nothing is said: another check than the schema's tries them.

        Args:
            judged: what `judge` made of all that a comparison found.
            at: the same moment.
            environment: where the database runs.
            database: its configured name.
        """
        expired = [rule for rule in self.rules if is_over(rule.until, at)]
        used = {one.rule for one in judged.ignored}
        # What is told was tried with every rule; what is ignored, up to the one that did it.
        ignored = [one.finding for one in judged.ignored]
        unused = [
            rule
            for rule in self.rules
            if not (rule.is_shared or rule in used or is_over(rule.until, at))
            and find_codes(rule.code) & _READ
            and not any(map(rule.matches, ignored))
        ]
        return tuple(
            _make_upkeep(rule, wrong, environment=environment, database=database)
            for rule, wrong in ((EXPIRED_RULE, expired), (UNUSED_RULE, unused))
            if wrong
        )


def digest_all(findings: Iterable[Finding]) -> str:
    """Equal for the same findings with the same digests, in any order."""
    seen = sorted(f"{finding.id} {finding.digest}" for finding in findings)
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:16]


def _make_upkeep(
    rule: Rule, wrong: Sequence[IgnoreRule], *, environment: str, database: str
) -> Finding:
    """One finding for all rules that the same is wrong with: they are no objects."""
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return find_overall(
        rule,
        environment=environment,
        database=database,
        title=f"{begin_sentence(rule)}: {wrong[0]}{more}",
        evidence=tuple(_describe_rule(one) for one in wrong),
    )


def _describe_rule(rule: IgnoreRule) -> Evidence:
    until = f"until {rule.until}: " if rule.until else ""
    return Evidence(name=str(rule), expected=f"{until}{rule.reason}", actual=None)


def is_waivable(finding: Finding) -> bool:
    """Whether it can be ignored or accepted: true of what a look that could look found."""
    return finding.code in _WAIVABLE


@lru_cache(maxsize=4096)
def find_codes(pattern: str) -> frozenset[str]:
    """The codes that a pattern matches and that can be waived."""
    return frozenset(code for code in _WAIVABLE if fnmatchcase(code, pattern))


def is_over(until: date | None, at: datetime) -> bool:
    """Whether the last day has passed, in UTC."""
    return until is not None and at.astimezone(UTC).date() > until


def accept(
    findings: Iterable[Finding], *, reason: str, until: date | None, by: str, at: datetime
) -> tuple[Acceptance, ...]:
    """Acceptances of these findings as they are.

    Raises:
        UsageError: the reason is none, the day is over, or a finding cannot be accepted.
    """
    said = check_reason(reason)
    if is_over(until, at):
        raise UsageError(
            f"{until} is in the past.", next_step="Name a day to come, or leave it out."
        )
    return tuple(
        Acceptance(
            environment=finding.environment,
            database=finding.database,
            finding=finding.id,
            digest=finding.digest,
            code=finding.code,
            key=finding.key,
            title=finding.title,
            reason=said,
            until=until,
            by=write_name(by),
            at=at,
        )
        for finding in map(_check_waivable, findings)
    )


def read_day(text: str) -> date:
    """The day that a text names, ``2027-01-31``.

    Raises:
        UsageError: it names none.
    """
    with suppress(ValueError):
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    raise UsageError("That is no day.", next_step="Write it like 2027-01-31.")


def _check_waivable(finding: Finding) -> Finding:
    if not is_waivable(finding):
        raise UsageError(
            f"{finding.code} cannot be accepted: {finding.title}.",
            next_step=finding.remedy or "Put it right.",
        )
    return finding


def write_rule(acceptance: Acceptance) -> IgnoreRule:
    """The rule that ignores exactly what was accepted."""
    return IgnoreRule(
        code=acceptance.code,
        object=write_pattern(acceptance.key),
        reason=acceptance.reason,
        until=acceptance.until,
        digest=acceptance.digest,
    )
