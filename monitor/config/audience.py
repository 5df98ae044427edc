"""Where people are told: platforms clone services with their variables, channels and all."""

from collections.abc import Collection
from typing import Final

import msgspec

from monitor.config.load import LoadedConfig

_STILL: Final = "What is found is recorded and shown here only."


class Audience(msgspec.Struct, frozen=True):
    """The environments in which something is sent.

    Attributes:
        listed: their names; empty for every one.
        own: the agent's own environment; None where nobody said any, so that only those
            of the databases count.
    """

    listed: tuple[str, ...] = ()
    own: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether this agent may send anything at all, by its own environment."""
        return self._is_listed(self.own) if self.own is not None else True

    def is_heard(self, environment: str) -> bool:
        """Whether people are told of what is in an environment.

        Both must be listed: a clone of an agent keeps the environments that its databases
        are said to be in, and an agent of production may watch a database of staging.
        """
        return self.is_open and self._is_listed(environment)

    def list_served(self, watched: Collection[str]) -> frozenset[str] | None:
        """The environments of which an agent takes words out of a ledger that it shares.

        Holds: what another agent may tell is left to that one: a clone that keeps the address
        of the ledger drops its own words only. None for all, where no environments are listed.

        Args:
            watched: the agent's own environment and those of its databases.
        """
        if not self.listed:
            return None
        told = self.listed if self.is_open else ()
        return frozenset(told) | (frozenset(watched) - frozenset(self.listed))

    def _is_listed(self, environment: str) -> bool:
        return not self.listed or environment in self.listed


def find_audience(loaded: LoadedConfig) -> Audience:
    """Where people are told, as the configuration says."""
    settings = loaded.settings
    own = settings.environment if "environment" in loaded.origins else None
    return Audience(settings.environments, own)


def describe_silence(loaded: LoadedConfig) -> list[str]:
    """A sentence for each reason why nothing is sent of some of the databases."""
    settings, audience = loaded.settings, find_audience(loaded)
    listed = ", ".join(audience.listed)
    if not audience.is_open:
        reason = f"the environment {audience.own} is not among `environments` ({listed})"
        return [f"Nothing is sent anywhere: {reason}. {_STILL}"]
    places = {
        name: database.environment or settings.environment
        for name, database in settings.databases.items()
    }
    silent = [
        f"{name} ({environment})"
        for name, environment in places.items()
        if not audience.is_heard(environment)
    ]
    if not silent:
        return []
    reason = f"`environments` lists only {listed}"
    return [f"Nothing is sent of {', '.join(silent)}: {reason}. {_STILL}"]
