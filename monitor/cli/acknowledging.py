"""What `anchorwatch ack` does."""

from datetime import UTC, datetime

from monitor.cli.choices import Format
from monitor.cli.incident_showing import describe_incident, make_unknown
from monitor.cli.loop import run_loop
from monitor.cli.output import print_json, print_text
from monitor.cli.person import name_person
from monitor.cli.settings import load_settings
from monitor.core.acknowledgement import Acknowledgement, acknowledge
from monitor.core.errors import UsageError
from monitor.core.incidents import Incident, Status, note
from monitor.core.message import describe_class
from monitor.core.printing import clean
from monitor.sinks.visit import visit_store


def run_acknowledge(
    which: str, *, note: str, withdraw: bool, form: Format, config: str | None
) -> None:
    """Note in the ledger who is at an incident, and print it.

    Raises:
        AnchorwatchError: the ledger cannot be used, or there is no such incident that is open.
    """
    url = load_settings(config).settings.store_url.get_secret_value()
    after = run_loop(_write(url, which, note, withdraw=withdraw))
    if form is Format.JSON:
        print_json({"incident": describe_incident(after)})
    else:
        print_text(_say(after))


async def _write(url: str, which: str, words: str, *, withdraw: bool) -> Incident:
    async with visit_store(url) as store:
        incident = await store.load_incident(which)
        if incident is None:
            raise make_unknown(which)
        known = None if withdraw else make_acknowledgement(incident, words, name_person())
        await store.acknowledge(incident.id, known)
    return note(incident, known)


def make_acknowledgement(incident: Incident, words: str, by: str) -> Acknowledgement:
    """The acknowledgement of what is wrong now.

    Raises:
        UsageError: it is over, or the note is an essay.
    """
    if incident.status is Status.RESOLVED:
        raise UsageError(
            "The incident is over.", next_step="`anchorwatch incidents` lists what is not."
        )
    return acknowledge(
        incident.severity, incident.findings, by=by, note=words, at=datetime.now(UTC)
    )


def _say(incident: Incident) -> str:
    about = (
        f"{incident.id}, {clean(describe_class(incident))} of {clean(incident.database)} "
        f"({clean(incident.environment)})"
    )
    if incident.acknowledged is None:
        return f"Nobody is at {about} any more: reminders come again."
    return f"Acknowledged {about}. Nobody is reminded of it, until it becomes worse."
