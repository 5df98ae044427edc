"""What the settings of a database mean for a look at it."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from monitor.checks.orphans import Limits
from monitor.config.databases import DatabaseSettings
from monitor.config.settings import Settings
from monitor.core.scope import Scope
from monitor.core.scope_names import OWNER
from monitor.core.scope_partitions import Children
from monitor.core.source import Source, parse_source
from monitor.core.waivers import IgnoreRule
from monitor.sources.dsn import reveal
from monitor.sources.expected import BuildOptions
from monitor.sources.postgres import Deadlines
from monitor.watch.orphans import OrphanPlan

COMMIT: Final = "RAILWAY_GIT_COMMIT_SHA"

BROKEN_EVERY: Final = timedelta(minutes=1)
"""How often it is said of a database that its entry is broken, while nobody looks at it."""


def make_options(database: DatabaseSettings) -> BuildOptions:
    """How what it should be is built."""
    return BuildOptions(
        token=reveal_secret(database.lock_token),
        commit=database.commit or os.environ.get(COMMIT, ""),
        python=Path(database.python) if database.python else None,
        url_env=database.url_env,
        shadow_url=database.shadow_url.get_secret_value() if database.shadow_url else None,
    )


def make_deadlines(database: DatabaseSettings) -> Deadlines:
    """How long each wait may take."""
    return Deadlines(
        connect_seconds=database.connect_timeout.total_seconds(),
        statement_seconds=database.statement_timeout.total_seconds(),
        lock_seconds=database.lock_timeout.total_seconds(),
    )


def list_rules(settings: Settings, database: DatabaseSettings) -> tuple[IgnoreRule, ...]:
    """What is ignored there: the rules of the database, then those of all."""
    own = [rule.make_rule(is_shared=False) for rule in database.ignore]
    shared = [rule.make_rule(is_shared=True) for rule in settings.defaults.ignore]
    return (*own, *shared)


def make_scope(database: DatabaseSettings) -> Scope:
    """What of it is compared."""
    schemas, partitions = database.schemas, database.partitions
    rules = (
        (Children.STRICT, partitions.strict),
        (Children.IGNORE_EXTRA, partitions.ignore_extra),
        (Children.IGNORE, partitions.ignore),
    )
    return Scope(
        only=schemas.only,
        without=schemas.without,
        managed=schemas.managed,
        partitions=partitions.policy,
        parents=tuple((pattern, policy) for policy, patterns in rules for pattern in patterns),
        roles={
            role: OWNER if name == _MIGRATOR else name
            for name, roles in database.roles.items()
            for role in roles
        },
    )


def make_orphan_plan(database: DatabaseSettings) -> OrphanPlan:
    """What is counted there, and how much at a time."""
    said, deadlines = database.orphans, make_deadlines(database)
    seconds = said.statement_timeout.total_seconds()
    return OrphanPlan(
        relations=tuple(one.make_relation() for one in said.relations),
        validated_every=said.validated_every or None,
        limits=Limits(rows=said.rows, chunk=said.chunk, samples=SAMPLES if said.row_keys else 0),
        deadlines=replace(deadlines, statement_seconds=seconds, read_seconds=2 * seconds),
    )


SAMPLES: Final = 10
"""Keys of rows without a parent that are told, where any may be."""

_MIGRATOR: Final = "owner"
"""What `roles` calls who migrates the database."""


def choose_interval(database: DatabaseSettings) -> timedelta | None:
    """How often to look; None where a look may not wake the database."""
    return max(database.interval, database.min_interval) if database.wake else None


def choose_environment(settings: Settings, database: DatabaseSettings) -> str:
    """Where it runs."""
    return database.environment or settings.environment


def read_expected(database: DatabaseSettings) -> Source | None:
    """What it should be, as it is written; None for a baseline."""
    return parse_source(database.expected.get_secret_value()) if database.expected else None


def find_expected(settings: Settings, database: DatabaseSettings) -> Source | None:
    """What it should be, the name of a configured database as its URL; None for a baseline."""
    source = read_expected(database)
    if source is None:
        return None
    named = settings.databases.get(source.name or "")
    return parse_source(reveal(named.dsn)) if named else source


def list_beside(database: DatabaseSettings) -> tuple[Source, ...]:
    """The locks of the other histories there."""
    return tuple(parse_source(one.get_secret_value()) for one in database.lock_beside)


def name_expectation(database: DatabaseSettings) -> str | None:
    """What it is compared with, in one word; never a URL."""
    source = read_expected(database)
    return source.scheme.value if source else None


def reveal_secret(secret: SecretStr | None) -> str | None:
    """Its text, where there is one."""
    return secret.get_secret_value() if secret else None


MANY_DATABASES: Final = 200
"""Above it the zeros of every kind of difference would be most of a scrape."""


def is_compact(detail: str, databases: int) -> bool:
    """Whether `/metrics` leaves out what is zero, of as many databases as are watched."""
    return detail == "compact" or (detail == "auto" and databases > MANY_DATABASES)


def count_seconds(interval: timedelta | None) -> float | None:
    """An interval as metrics and pages have it; None where there is none."""
    return interval.total_seconds() if interval else None
