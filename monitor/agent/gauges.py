"""The series that an agent begins with, so that the first failure of anything is an increase."""

import os
from collections.abc import Iterable, Mapping, Sequence

from monitor import __version__
from monitor.agent.checks import Suites, list_intervals
from monitor.agent.choices import (
    BROKEN_EVERY,
    COMMIT,
    choose_environment,
    choose_interval,
    count_seconds,
    is_compact,
    name_expectation,
)
from monitor.config.databases import DatabaseSettings
from monitor.config.load import LoadedConfig
from monitor.sinks.channel import FailureReason
from monitor.sinks.delivery import Held
from monitor.sinks.metrics import Metrics, Watched
from monitor.sinks.outbox import Fate, Route


def begin_metrics(
    loaded: LoadedConfig,
    databases: Mapping[str, DatabaseSettings],
    broken: Iterable[str],
    *,
    suites: Suites,
    routes: Sequence[Route],
) -> Metrics:
    """The metrics of an agent that has not looked yet.

    Args:
        loaded: the configuration.
        databases: those that are looked at.
        broken: those whose entry cannot be used.
        suites: the smoke suites, by database.
        routes: the channels.
    """
    settings = loaded.settings
    metrics = Metrics(
        __version__,
        os.environ.get(COMMIT, ""),
        is_compact=is_compact(settings.metrics_detail, len(databases)),
    )
    metrics.set_configuration(is_whole=not loaded.problems)
    for name, database in databases.items():
        metrics.watch(
            name,
            Watched(
                environment=choose_environment(settings, database),
                expected=name_expectation(database) or "baseline",
                host=f"{database.dsn.host}:{database.dsn.port}",
                interval=count_seconds(choose_interval(database)),
            ),
        )
    for name in broken:
        interval = BROKEN_EVERY.total_seconds()
        metrics.watch(name, Watched(settings.environment, "unknown", "", interval))
    for place, every in list_intervals(databases, suites):
        if not place.suite:
            metrics.watch_check(place.database, place.check, count_seconds(every))
        else:
            metrics.watch_suite(place.database, place.suite, count_seconds(every))
    for route in routes:
        metrics.notifications.begin(
            route.channel.name,
            reasons=[reason.value for reason in FailureReason],
            suppressed=[Fate.GROUPED.value, *(held.value for held in Held)],
        )
    return metrics
