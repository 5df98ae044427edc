"""What is said of an incident as it stands now, or why nothing is for the moment."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from monitor.core.findings import FindingClass, Severity
from monitor.core.incidents import EventKind, Incident, Status
from monitor.core.message import UNKNOWN, Surroundings
from monitor.core.silence import Silence, is_silenced
from monitor.sinks.delivery import Delivery, Held

_NEVER_EXPLAINED: Final = frozenset(
    {FindingClass.UNREACHABLE, FindingClass.DEPLOY, FindingClass.CHANNEL}
)


def choose_kind(
    kind: EventKind, incident: Incident, *, has_told: bool, minimum: Severity
) -> EventKind | None:
    """What is to be said about an incident as it stands now; None for nothing.

    Holds: an end is told to those who were told of a beginning, however mild it was at
    last; the first word about an incident is always "opened".
    """
    if kind is EventKind.VERDICT:
        return kind
    if kind is EventKind.RESOLVED:
        return kind if has_told else None
    if incident.status is Status.RESOLVED or incident.severity.rank < minimum.rank:
        return None
    return kind if has_told else EventKind.OPENED


class Scene(NamedTuple):
    """What a delivery is decided on, beside its incident.

    Attributes:
        minimum: how bad a thing must be to go to the channel.
        told: the incidents that the channel knows of.
        newer: what is open where an incident is over, of the same class and database, by the
            id of that incident; nothing for a channel that keeps them apart by itself.
        silences: those that may hold.
        unreachable: environment and name of the databases that cannot be reached, or so it
            seems.
        now: the time.
    """

    minimum: Severity
    told: Collection[str]
    newer: Mapping[str, Incident]
    silences: Sequence[Silence]
    unreachable: Collection[tuple[str, str]]
    now: datetime


def choose_word(kind: EventKind, incident: Incident, scene: Scene) -> EventKind | Held | None:
    """What is said of an incident now, or why nothing is for the moment; None for never.

    Args:
        kind: what happened.
        incident: as it stands now.
        scene: what else it is decided on.
    """
    said = choose_kind(kind, incident, has_told=incident.id in scene.told, minimum=scene.minimum)
    if said is None:
        return None
    newer = scene.newer.get(incident.id)
    if newer is not None and newer.severity.rank >= scene.minimum.rank:
        # Its beginning says how it stands: an end that came after it would be wrong.
        return None if newer.id in scene.told else Held.OVERTAKEN
    return choose_hold(incident, scene) or said


def choose_hold(incident: Incident, scene: Scene) -> Held | None:
    """Why nothing is said of an incident for now; None where it may be told.

    Of a database that cannot be reached, or so it seems, that alone is told: what else is
    wrong with it follows from that, or is nobody's first worry. A deployment's verdict was
    waited for, and says so itself.
    """
    if is_silenced(incident, scene.silences, scene.now):
        return Held.SILENCED
    if incident.finding_class in _NEVER_EXPLAINED:
        return None
    place = (incident.environment, incident.database)
    return Held.INHIBITED if place in scene.unreachable else None


class Told(NamedTuple):
    """A delivery, and what is said of its incident as that stands now."""

    delivery: Delivery
    incident: Incident
    kind: EventKind


class Bundle(NamedTuple):
    """What goes out in one message.

    Attributes:
        told: what it tells.
        thread: the receipt of what the channel took of all of these before.
        incidents: those that the head of that thread is about.
        around: what is known beside, of a message about one database.
    """

    told: Sequence[Told]
    thread: str | None = None
    incidents: Sequence[Incident] = ()
    around: Surroundings = UNKNOWN

    @property
    def deliveries(self) -> list[Delivery]:
        """The rows that it is made of."""
        return [one.delivery for one in self.told]


def choose_head(incident: Incident) -> EventKind:
    """How an incident stands, at the head of a thread."""
    is_over = incident.status is Status.RESOLVED
    return EventKind.RESOLVED if is_over else EventKind.OPENED
