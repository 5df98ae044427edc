"""What a migration that is at work excuses, and for how long."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from monitor.core.activity import Activity
from monitor.core.errors import Migrating
from monitor.core.findings import READ, Evidence, Finding, FindingClass, Unknown, make_unknowns
from monitor.core.keys import ObjectKey
from monitor.core.overall import find_overall
from monitor.core.report import Report
from monitor.core.rules import RULES, STUCK_MIGRATION
from monitor.core.verdict import State

MIGRATING_AT_MOST: Final = timedelta(minutes=10)
"""A transaction that is stuck must not mute drift."""
BUILDING_AT_MOST: Final = timedelta(minutes=30)
"""An index of hundreds of gigabytes takes that long; what takes longer deserves a look."""

_HELD_BACK: Final = (*READ, FindingClass.UPKEEP)
"""A rule that matches nothing in the midst of a migration may match after it."""


def track_builds(
    activity: Activity, before: Mapping[ObjectKey, datetime], at: datetime
) -> dict[ObjectKey, datetime]:
    """Since when each index that is being built has been seen to be."""
    return {key: before.get(key, at) for key in activity.building}


def excuse_builds(
    findings: Iterable[Finding], builds: Mapping[ObjectKey, datetime], at: datetime
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """The findings that no build explains, and a note for each index whose build does."""
    young = {key for key, since in builds.items() if at - since < BUILDING_AT_MOST}
    told = tuple(finding for finding in findings if finding.key not in young)
    notes = tuple(f"{key} is being built." for key in sorted(young, key=lambda k: k.order))
    return told, notes


def hold_back(report: Report, activity: Activity, since: datetime | None) -> Report:
    """The report of a look during which somebody changed the schema.

    What differs may be what the migration is about to put right, so nothing is judged, for
    ten minutes at most; then it is, and the migration that does not end is found as well.

    Args:
        report: what the look would say.
        activity: what other sessions were doing.
        since: when looks began to find differences in the midst of changes, if the last one
            did.
    """
    held = [f for f in report.findings if RULES[f.code].finding_class in READ]
    if not activity.is_changing or not held:
        return report
    begun = since or report.at
    report = msgspec.structs.replace(report, migrating_since=begun)
    if report.at - begun >= MIGRATING_AT_MOST:
        return add_stuck(report, describe_activity(activity))
    sentence = f"Somebody is changing {describe_activity(activity)}."
    return msgspec.structs.replace(
        report,
        state=State.MIGRATING,
        findings=tuple(
            f for f in report.findings if RULES[f.code].finding_class not in _HELD_BACK
        ),
        unknowns=say_migrating(sentence),
        summary=f"{State.MIGRATING.meaning.sentence}: {sentence}",
    )


def describe_activity(activity: Activity) -> str:
    """What is being changed, in words."""
    names = [str(key) for key in activity.changing[:_MOST_NAMES]]
    more = len(activity.changing) - len(names)
    if more:
        names.append(f"{more} more")
    if activity.unseen:
        names.append("something that is not there yet")
    return ", ".join(names)


_MOST_NAMES: Final = 3


def say_migrating(sentence: str) -> tuple[Unknown, ...]:
    """Neither history nor schema is judged while a migration runs."""
    next_step = "Wait for the migration to end: anchorwatch looks again by itself."
    return make_unknowns(Migrating.code, sentence, next_step)


def add_stuck(report: Report, what: str) -> Report:
    """The report with the finding of a migration that does not end."""
    stuck = find_overall(
        STUCK_MIGRATION,
        environment=report.environment,
        database=report.database,
        title="a migration has been at work for more than "
        f"{MIGRATING_AT_MOST // timedelta(minutes=1)} minutes",
        evidence=(Evidence(name="locked", expected=None, actual=what),),
    )
    findings = tuple(sorted((*report.findings, stuck), key=lambda f: f.identity))
    return msgspec.structs.replace(report, findings=findings)
