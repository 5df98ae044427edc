"""The documents of the JSON interface: typed, described, and the only form of each.

Every document only grows: a field that was promised stays, with its meaning.
Times are RFC 3339 in UTC, durations are seconds.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from monitor.core.findings import FindingClass, Severity
from monitor.core.incidents import EventKind, Status
from monitor.core.smoke import StepStatus
from monitor.core.standing import Standing
from monitor.core.verdict import State
from monitor.sinks.channel import FailureReason
from monitor.sinks.delivery import DeliveryStatus, Held
from monitor.web.answer import Answer
from monitor.web.check_answers import CheckAnswer


class ErrorBody(Answer):
    """What went wrong and what to do."""

    code: str = Field(description="A bounded word.")
    message: str = Field(description="What is wrong, in one sentence.")
    next: str = Field(description="The next step.")


class ErrorAnswer(Answer):
    """The one shape of every error."""

    format: Literal[1] = 1
    error: ErrorBody


class EvidenceAnswer(Answer):
    """One attribute, as it should be and as it is."""

    name: str
    expected: Any = Field(description="null when there should be nothing.")
    actual: Any = Field(description="null when there is nothing.")


class FindingAnswer(Answer):
    """One thing that is wrong."""

    id: str = Field(description="The same as long as it is the same object and rule.")
    code: str = Field(description="The rule; `anchorwatch explain CODE` tells more.")
    severity: Severity
    finding_class: FindingClass = Field(serialization_alias="class")
    kind: str | None = Field(description="Kind of the object; null for the whole database.")
    schema_name: str | None = Field(serialization_alias="schema")
    parent: str | None = Field(description="The table, view, domain or server it belongs to.")
    name: str | None
    title: str = Field(description="One sentence.")
    evidence: tuple[EvidenceAnswer, ...]
    remedy: str = Field(description="The next step.")
    why: str = Field(description="Why it matters.")
    digest: str = Field(description="Another one as soon as anything about it differs.")
    acceptable: bool = Field(description="Whether it can be accepted; not what nobody could see.")


class AcceptedAnswer(FindingAnswer):
    """A finding that is accepted as it is, and not told."""

    reason: str
    until: date | None = Field(description="The last day of it; null for good.")
    by: str
    at: datetime


class RuleAnswer(Answer):
    """A rule of the configuration."""

    code: str = Field(description="A pattern for codes.")
    object: str = Field(description="A pattern for objects.")


class IgnoredAnswer(FindingAnswer):
    """A finding that a rule of the configuration ignores, and that is not told."""

    reason: str
    until: date | None = Field(description="The last day of the rule; null for good.")
    rule: RuleAnswer


class AcceptanceAnswer(Answer):
    """What somebody accepted, whether it is there at the moment or not."""

    id: str = Field(description="Of the finding.")
    code: str
    kind: str | None
    schema_name: str | None = Field(serialization_alias="schema")
    parent: str | None
    name: str | None
    title: str
    digest: str = Field(description="With another one the finding is told again.")
    reason: str
    until: date | None = Field(description="The last day of it; null for good.")
    by: str
    at: datetime
    standing: Standing = Field(description="What it does, as the last look saw it.")


class AcceptanceList(Answer):
    """Acceptances at one database."""

    format: Literal[1] = 1
    environment: str
    database: str
    accepted: tuple[AcceptanceAnswer, ...]


class Choice(Answer):
    """A finding that is to be accepted."""

    id: str = Field(max_length=100)
    digest: str | None = Field(
        default=None, max_length=100, description="As it was seen: it is refused with another one."
    )


class AcceptRequest(Answer):
    """What is to be accepted, and why."""

    findings: Annotated[tuple[Choice, ...], Field(min_length=1)] | None = Field(
        default=None, description="Which; without it all that the last look found."
    )
    seen: str | None = Field(
        default=None,
        max_length=100,
        description="Of all, as a database's document has it: refused when others are there.",
    )
    reason: str = Field(description="Why it is right as it is.")
    until: str | None = Field(default=None, description="The last day of it, `2027-01-31`.")
    by: str = Field(default="the API", description="Who says so.")


class UnknownAnswer(Answer):
    """Something that could not be looked at: never counted as fine."""

    finding_class: FindingClass = Field(serialization_alias="class")
    code: str
    message: str
    next: str


class GraphRowAnswer(Answer):
    """One line of the history: a revision, or how many are left out."""

    cells: str = Field(description="Columns: `*` the revision, `|` a branch that passes it.")
    revision: str | None = Field(description="null where some are left out.")
    marks: tuple[str, ...] = Field(description="Where the stamp is, and the schema is not.")
    folded: int = Field(description="How many are left out here.")


class LookAnswer(Answer):
    """One look of the past."""

    at: datetime
    seconds: float
    state: State
    findings: int


class EventAnswer(Answer):
    """A change of an incident that was worth telling."""

    version: int
    kind: EventKind
    at: datetime


class DeliveryAnswer(Answer):
    """One event on its way to one channel."""

    channel: str
    version: int
    kind: EventKind
    status: DeliveryStatus
    attempts: int
    due: datetime | None = Field(description="When it is tried next, while it is pending.")
    ended: datetime | None = Field(description="When it was delivered, superseded or given up.")
    reason: FailureReason | None = Field(description="Why the last attempt failed.")
    held: Held | None = Field(
        default=None, description="Why it is kept back on purpose, while it is pending."
    )
    receipt: str | None = Field(description="What the channel answered, in one line.")
    may_have_arrived: bool = Field(description="An attempt ended without an answer.")


class AcknowledgementAnswer(Answer):
    """Who is at an incident."""

    by: str
    at: datetime
    note: str


class AcknowledgeRequest(Answer):
    """That somebody is at it."""

    note: str = Field(default="", description="What is done about it.")
    by: str = Field(default="the API", description="Who says so.")


class SilenceRequest(Answer):
    """What is to be kept quiet, and until when."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    database: str = Field(description="A name, or a pattern as a shell has them.")
    environment: str = Field(default="*", description="A name, or a pattern.")
    finding_class: str | None = Field(
        default=None, alias="class", description="Only findings of this class."
    )
    object: str = Field(default="*", description="Only what is about these objects.")
    reason: str = Field(description="Why.")
    duration: str | None = Field(
        default=None, alias="for", description="How long: `30m`, `2h`, `7d`, a month at most."
    )
    until: str | None = Field(default=None, description="Until when instead.")
    by: str = Field(default="the API", description="Who says so.")


class SilenceAnswer(Answer):
    """What is kept quiet."""

    id: str
    environment: str
    database: str
    finding_class: FindingClass | None = Field(serialization_alias="class")
    object: str
    reason: str
    by: str
    at: datetime
    until: datetime


class SilenceList(Answer):
    """Every silence that holds, the first to end first."""

    format: Literal[1] = 1
    silences: tuple[SilenceAnswer, ...]


class ChannelAnswer(Answer):
    """One channel, and what waits for it."""

    name: str
    kind: str
    pending: int = Field(description="Messages that wait; not those kept back on purpose.")
    oldest: datetime | None = Field(description="When the oldest of them was decided.")
    dead: int = Field(description="Messages that were given up.")
    broken: str | None = Field(description="The incident about it, while it takes nothing.")


class ChannelList(Answer):
    """Every channel that is configured."""

    format: Literal[1] = 1
    channels: tuple[ChannelAnswer, ...]


class TrialAnswer(Answer):
    """What became of a test message."""

    format: Literal[1] = 1
    name: str
    ok: bool
    receipt: str | None = Field(description="What the channel answered.")
    error: ErrorBody | None = Field(description="Why it was not taken.")


class IncidentAnswer(Answer):
    """The findings of one class on one database over time."""

    id: str
    environment: str
    database: str
    finding_class: FindingClass = Field(serialization_alias="class")
    status: Status
    severity: Severity
    headline: str = Field(description="What is wrong, in a few words.")
    cause: str = Field(description="What has most likely led to it; empty where nobody can say.")
    command: str = Field(description="The command that shows more of it.")
    acknowledged: AcknowledgementAnswer | None = Field(description="Who is at it.")
    flapping_since: datetime | None = Field(
        description="Since when it comes and goes, while nothing is said of that."
    )
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime | None = Field(description="When people were told first.")
    resolved_at: datetime | None
    was_there_at_first_look: bool
    waived: int = Field(description="Findings that it ended with, ignored or accepted.")
    findings: tuple[FindingAnswer, ...]


class LookRunAnswer(Answer):
    """Looks one after another that saw as much as each other."""

    first: datetime
    last: datetime
    looks: int
    state: State
    findings: int = Field(description="How many there were at the database altogether.")


class EarlierLooksAnswer(Answer):
    """Looks of which only the sum of each hour is kept: of hours one after another, alike."""

    since: datetime = Field(description="When the first of these hours began.")
    until: datetime = Field(description="When the last of them ended.")
    looks: int
    state: State
    findings_least: int = Field(description="How many the look found that found least.")
    findings_most: int = Field(description="How many the look found that found most.")


class IncidentDetail(IncidentAnswer):
    """An incident with what was told about it, and where."""

    events: tuple[EventAnswer, ...]
    deliveries: tuple[DeliveryAnswer, ...]
    looks: tuple[LookRunAnswer, ...] = Field(
        description="The looks while it lasted, the newest first, as far as they are kept."
    )
    looks_are_whole: bool = Field(description="Whether no look while it lasted is left out.")
    earlier_looks: tuple[EarlierLooksAnswer, ...] = Field(
        description="What is left of looks before those, by whole hours, the newest first."
    )


class DatabaseAnswer(Answer):
    """One watched database, as the last look left it."""

    name: str
    environment: str
    state: State
    since: datetime | None = Field(description="When the state was entered; null before a look.")
    revision: str | None = Field(description="What is stamped, several joined by commas.")
    expected: str | None = Field(description="The expected heads, several joined by commas.")
    differences: int | None = Field(
        description="Schema differences; null when the schema could not be judged."
    )
    last_look: datetime | None
    state_code: int = Field(description="The state's number in metrics; 0 is in_sync.")
    severity: Severity = Field(description="The worse of the state's and the worst finding's.")
    summary: str = Field(description="One sentence.")
    by_severity: dict[Severity, int] = Field(description="Findings of each severity.")
    difference_severities: dict[Severity, int] = Field(
        description="The schema differences of each severity."
    )
    pending: int | None = Field(
        description="Revisions that an upgrade would still run; null where that is not known."
    )
    orphans: int | None = Field(
        description="Rows without a parent, at least; null where nobody has counted."
    )
    smoke: StepStatus | None = Field(
        description="The worst of its smoke suites; null where none has run."
    )
    waived: dict[str, int] = Field(description="Findings that are not told: accepted, ignored.")
    window_until: datetime | None = Field(description="The end of the open deploy window.")
    last_success: datetime | None = Field(description="When the schema was last read.")
    interval: float | None = Field(
        description="Seconds between looks; null if only when asked, or not configured."
    )
    compared_with: str | None = Field(description="Where the expectation comes from.")
    enabled: bool
    overdue: bool = Field(description="No look for three intervals: what is shown is old.")
    looking: bool = Field(description="A look is running, or comes as soon as it may.")
    problem: str | None = Field(description="What is wrong with its configuration.")


class DatabaseDetail(DatabaseAnswer):
    """One database with everything that is known of it."""

    findings: tuple[FindingAnswer, ...]
    seen: str = Field(description="Stands for all that can be accepted here, as it is.")
    accepted: tuple[AcceptedAnswer, ...] = Field(description="Wrong, and accepted as it is.")
    ignored: tuple[IgnoredAnswer, ...] = Field(description="Wrong, and ignored by a rule.")
    unknowns: tuple[UnknownAnswer, ...]
    checks: tuple[CheckAnswer, ...] = Field(
        description="What is looked at beside the schema, each check as it was done last."
    )
    notes: tuple[str, ...]
    server_version: int | None = Field(description="As `server_version_num`.")
    incidents: tuple[IncidentAnswer, ...]
    looks: tuple[LookAnswer, ...]
    graph: tuple[GraphRowAnswer, ...] = Field(
        description="The history, the newest revision first; empty where none is expected."
    )


class DatabaseList(Answer):
    """Every watched database."""

    format: Literal[1] = 1
    databases: tuple[DatabaseAnswer, ...]
    warnings: tuple[str, ...] = Field(description="What is wrong with the agent's own setup.")


class NewsAnswer(Answer):
    """One database that was looked at."""

    environment: str
    name: str
    state: State
    last_look: datetime | None
    changed: bool = Field(description="Whether more than the time of the last look is new.")


class NewsList(Answer):
    """What is new since the last event."""

    format: Literal[1] = 1
    databases: tuple[NewsAnswer, ...]


class DatabasePage(DatabaseDetail):
    """One database, as a document of its own."""

    format: Literal[1] = 1


class LockKept(Answer):
    """A lock that was pushed."""

    format: Literal[1] = 1
    name: str
    environment: str
    commit: str = Field(description="Of the code that it was built from.")
    status: Literal["new", "same"] = Field(description="`same` where it was kept already.")


class LookAsked(Answer):
    """A look was asked for; one that was running already serves as well."""

    format: Literal[1] = 1
    name: str
    environment: str
    last_look: datetime | None = Field(
        description="The last look so far: the one asked for is done when there is another."
    )


class IncidentList(Answer):
    """Incidents, the newest first."""

    format: Literal[1] = 1
    incidents: tuple[IncidentAnswer, ...]


class IncidentPage(IncidentDetail):
    """One incident, as a document of its own."""

    format: Literal[1] = 1
