"""What the web application is given: values and functions, never settings."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from monitor.core.acknowledgement import Acknowledgement
from monitor.core.checkup import CheckRecord
from monitor.core.deployment import Deployment
from monitor.core.incidents import Event, Incident
from monitor.core.masking import Masker, make_masker
from monitor.core.record import Record
from monitor.core.silence import Silence
from monitor.core.waivers import Acceptance
from monitor.sinks.delivery import Backlog, Outcome
from monitor.sinks.locks import Keeping
from monitor.sinks.past_looks import Look, Run, Stretch
from monitor.sinks.trial import Tried


class Ledger(Protocol):
    """What is read of the ledger, and what people write; all may raise a ``StoreError``."""

    async def list_records(self) -> Sequence[Record]:
        """Every database that was ever looked at and is still watched."""
        ...

    async def load(self, environment: str, database: str) -> Record | None:
        """One database; None when it was never looked at."""
        ...

    async def number_looks(self) -> Mapping[tuple[str, str], int]:
        """How many looks and checks there were at each database."""
        ...

    async def list_checks(
        self, environment: str | None = None, database: str | None = None
    ) -> Sequence[CheckRecord]:
        """Every check that was ever done at a database that is still watched, or at one."""
        ...

    async def list_incidents(
        self,
        environment: str | None = None,
        database: str | None = None,
        *,
        include_resolved: bool = False,
        limit: int = 100,
    ) -> Sequence[Incident]:
        """Incidents, the newest first."""
        ...

    async def load_incident(self, incident: str) -> Incident | None:
        """One incident."""
        ...

    async def list_events(self, incident: str) -> Sequence[Event]:
        """What was told about an incident."""
        ...

    async def list_deliveries(self, incident: str) -> Sequence[Outcome]:
        """Where it was told."""
        ...

    async def list_looks(self, environment: str, database: str, limit: int) -> Sequence[Look]:
        """The last looks, the newest first."""
        ...

    async def find_oldest(self, environment: str, database: str) -> datetime | None:
        """When the oldest single look began that is kept."""
        ...

    async def list_runs(
        self,
        environment: str,
        database: str,
        limit: int,
        *,
        since: datetime,
        until: datetime | None = None,
    ) -> Sequence[Run]:
        """The single looks of a time, the newest first, those alike in one."""
        ...

    async def sum_up_looks(
        self,
        environment: str,
        database: str,
        since: datetime,
        span: timedelta,
        *,
        until: datetime | None = None,
    ) -> Sequence[Stretch]:
        """Looks since a moment, by spans and states, the oldest first."""
        ...

    async def list_deployments(self, *, limit: int = 100) -> Sequence[Deployment]:
        """The last deployments that were reported, the youngest first."""
        ...

    async def list_acceptances(self, environment: str, database: str) -> Sequence[Acceptance]:
        """What is accepted at a database."""
        ...

    async def accept(self, acceptances: Iterable[Acceptance]) -> None:
        """Write acceptances: all of them, or none."""
        ...

    async def withdraw(
        self, environment: str, database: str, findings: Collection[str]
    ) -> Collection[str]:
        """Take back the acceptances of these findings; those that there were."""
        ...

    async def acknowledge(self, incident: str, known: Acknowledgement | None) -> None:
        """Note who is at an incident; None for nobody."""
        ...

    async def list_silences(self, after: datetime | None = None) -> Sequence[Silence]:
        """What is kept quiet, the first to end first."""
        ...

    async def add_silence(self, silence: Silence) -> None:
        """Keep something quiet."""
        ...

    async def end_silence(self, silence: str, at: datetime) -> Silence | None:
        """End it; None where there is none that holds."""
        ...

    async def count_outbox(self, served: Collection[str] | None) -> Mapping[str, Backlog]:
        """What waits and what was given up, by channel."""
        ...

    async def list_broken(self, environment: str) -> Sequence[Incident]:
        """The incidents of the channels that take nothing."""
        ...


class Push(Protocol):
    """Keeps what a pipeline brings."""

    async def __call__(
        self, place: tuple[str, str], body: bytes, commit: str, *, anew: bool
    ) -> Keeping:
        """Keep a lock for the database of an environment and name.

        Raises:
            DamagedFile: it is no lock.
            StoreError: the ledger cannot be read or written.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """One database of the configuration.

    Attributes:
        name: its configured name.
        environment: where it runs.
        expected: what it is compared with, in a word for people; None where
            the first settled snapshot stands for it.
        interval_seconds: how often it is looked at; None for only when asked.
        is_enabled: whether it is looked at.
        is_looking: whether a look is running, or comes as soon as it may.
        problem: what is wrong with its configuration, without secrets.
        services: those whose deployments concern it; none for all.
    """

    name: str
    environment: str
    expected: str | None
    interval_seconds: float | None
    is_enabled: bool = True
    is_looking: bool = False
    problem: str | None = None
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that the pages, the JSON interface and the health checks know.

    Attributes:
        store: the ledger.
        environment: where the agent runs.
        api_token: opens everything; None when none is configured.
        metrics_token: opens ``/metrics`` and nothing else.
        push_token: lets a pipeline push locks, and opens nothing else.
        railway_secret: the last part of the address that Railway posts to.
        deploy_secret: the same of pipelines.
        is_loopback: whether only this machine can connect.
        public_host: the name by which people reach the page; None where none is configured.
        render_metrics: the text exposition of all databases, or of some.
        is_alive: whether the agent makes progress.
        is_ready: the reasons why it is not ready; none when it is.
        configured: the databases of the configuration as it is now.
        load_snapshot: the last snapshot of an environment's database as JSON.
        push: keeps a lock for an environment's database.
        deployed: notes a deployment, to be looked at; False where it was noted before, None
            where it concerns no database here.
        channels: name and kind of each channel that is configured.
        served: the environments whose words go there; None for all.
        try_channel: sends a test message to the channel of a name; None where there is none.
        ask: asks for a look at an environment's database; False when nobody here
            looks at it.
        version: of the agent.
        clock: the time, aware.
        warnings: sentences that every page shows.
    """

    store: Ledger
    environment: str
    api_token: str | None = field(repr=False)
    metrics_token: str | None = field(repr=False)
    push_token: str | None = field(repr=False)
    railway_secret: str | None = field(repr=False)
    deploy_secret: str | None = field(repr=False)
    is_loopback: bool
    public_host: str | None
    render_metrics: Callable[[Sequence[str] | None], bytes]
    is_alive: Callable[[], bool]
    is_ready: Callable[[], Awaitable[list[str]]]
    configured: Callable[[], Sequence[Configured]]
    load_snapshot: Callable[[str, str], Awaitable[bytes | None]]
    deployed: Callable[[Deployment], Awaitable[bool | None]]
    channels: Sequence[tuple[str, str]]
    try_channel: Callable[[str], Awaitable[Tried | None]]
    ask: Callable[[str, str], bool]
    push: Push
    version: str
    clock: Callable[[], datetime]
    warnings: Sequence[str] = ()
    served: Collection[str] | None = None

    @property
    def masker(self) -> Masker:
        """Hides everything that opens something here."""
        tokens = (self.api_token, self.metrics_token, self.push_token)
        secrets = (*tokens, self.railway_secret, self.deploy_secret)
        return make_masker(secret for secret in secrets if secret)
