"""Findings about a database as a whole: they have no object, only a rule and a sentence."""

from monitor.core.findings import Evidence, Finding
from monitor.core.rule import Rule


def find_overall(  # noqa: PLR0913  # what a finding is made of, by name
    rule: Rule,
    *,
    environment: str,
    database: str,
    title: str,
    remedy: str | None = None,
    evidence: tuple[Evidence, ...] = (),
    inside: str = "",
) -> Finding:
    """The finding of a rule; its remedy is that of the rule where none is given."""
    return Finding(
        code=rule.code,
        severity=rule.severity,
        environment=environment,
        database=database,
        key=None,
        title=title,
        evidence=evidence,
        remedy=rule.fix if remedy is None else remedy,
        inside=inside,
    )


def begin_sentence(rule: Rule) -> str:
    """The title of a rule, as the beginning of a sentence that goes on."""
    return f"{rule.title[0].lower()}{rule.title[1:]}"
