"""How the settings change the patience that `monitor.core.incidents` has by itself."""

from types import MappingProxyType

import msgspec

from monitor.config.settings import Patience, Settings
from monitor.core.patience import DEFAULT_POLICY, ClassPolicy, Policy
from monitor.sinks.delivery import Grouping


def make_policy(settings: Settings) -> Policy:
    """The policy, with what the settings say in place of its defaults."""
    classes = {
        finding_class: _change(policy, settings.alerts.get_patience(finding_class))
        for finding_class, policy in DEFAULT_POLICY.classes.items()
    }
    return Policy(
        classes=MappingProxyType(classes),
        unsettled_at_most=DEFAULT_POLICY.unsettled_at_most,
        window=settings.deploy_window,
    )


def make_grouping(settings: Settings) -> Grouping:
    """How messages to people are grouped."""
    return Grouping(wait=settings.alerts.group_wait, interval=settings.alerts.group_interval)


def _change(policy: ClassPolicy, patience: Patience) -> ClassPolicy:
    given = {name: getattr(patience, name) for name in Patience.model_fields}
    said = {name: value for name, value in given.items() if value is not None}
    return msgspec.structs.replace(policy, **said)
