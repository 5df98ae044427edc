"""When a channel counts as broken, and what is said of it."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.channel_health import (
    PATIENCE,
    Health,
    break_channel,
    has_recovered,
    judge_channel,
    mend_channel,
    name_channel,
)
from monitor.core.incidents import EventKind, Status
from monitor.core.message import compose
from tests.sinks.builders import NOW

MINUTE = timedelta(minutes=1)
AGO = st.none() | st.integers(0, 60).map(lambda minutes: NOW - minutes * MINUTE)


def health(
    *, taken: int | None = None, lost: int | None = None, waiting: int | None = None
) -> Health:
    """Each so many minutes ago."""
    ago = {"taken": taken, "lost": lost, "waiting": waiting}
    said = {key: NOW - value * MINUTE for key, value in ago.items() if value is not None}
    return Health(channel="slack", reason="gone", **said)


@pytest.mark.parametrize(
    ("seen", "is_broken"),
    [
        (health(), False),
        (health(taken=1), False),
        (health(lost=1), True),
        (health(lost=1, taken=2), True),
        (health(lost=2, taken=1), False),
        (health(waiting=14), False),
        (health(waiting=15), True),
        (health(waiting=60, taken=1), False),  # a long queue that moves
        (health(waiting=60, taken=15), True),
        (health(waiting=15, taken=60), True),
    ],
)
def test_a_channel_is_broken_when_it_lost_something_or_takes_nothing(
    seen: Health, *, is_broken: bool
) -> None:
    assert (judge_channel(seen, NOW) is not None) is is_broken


@given(taken=AGO, lost=AGO, waiting=AGO)
def test_what_it_takes_now_ends_every_trouble(
    taken: object, lost: object, waiting: object
) -> None:
    """And whoever has taken something since is not said to be broken again for the same."""
    said = {"taken": taken, "lost": lost, "waiting": waiting}
    seen = msgspec.convert({"channel": "slack", **said}, Health)
    trouble = judge_channel(seen, NOW)
    if trouble is None:
        return
    assert trouble.since <= NOW
    incident, _ = break_channel("production", "slack", trouble, NOW)
    assert not has_recovered(incident, seen, NOW)
    later = msgspec.structs.replace(seen, taken=NOW + MINUTE)
    assert has_recovered(incident, later, NOW + MINUTE)
    assert judge_channel(later, NOW + MINUTE) is None
    assert judge_channel(later, NOW + MINUTE + PATIENCE - MINUTE) is None


def test_what_people_read_of_it() -> None:
    trouble = judge_channel(health(waiting=20), NOW)
    assert trouble is not None
    incident, event = break_channel("production", "slack", trouble, NOW)
    message = compose(incident, event.kind, delivery="01X", at=NOW)
    assert message.headline == (
        "CRITICAL channel slack (production): It has taken no message for 20 min: gone"
    )
    assert message.command == "anchorwatch notify --test slack"
    assert (message.subject, message.database) == ("slack", "channel slack")
    over, last = mend_channel(incident, NOW + 70 * MINUTE)
    assert (over.status, last.kind, last.version) == (Status.RESOLVED, EventKind.RESOLVED, 2)
    message = compose(over, last.kind, delivery="01Y", at=last.at)
    assert message.headline == (
        "RESOLVED channel slack (production): it takes messages again after 1 h"
    )


def test_two_agents_that_see_the_same_make_the_same_incident() -> None:
    trouble = judge_channel(health(lost=3), NOW)
    assert trouble is not None
    first, _ = break_channel("production", "slack", trouble, NOW)
    second, _ = break_channel("production", "slack", trouble, NOW + MINUTE)
    assert first.id == second.id
    assert name_channel(first) == "slack"
