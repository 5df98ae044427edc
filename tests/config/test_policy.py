"""The settings change the policy, and only where they say something."""

from datetime import timedelta

from monitor.config import Settings, make_policy
from monitor.config.policy import make_grouping
from monitor.config.settings import AlertSettings, Patience
from monitor.core.findings import INCIDENT_CLASSES, FindingClass
from monitor.core.patience import DEFAULT_POLICY, ClassPolicy


def test_no_settings_are_the_policy_that_incidents_have() -> None:
    assert make_policy(Settings()) == DEFAULT_POLICY
    assert set(Patience.model_fields) < set(ClassPolicy.__struct_fields__)
    grouping = {"group_wait", "group_interval"}
    assert set(AlertSettings.model_fields) - grouping == set(INCIDENT_CLASSES)


def test_messages_to_people_are_grouped_as_the_settings_say() -> None:
    alerts = AlertSettings(group_wait=timedelta(seconds=3), group_interval=timedelta(hours=1))
    found = make_grouping(Settings(alerts=alerts))
    assert (found.wait, found.interval) == (timedelta(seconds=3), timedelta(hours=1))


def test_what_is_said_of_one_class_leaves_the_others() -> None:
    alerts = AlertSettings(drift=Patience(open_looks=5, remind_every=timedelta(hours=1)))
    policy = make_policy(Settings(alerts=alerts, deploy_window=timedelta(minutes=3)))
    drift = policy.classes[FindingClass.DRIFT]
    default = DEFAULT_POLICY.classes[FindingClass.DRIFT]
    assert (drift.open_looks, drift.remind_every) == (5, timedelta(hours=1))
    assert drift.resolve_looks == default.resolve_looks
    assert policy.window == timedelta(minutes=3)
    unreachable = FindingClass.UNREACHABLE
    assert policy.classes[unreachable] == DEFAULT_POLICY.classes[unreachable]
