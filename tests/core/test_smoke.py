"""Outcomes and what is told of them, requests and their curl commands, rows as JSON."""

import shlex
import subprocess
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from monitor.core.errors import StepFailed
from monitor.core.findings import FindingClass, digest_findings
from monitor.core.report import Report
from monitor.core.rows import read_cell
from monitor.core.rules import RULES
from monitor.core.smoke import Body, Reason, Request, StepOutcome, StepStatus, SuiteOutcome
from monitor.core.smoke_findings import list_findings
from monitor.core.smoke_request import build_request, write_curl
from monitor.core.template import Scalar, parse_json, parse_template
from monitor.core.verdict import State

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


def make_outcome(*statuses: StepStatus, name: str = "signup", told: str = "why") -> SuiteOutcome:
    steps = tuple(
        StepOutcome(
            name=f"step {number}",
            status=status,
            reason=None if status is StepStatus.PASS else Reason.ASSERTION,
            messages=() if status is StepStatus.PASS else (told,),
        )
        for number, status in enumerate(statuses)
    )
    return SuiteOutcome(name=name, database="app", run_id="r", at=NOW, seconds=1.0, steps=steps)


PASS, WARN, FAIL, UNKNOWN, SKIPPED = StepStatus


@pytest.mark.parametrize(
    ("statuses", "status", "code"),
    [
        ((PASS, PASS), PASS, None),
        ((PASS, WARN), WARN, "AW402"),
        ((WARN, UNKNOWN, SKIPPED), UNKNOWN, "AW409"),
        ((UNKNOWN, SKIPPED, FAIL), FAIL, "AW401"),
    ],
)
def test_the_worst_step_is_told(
    statuses: tuple[StepStatus, ...], status: StepStatus, code: str | None
) -> None:
    outcome = make_outcome(*statuses)
    assert outcome.status is status
    found = list_findings(outcome, "production")
    assert [finding.code for finding in found] == ([code] if code else [])
    for finding in found:
        assert RULES[finding.code].finding_class is FindingClass.SMOKE
        assert finding.remedy == "anchorwatch smoke run signup --curl"


def test_suites_of_one_database_are_told_apart_and_runs_of_one_are_not() -> None:
    (one,) = list_findings(make_outcome(FAIL, told="id 1"), "production")
    (again,) = list_findings(make_outcome(FAIL, told="id 2"), "production")
    (other,) = list_findings(make_outcome(FAIL, name="login"), "production")
    assert one.id == again.id != other.id
    assert digest_findings((one,)) == digest_findings((again,))


def test_a_look_at_the_schema_says_nothing_about_smoke_tests() -> None:
    report = Report("production", "app", NOW, 1.0, State.IN_SYNC)
    assert FindingClass.SMOKE not in report.judged


VALUES: dict[str, Scalar] = {"id": "a'b c", "secret": "hush", "n": 5}
REQUEST = Request(
    method="POST",
    url=parse_template("https://x.example/{{ id }}?n={{ n }}"),
    headers={"Authorization": parse_template("Bearer {{ secret }}")},
    body=Body("json", parse_json({"id": "{{ id }}", "n": "{{ n }}"})),
)


def test_a_request_is_put_together_by_the_rules_of_each_place() -> None:
    sent = build_request(REQUEST, VALUES.__getitem__)
    assert sent.url == "https://x.example/a%27b%20c?n=5"
    assert sent.headers == {"Content-Type": "application/json", "Authorization": "Bearer hush"}
    assert sent.body == b'{"id":"a\'b c","n":5}'


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_names_no_other_path_and_may_be_empty_in_a_query(value: str) -> None:
    named: dict[str, Scalar] = {"v": value}
    asked = Request("GET", parse_template("http://x/a?v={{ v }}&w={{ v }}"))
    assert build_request(asked, named.__getitem__).url == f"http://x/a?v={value}&w={value}"
    with pytest.raises(StepFailed, match="another URL"):
        build_request(Request("DELETE", parse_template("http://x/a/{{ v }}")), named.__getitem__)


def test_a_shell_reads_the_curl_command_as_it_is_meant() -> None:
    command = write_curl(REQUEST, VALUES.__getitem__, {"secret": "***"})
    told = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == shlex.split(command)
    assert "Authorization: Bearer ***" in told.stdout
    assert "hush" not in command


def test_what_stands_for_a_secret_is_read_in_a_form_too() -> None:
    form = Body("form", parse_json({"a": "{{ secret }}", "b": "{{ id }}", "c": "{{ later }}"}))
    request = Request("POST", parse_template("http://x/"), body=form)
    hidden = {"secret": "***", "later": "{{ later }}"}
    command = write_curl(request, VALUES.__getitem__, hidden)
    assert shlex.split(command)[-1] == "a=***&b=a%27b+c&c={{ later }}"


def test_a_content_type_that_is_given_stays() -> None:
    request = Request(
        method="PUT",
        url=parse_template("http://x/"),
        headers={"content-type": parse_template("application/merge-patch+json")},
        body=Body("json", {}),
    )
    assert build_request(request, VALUES.__getitem__).headers == {
        "content-type": "application/merge-patch+json"
    }


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\x00b", "a\x7f"])
def test_a_header_is_one_line(value: str) -> None:
    request = Request("GET", parse_template("http://x/"), {"X": parse_template("{{ v }}")})
    with pytest.raises(StepFailed, match="line break"):
        build_request(request, {"v": value}.__getitem__)


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (Decimal("3.00"), 3),
        (Decimal("12.50"), 12.5),
        (Decimal("1e100"), 1e100),
        (Decimal("NaN"), "NaN"),
        (date(2026, 1, 31), "2026-01-31"),
        (NOW, "2026-11-27T09:00:00+00:00"),
        (timedelta(seconds=90), 90.0),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x01\xff", "\\x01ff"),
        ([1, None, Decimal(2)], [1, None, 2]),
        (complex(1), "(1+0j)"),
    ],
)
def test_cells_are_read_as_json(cell: object, read: object) -> None:
    found = read_cell(cell)
    assert (found, type(found)) == (read, type(read))
