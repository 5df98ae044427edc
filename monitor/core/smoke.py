"""Smoke tests as values: a suite with its steps, and what came of a run.

A suite is what the configuration says, with every text taken apart and every secret in
place; `monitor.checks.smoke` runs it. An outcome holds no secret: it may be printed,
stored and sent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from monitor.core.expectation import Expectation, Path
from monitor.core.template import Filled, Template

BUILT_IN: Final = ("run_id", "now")
"""Names that every suite has: the run, and when it began (RFC 3339, UTC)."""
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing: RFC 9110, 9.2.1."""
IDEMPOTENT_METHODS: Final = (*SAFE_METHODS, "PUT", "DELETE")
"""Methods that may be sent twice: RFC 9110, 9.2.2."""


class StepStatus(StrEnum):
    """What came of a step, or of a suite, which is never skipped."""

    PASS = "pass"  # noqa: S105  # a verdict
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


_WORST_FIRST: Final = (StepStatus.FAIL, StepStatus.UNKNOWN, StepStatus.WARN, StepStatus.PASS)


class Reason(StrEnum):
    """Why a step failed or warned, or is unknown."""

    ASSERTION = "assertion"
    """An expectation does not hold."""
    TIMEOUT = "timeout"
    """The step or the suite took too long."""
    CONNECT = "connect"
    """No connection, or one that broke off."""
    TLS = "tls"
    """The certificate does not verify: expired, of another host, of no known authority."""
    CAPTURE = "capture"
    """A value that was to be captured is not there, or one is needed that never was."""
    BODY = "body"
    """The body is too large, or no JSON."""
    REQUEST = "request"
    """A value cannot stand where it is put, as a line break in a header."""
    SQL = "sql"
    """The database refused the statement."""
    DATABASE = "database"
    """The database could not be asked: the step is unknown."""


class Body(msgspec.Struct, frozen=True):
    """What a request sends.

    Attributes:
        kind: `json`, `form`, `text` or `body`, as in the configuration.
        content: of `json` any JSON, of `form` a mapping, of the others one text.
    """

    kind: str
    content: Filled


class Request(msgspec.Struct, frozen=True):
    """An HTTP step.

    Attributes:
        method: in capitals.
        url: whole, with names in its path and query only.
        headers: by name, as written.
        body: what is sent, if anything.
    """

    method: str
    url: Template
    headers: Mapping[str, Template] = {}
    body: Body | None = None


class Query(msgspec.Struct, frozen=True):
    """A SQL step: one statement, and its parameters `$1`..."""

    sql: str
    args: tuple[Filled, ...] = ()


class Retry(msgspec.Struct, frozen=True):
    """How often a step that failed is tried again, and how long after."""

    times: int = 0
    wait_seconds: float = 1.0


class SmokeStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step.

    Attributes:
        name: for people; no two of a suite have the same.
        action: what is done.
        expect: what must hold.
        warn: what should hold.
        captures: what later steps use, by name.
        retry: none for methods that may not be sent twice, unless somebody said so.
        is_always: whether it runs after a failure as well, to clean up.
        timeout_seconds: of each try.
    """

    name: str
    action: Request | Query
    expect: tuple[Expectation, ...] = ()
    warn: tuple[Expectation, ...] = ()
    captures: Mapping[str, Path] = {}
    retry: Retry = Retry()
    is_always: bool = False
    timeout_seconds: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite.

    Attributes:
        name: unique in a configuration.
        steps: in the order in which they run; at least one.
        timeout_seconds: of all steps but those that always run, which have their own.
        variables: texts by name, each of which may use those before it.
        secrets: their values by name; never shown.
        database: the configured database it belongs to, which SQL steps ask.
        every_seconds: how long after one run the next one is due; None for never.
        is_run_after_deploy: whether a deployment asks for a run.
        failures: how many runs in a row must fail before people are told.
        successes: how many must pass before it is over.
    """

    name: str
    steps: tuple[SmokeStep, ...]
    timeout_seconds: float = 60.0
    variables: Mapping[str, Template] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    database: str | None = None
    every_seconds: float | None = None
    is_run_after_deploy: bool = True
    failures: int = 3
    successes: int = 2


class StepOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one step.

    Attributes:
        name: of the step.
        status: pass, warn, fail, unknown or skipped.
        reason: why not pass; None where it passed or was skipped.
        messages: sentences for people.
        seconds: how long the last try took.
        tries: how many there were.
        curl: the command that sends the same request, secrets as `***` and captured values
            as their names; empty for SQL.
        code: the HTTP status of the last try, 0 when no answer came; None for SQL, and where
            nothing was asked or what came is not known.
        certificate_ends: when the certificate expires that the peer showed; None without TLS.
    """

    name: str
    status: StepStatus
    reason: Reason | None = None
    messages: tuple[str, ...] = ()
    seconds: float = 0.0
    tries: int = 0
    curl: str = ""
    code: int | None = None
    certificate_ends: datetime | None = None


class SuiteOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one run of a suite.

    Attributes:
        name: of the suite.
        database: the configured database it belongs to, if any.
        run_id: what its requests carried as `X-Anchorwatch-Run`.
        at: when it began, UTC.
        seconds: how long it took.
        steps: one for each step of the suite, in its order.
    """

    name: str
    database: str | None
    run_id: str
    at: datetime
    seconds: float
    steps: tuple[StepOutcome, ...]

    @property
    def status(self) -> StepStatus:
        """The worst of its steps."""
        return choose_worst(step.status for step in self.steps)

    @property
    def first_expiry(self) -> datetime | None:
        """When the first of the certificates expires that were shown; None without any."""
        ends = [step.certificate_ends for step in self.steps if step.certificate_ends]
        return min(ends, default=None)

    @property
    def worst(self) -> StepOutcome | None:
        """The first step with the status of the suite; None where all passed."""
        if self.status is StepStatus.PASS:
            return None
        return next(step for step in self.steps if step.status is self.status)


def choose_worst(statuses: Iterable[StepStatus]) -> StepStatus:
    """Fail, unknown, warn or pass: the first that is there; skipped ones say nothing."""
    seen = set(statuses)
    return next((status for status in _WORST_FIRST if status in seen), StepStatus.PASS)
