"""What `anchorwatch explain` prints."""

from typing import Any

from monitor.core.errors import UsageError
from monitor.core.rule import Rule
from monitor.core.rules import RULES


def find_rules(code: str | None) -> list[Rule]:
    """The rule of a code, or all.

    Raises:
        UsageError: there is no such rule.
    """
    return list(RULES.values()) if code is None else [_find(code)]


def _find(code: str) -> Rule:
    rule = RULES.get(code.upper())
    if rule is None:
        raise UsageError(
            f"There is no rule {code[:20]!r}.", next_step="`anchorwatch explain` lists them all."
        )
    return rule


def describe_rule(rule: Rule) -> dict[str, Any]:
    """A rule as JSON has it."""
    return {
        "code": rule.code,
        "title": rule.title,
        "severity": rule.severity.value,
        "class": rule.finding_class.value,
        "why": rule.why,
        "fix": rule.fix,
    }


def write_rule(rule: Rule) -> str:
    """A rule for a person."""
    return (
        f"{rule.code} · {rule.title} · {rule.severity.value}\n\n"
        f"Why it matters\n  {rule.why}\n\nHow to fix it\n  {rule.fix}"
    )
