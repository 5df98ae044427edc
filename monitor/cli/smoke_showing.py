"""Outcomes of smoke suites for people, as JSON, and as JUnit XML for CI systems."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from monitor.core.expectation_judging import write_seconds
from monitor.core.printing import clean
from monitor.core.smoke import StepOutcome, StepStatus, SuiteOutcome

_SIGNS: Final = {
    StepStatus.PASS: "ok  ",
    StepStatus.WARN: "warn",
    StepStatus.FAIL: "FAIL",
    StepStatus.UNKNOWN: "????",
    StepStatus.SKIPPED: "skip",
}
_ELEMENTS: Final = {
    StepStatus.FAIL: "failure",
    StepStatus.UNKNOWN: "error",
    StepStatus.SKIPPED: "skipped",
    StepStatus.WARN: "system-out",
}


def describe_suite(outcome: SuiteOutcome, *, with_curl: bool) -> dict[str, Any]:
    """A run as the contract has it."""
    return {
        "name": outcome.name,
        "status": outcome.status.value,
        "database": outcome.database,
        "run_id": outcome.run_id,
        "at": outcome.at,
        "seconds": round(outcome.seconds, 3),
        "steps": [_describe_step(step, with_curl=with_curl) for step in outcome.steps],
    }


def _describe_step(step: StepOutcome, *, with_curl: bool) -> dict[str, Any]:
    described = {
        "name": step.name,
        "status": step.status.value,
        "reason": step.reason.value if step.reason else None,
        "messages": list(step.messages),
        "seconds": round(step.seconds, 3),
        "tries": step.tries,
    }
    return {**described, "curl": step.curl or None} if with_curl else described


def write_suites(outcomes: Sequence[SuiteOutcome], *, with_curl: bool) -> str:
    """All runs for a person."""
    return "\n\n".join("\n".join(_write_suite(one, with_curl=with_curl)) for one in outcomes)


def _write_suite(outcome: SuiteOutcome, *, with_curl: bool) -> Iterator[str]:
    ran = [step for step in outcome.steps if step.status is not StepStatus.SKIPPED]
    passed = [step for step in ran if step.status in (StepStatus.PASS, StepStatus.WARN)]
    count = f"{len(passed)}/{len(outcome.steps)}"
    spent = write_seconds(outcome.seconds)
    yield f"{outcome.name}: {outcome.status.value}  ({count} steps, {spent}, run {outcome.run_id})"
    for step in outcome.steps:
        took = f"  {write_seconds(step.seconds)}" if step.tries else ""
        tries = f", {step.tries} tries" if step.tries > 1 else ""
        yield f"  {_SIGNS[step.status]}  {clean(step.name)}{took}{tries}"
        yield from (f"        {clean(message)}" for message in step.messages)
        if with_curl and step.curl:
            yield f"        {clean(step.curl)}"


def write_junit(outcomes: Sequence[SuiteOutcome]) -> bytes:
    """JUnit XML, as https://github.com/testmoapp/junitxml describes what CI systems read."""
    root = ET.Element("testsuites", name="anchorwatch smoke")
    for outcome in outcomes:
        _add_suite(root, outcome)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add_suite(root: ET.Element, outcome: SuiteOutcome) -> None:
    statuses = [step.status for step in outcome.steps]
    suite = ET.SubElement(
        root,
        "testsuite",
        name=outcome.name,
        tests=str(len(statuses)),
        failures=str(statuses.count(StepStatus.FAIL)),
        errors=str(statuses.count(StepStatus.UNKNOWN)),
        skipped=str(statuses.count(StepStatus.SKIPPED)),
        time=f"{outcome.seconds:.3f}",
        timestamp=outcome.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    for step in outcome.steps:
        _add_step(suite, outcome.name, step)


def _add_step(suite: ET.Element, name: str, step: StepOutcome) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"smoke.{name}",
        name=_clean(step.name),
        time=f"{step.seconds:.3f}",
    )
    if step.status is StepStatus.PASS:
        return
    element = ET.SubElement(case, _ELEMENTS[step.status])
    messages = [_clean(message) for message in step.messages]
    element.text = "\n".join(messages)
    if step.status is not StepStatus.WARN and messages:
        element.set("message", messages[0])
    if step.reason is not None and step.status is not StepStatus.WARN:
        element.set("type", step.reason.value)


def _clean(text: str) -> str:
    """Without what no XML document may hold: https://www.w3.org/TR/xml/#charsets."""
    return clean(text).replace("\ufffe", "?").replace("\uffff", "?")
