"""Configured databases as subjects of a check; imported only when some are named."""

from dataclasses import replace

import msgspec

from monitor.agent.choices import (
    choose_environment,
    find_expected,
    list_beside,
    list_rules,
    make_deadlines,
    make_options,
    make_orphan_plan,
    make_scope,
)
from monitor.cli.checking import Broken, Subject, Subjects
from monitor.cli.ledger import read_acceptances
from monitor.cli.settings import load_settings
from monitor.cli.sources import BuildChoices
from monitor.config.databases import DatabaseSettings
from monitor.config.flaws import Problem, make_error
from monitor.config.load import LoadedConfig
from monitor.core.errors import UsageError
from monitor.core.source import Source
from monitor.core.waivers import Waivers
from monitor.sources.expected import BuildOptions


def list_configured(
    names: list[str], expected: Source | None, choices: BuildChoices, config: str | None
) -> Subjects:
    """The named databases, or all that are enabled.

    Raises:
        ConfigurationError: the configuration cannot be used.
        UsageError: a name is not configured.
    """
    loaded = load_settings(config)
    databases = loaded.settings.databases
    broken = [_make_broken(loaded, problem) for problem in loaded.problems]
    enabled = [name for name, database in databases.items() if database.enabled]
    if names:
        known = {one.name: one for one in broken}
        found = [known.get(name) or _find(loaded, name, expected, choices) for name in names]
    else:
        found = [*(_find(loaded, name, expected, choices) for name in enabled), *broken]
    return _add_acceptances(loaded, found)


def _add_acceptances(loaded: LoadedConfig, subjects: Subjects) -> Subjects:
    places = [(one.environment, one.name) for one in subjects if isinstance(one, Subject)]
    accepted = read_acceptances(loaded, places)
    return [
        one._replace(
            waivers=msgspec.structs.replace(
                one.waivers, acceptances=accepted[one.environment, one.name]
            )
        )
        if isinstance(one, Subject)
        else one
        for one in subjects
    ]


def _make_broken(loaded: LoadedConfig, problem: Problem) -> Broken:
    return Broken(loaded.settings.environment, problem.database or "?", make_error([problem]))


def _find(
    loaded: LoadedConfig, name: str, expected: Source | None, choices: BuildChoices
) -> Subject:
    settings = loaded.settings
    if name not in settings.databases:
        listed = ", ".join(sorted(settings.databases)) or "none"
        raise UsageError(
            f"No database {name!r} is configured.",
            next_step=f"Configured are: {listed}. A URL works as well.",
        )
    database = settings.databases[name]
    return Subject(
        environment=choose_environment(settings, database),
        name=name,
        dsn=database.dsn,
        deadlines=make_deadlines(database),
        expected=expected or find_expected(settings, database),
        options=_fill_in(choices, database),
        waivers=Waivers(rules=list_rules(settings, database)),
        scope=make_scope(database),
        schema=database.lock_schema,
        beside=list_beside(database),
        orphans=make_orphan_plan(database),
        repair=database.repair_dsn,
    )


def _fill_in(choices: BuildChoices, database: DatabaseSettings) -> BuildOptions:
    """What the command line does not say, the configuration does."""
    options = make_options(database)
    return replace(
        options,
        shadow_url=choices.shadow or options.shadow_url,
        python=choices.python or options.python,
        url_env=choices.url_env or options.url_env,
        major=choices.major,
        verbose=choices.verbose,
    )
