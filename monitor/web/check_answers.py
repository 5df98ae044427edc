"""The checks of a database beside its schema, as documents of the JSON interface."""

from datetime import datetime

from pydantic import Field

from monitor.core.checkup import CheckName
from monitor.core.findings import Severity
from monitor.core.smoke import StepStatus
from monitor.web.answer import Answer


class CheckedRelationAnswer(Answer):
    """What is known of the rows of one relation."""

    name: str
    orphans: int | None = Field(
        description="Rows without a parent, at least; null where nobody has counted."
    )
    complete: bool = Field(description="Whether the last look has looked at every row.")
    counted_at: datetime | None = Field(description="When the last whole count ended.")
    problem: str | None = Field(description="Why the last look could not count.")


class CheckedAssertionAnswer(Answer):
    """How one assertion stands."""

    name: str
    holds: bool | None = Field(description="Null where nobody has ever evaluated it.")
    problem: str | None = Field(description="Why it could not be evaluated the last time.")


class CheckedStepAnswer(Answer):
    """One step of the last run of a suite."""

    name: str
    status: StepStatus
    http_status: int | None = Field(description="0 where no answer came; null for a query.")
    seconds: float


class CheckedSuiteAnswer(Answer):
    """One smoke suite as its last run left it."""

    name: str
    status: StepStatus
    at: datetime = Field(description="When the last run began.")
    seconds: float
    failures: int = Field(description="Runs in a row that did not pass.")
    certificate_ends: datetime | None = Field(
        description="When the first certificate expires that it saw; null without TLS."
    )
    steps: tuple[CheckedStepAnswer, ...]


class CheckAnswer(Answer):
    """One check as it was done last."""

    name: CheckName
    at: datetime
    seconds: float
    last_success: datetime | None = Field(description="When it could be done last.")
    failures: int = Field(description="Times in a row that it could not be done.")
    summary: str
    problem: str | None = Field(description="Why it could not be done the last time.")
    severity: Severity | None = Field(description="The worst of what it found; null for nothing.")
    complete: bool = Field(
        description="Whether the last time told of all that it looks at; what it did not tell of "
        "is not known to be right."
    )
    relations: tuple[CheckedRelationAnswer, ...]
    assertions: tuple[CheckedAssertionAnswer, ...]
    suites: tuple[CheckedSuiteAnswer, ...]
