"""Who is told of what, and where a message leads: what the configuration says of an incident."""

from collections.abc import Collection

from monitor.agent.choices import choose_environment
from monitor.config.audience import find_audience
from monitor.config.load import LoadedConfig
from monitor.core.findings import FindingClass
from monitor.core.incidents import Incident
from monitor.sinks.claims import Carrier


class Reach:
    """How far the word of this agent goes.

    Args:
        loaded: the configuration.
        broken: the databases whose entry in it cannot be used.
    """

    def __init__(self, loaded: LoadedConfig, *, broken: Collection[str]) -> None:
        self._settings = loaded.settings
        self._audience = find_audience(loaded)
        self._databases = {
            name: database
            for name, database in loaded.settings.databases.items()
            if database.enabled
        }
        self._broken = broken

    @property
    def is_open(self) -> bool:
        """Whether this agent tells anybody of itself."""
        return self._audience.is_open

    def link(self, database: str | None) -> str | None:
        """The page of a database; of all for None. None where no address is configured."""
        base = self._settings.public_url
        if base is None or database is None:
            return base
        # What is about a channel has a place that no database can be called.
        is_database = database in self._settings.databases or database in self._broken
        return f"{base}/databases/{database}" if is_database else f"{base}/incidents"

    def is_heard(self, incident: Incident) -> bool:
        """Whether people are told of it; of the agent's own channels its environment decides."""
        if incident.finding_class is FindingClass.CHANNEL:
            return self._audience.is_open
        return self._audience.is_heard(incident.environment)

    def is_watched(self, incident: Incident) -> bool:
        """Whether people are told of it, and somebody here will see its end."""
        if not self.is_heard(incident):
            return False
        if incident.finding_class is FindingClass.CHANNEL:
            return incident.environment == self._settings.environment
        if (database := self._databases.get(incident.database)) is not None:
            return choose_environment(self._settings, database) == incident.environment
        is_broken = incident.database in self._broken
        return is_broken and incident.environment == self._settings.environment

    @property
    def is_alone(self) -> bool:
        """Whether the ledger is a file, which is nobody else's."""
        return self._settings.store_url.get_secret_value().startswith("sqlite")

    @property
    def carrier(self) -> Carrier:
        """This agent, as one that delivers out of a ledger that others may share."""
        own = self._settings.environment
        if self.is_alone:
            return Carrier(own)
        places = {choose_environment(self._settings, one) for one in self._databases.values()}
        return Carrier(own, self._audience.list_served({own, *places}))
