"""Laws of telling, over hours of a simulated clock: real steps, ledger, outbox and courier.

Looks, silences, channels that fail or answer too late, agents that die with what they hold,
agents that start again and a clock that is set come in any order. Whatever comes: nobody is
told of an end who knows of no beginning, at most one message of a kind goes to people within an
interval, and when all is calm again everybody knows how it stands.
"""

import asyncio
import shutil
import tempfile
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.core.findings import Finding, FindingClass
from monitor.core.flapping import WITHIN
from monitor.core.grouped import SEVERAL
from monitor.core.incidents import Status
from monitor.core.message import Message
from monitor.core.report import Report
from monitor.core.rules import CANNOT_LOOK, UNREACHABLE
from monitor.core.silence import silence
from monitor.core.step import step
from monitor.core.verdict import State
from monitor.sinks.channel import ChannelKind, FailureReason
from monitor.sinks.claims import Claim
from monitor.sinks.delivery import Grouping
from monitor.sinks.outbox import LEASE, Courier, Route
from monitor.sinks.store import Decision, Store, open_store
from tests.sinks.builders import NOW, a_failure, a_finding, a_record, sqlite_url
from tests.sinks.test_outbox import hurry

MINUTE = timedelta(minutes=1)
GROUPING = Grouping(wait=timedelta(seconds=10), interval=5 * MINUTE)
DATABASES = ("app", "billing", "crm")
SIGHTS = ("clean", "drift", "more", "down", "blind")
CHANNELS = {"chat": ChannelKind.SLACK, "hook": ChannelKind.WEBHOOK}


class Place(NamedTuple):
    """What somebody takes for open or over: people know databases, machines incidents."""

    database: str
    found: FindingClass
    incident: str


class Arrival(NamedTuple):
    """A message as it arrived, whether the sender knows that it did, and by which clock."""

    at: datetime
    message: Message
    is_receipted: bool
    clock: int = 0


class Receiver:
    """A channel as its reader sees it: what arrived, and what was answered."""

    def __init__(self, name: str, kind: ChannelKind) -> None:
        self.name = name
        self.kind = kind
        self.took: list[Arrival] = []
        self.unsure: set[Place] = set()
        """What an agent died with: it may have sent it, for all that the next one knows."""
        self.answers: list[str] = []
        self.clock = 0

    def find_place(self, database: str, found: FindingClass, incident: str) -> Place:
        """Where the reader files it.

        By the database alone a machine would take the end of an incident for that of the next
        one, where the clock was set back between them.
        """
        is_machine = self.kind is ChannelKind.WEBHOOK
        return Place(database, found, incident if is_machine else "")

    async def send(self, message: Message, *, attempt_at: datetime) -> str:
        answer = self.answers.pop(0) if self.answers else "ok"
        if answer == "refused":
            raise a_failure()
        self.took.append(Arrival(attempt_at, message, answer == "ok", self.clock))
        if answer == "unanswered":
            raise a_failure(FailureReason.TIMEOUT)
        return "ok"


def make_findings(database: str, sight: str) -> tuple[Finding, ...]:
    place = {"database": database}
    match sight:
        case "drift":
            return (a_finding("orders", **place),)
        case "more":
            return (a_finding("orders", **place), a_finding("users", **place))
        case "down":
            return (a_finding(code=UNREACHABLE.code, key=None, **place),)
        case "blind":
            return (a_finding(code=CANNOT_LOOK.code, key=None, **place),)
        case _:
            return ()


STATES = {
    "clean": State.IN_SYNC,
    "drift": State.DRIFTED,
    "more": State.DRIFTED,
    "down": State.UNREACHABLE,
    "blind": State.UNKNOWN,
}


class Telling(RuleBasedStateMachine):
    """An agent, its ledger, a chat, a webhook and the hours."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.opening = open_store(sqlite_url(self.directory / "ledger.db"))
        self.store: Store = self.runner.run(self.opening.__aenter__())
        self.receivers = {name: Receiver(name, kind) for name, kind in CHANNELS.items()}
        self.now = NOW
        self.looks: dict[str, int] = defaultdict(int)
        self.sights: dict[str, str] = {}
        self.classes: dict[str, FindingClass] = {}
        self.silences = 0
        self.holder = 0
        self.restart()

    @rule()
    def restart(self) -> None:
        """Another process: nothing is remembered but what the ledger holds."""
        self.holder += 1
        self.courier = Courier(
            self.store,
            [Route(channel=one) for one in self.receivers.values()],
            holder=f"agent {self.holder}",
            luck=lambda: 0.5,
            sleep=hurry,
            grouping=GROUPING,
        )

    @rule(
        database=st.sampled_from(DATABASES), sight=st.sampled_from(SIGHTS), times=st.integers(1, 3)
    )
    def look(self, database: str, sight: str, times: int) -> None:
        """The database looks like that for some looks, a minute apart."""
        for _ in range(times):
            self.now += MINUTE
            self.runner.run(self._look(database, sight))
        self.sights[database] = sight

    async def _look(self, database: str, sight: str) -> None:
        report = Report(
            environment="production",
            database=database,
            at=self.now,
            seconds=0.1,
            state=STATES[sight],
            findings=make_findings(database, sight),
        )
        unresolved, ended = await self.store.load_recent("production", database, self.now - WITHIN)
        decided = step(unresolved, report, ended=ended)
        self.looks[database] += 1
        looks = self.looks[database]
        record = a_record(looks, self.now, database=database)
        assert await self.store.commit(
            Decision(
                record=record,
                looks_before=looks - 1 or None,
                incidents=decided.incidents,
                events=decided.events,
                channels=tuple(CHANNELS),
            )
        )

    @rule(minutes=st.integers(1, 90))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(hours=st.integers(-6, 6))
    def set_clock(self, hours: int) -> None:
        """The clock of the machine is set: no time passes."""
        self.now += timedelta(hours=hours)
        for receiver in self.receivers.values():
            receiver.clock += 1

    @rule(seconds=st.integers(1, 20))
    def deliver(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.runner.run(self.courier.deliver_due(self.now))

    @rule(
        name=st.sampled_from(sorted(CHANNELS)),
        answers=st.lists(st.sampled_from(["ok", "refused", "unanswered"]), max_size=4),
    )
    def trouble(self, name: str, answers: list[str]) -> None:
        """The channel answers like that for a while."""
        self.receivers[name].answers = answers

    @rule(name=st.sampled_from(sorted(CHANNELS)))
    def die(self, name: str) -> None:
        """An agent takes what is due, and is gone: nobody ever hears of it again."""
        claim = Claim(now=self.now, holder="dead", lease=LEASE, channel=name)
        for delivery in self.runner.run(self.store.claim_group(claim, GROUPING)):
            incident = self.runner.run(self.store.load_incident(delivery.incident))
            assert incident is not None
            receiver = self.receivers[name]
            place = receiver.find_place(incident.database, incident.finding_class, incident.id)
            receiver.unsure.add(place)

    @rule(database=st.sampled_from([*DATABASES, "*"]), minutes=st.integers(1, 120))
    def hush(self, database: str, minutes: int) -> None:
        self.silences += 1
        made = silence(
            id=f"s{self.silences}",
            environment="*",
            database=database,
            finding_class=None,
            object="*",
            reason="we know",
            by="ann",
            at=self.now,
            until=self.now + minutes * MINUTE,
        )
        self.runner.run(self.store.add_silence(made))

    @precondition(lambda self: self.silences > 0)
    @rule(data=st.data())
    def speak(self, data: st.DataObject) -> None:
        which = data.draw(st.integers(1, self.silences))
        self.runner.run(self.store.end_silence(f"s{which}", self.now))

    def teardown(self) -> None:
        try:
            self._calm_down()
            self._check_what_is_known()
        finally:
            self.runner.run(self.opening.__aexit__(None, None, None))
            self.runner.close()
            shutil.rmtree(self.directory)

    def _calm_down(self) -> None:
        """Everything stays as it is, everybody answers, and nothing is silenced, for days."""
        for receiver in self.receivers.values():
            receiver.answers = []
        for number in range(1, self.silences + 1):
            self.runner.run(self.store.end_silence(f"s{number}", self.now))
        for _ in range(16):
            self.now += 5 * MINUTE
            for database, sight in self.sights.items():
                self.runner.run(self._look(database, sight))
            self.deliver(20)
        for _ in range(3):
            self.now += timedelta(hours=25)
            self.deliver(20)
            self.now += GROUPING.interval
            self.deliver(20)

    def _check_what_is_known(self) -> None:
        incidents = self.runner.run(self.store.list_incidents(limit=10_000))
        certain = [one for one in incidents if one.status is not Status.SUSPECTED]
        down = {one.database for one in certain if one.finding_class is FindingClass.UNREACHABLE}
        for receiver in self.receivers.values():
            known = self._list_known(receiver)
            open_ones = {
                receiver.find_place(one.database, one.finding_class, one.id) for one in certain
            }
            for place in {*known, *open_ones}:
                if place.found is not FindingClass.UNREACHABLE and place.database in down:
                    continue  # it is kept back until the database is there again
                is_open = place in open_ones
                assert known.get(place, False) is is_open, (receiver.name, place)

    def _list_known(self, receiver: Receiver) -> dict[Place, bool]:
        """What its reader takes for open, and what for over.

        Holds: of what is over something was said before, or may have been.
        """
        known: dict[Place, bool] = {}
        for arrival in receiver.took:
            found = self._find_class(arrival.message)
            for database, is_open in read_message(arrival.message):
                place = receiver.find_place(database, found, arrival.message.incident)
                assert is_open or place in known or place in receiver.unsure
                known[place] = is_open
        return known

    @invariant()
    def nobody_is_told_of_an_end_who_knows_of_no_beginning(self) -> None:
        for receiver in self.receivers.values():
            self._list_known(receiver)

    @invariant()
    def people_get_one_message_of_a_kind_within_an_interval(self) -> None:
        """By one clock: how long ago the last one was is not known once it was set."""
        last: dict[tuple[FindingClass, int], datetime] = {}
        for arrival in self.receivers["chat"].took:
            found = self._find_class(arrival.message), arrival.clock
            if found in last:
                assert arrival.at - last[found] >= GROUPING.interval - timedelta(seconds=1)
            if arrival.is_receipted:
                last[found] = arrival.at

    def _find_class(self, message: Message) -> FindingClass:
        if message.incident not in self.classes:
            incident = self.runner.run(self.store.load_incident(message.incident))
            assert incident is not None
            self.classes[message.incident] = incident.finding_class
        return self.classes[message.incident]


def read_message(message: Message) -> list[tuple[str, bool]]:
    """The databases that a message is about, and whether it says that something is open."""
    if message.type != SEVERAL:
        return [(message.database, message.type != "incident.resolved")]
    lines = [line.partition(": ") for line in message.lines]
    return [(database, not words.startswith("resolved")) for database, _, words in lines]


class TestTelling(Telling.TestCase):  # type: ignore[misc,valid-type]  # made by hypothesis
    """In `make test`; no shrinking, for that takes as long as a campaign."""

    settings = settings(
        max_examples=10,
        stateful_step_count=25,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.long
class TestTellingLong(Telling.TestCase):  # type: ignore[misc,valid-type]  # as above
    """In `make test-long`."""

    settings = settings(
        max_examples=400,
        stateful_step_count=60,
        phases=[Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
