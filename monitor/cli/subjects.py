"""Configured databases as subjects of a check; imported only when some are named."""

from pathlib import Path

from monitor.cli.checking import Subject
from monitor.cli.settings import load_settings
from monitor.cli.sources import BuildChoices, make_options
from monitor.config.databases import DatabaseSettings
from monitor.config.load import LoadedConfig
from monitor.core.errors import UsageError
from monitor.core.source import Source, parse_source
from monitor.sources.dsn import reveal
from monitor.sources.postgres import Deadlines


def list_configured(
    names: list[str], expected: Source | None, choices: BuildChoices, config: str | None
) -> list[Subject]:
    """The named databases, or all that are enabled.

    Raises:
        ConfigurationError: the configuration cannot be used.
        UsageError: a name is not configured.
    """
    loaded = load_settings(config)
    known = loaded.settings.databases
    for name in names:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise UsageError(
                f"No database {name!r} is configured.",
                next_step=f"Configured are: {listed}. A URL works as well.",
            )
    wanted = names or [name for name, database in known.items() if database.enabled]
    return [_make_subject(loaded, name, known[name], expected, choices) for name in wanted]


def _make_subject(
    loaded: LoadedConfig,
    name: str,
    database: DatabaseSettings,
    expected: Source | None,
    choices: BuildChoices,
) -> Subject:
    return Subject(
        environment=database.environment or loaded.settings.environment,
        name=name,
        dsn=database.dsn,
        deadlines=Deadlines(
            connect_seconds=database.connect_timeout.total_seconds(),
            statement_seconds=database.statement_timeout.total_seconds(),
            lock_seconds=database.lock_timeout.total_seconds(),
        ),
        expected=expected or _find_expected(loaded, database),
        options=make_options(_fill_in(choices, database)),
    )


def _find_expected(loaded: LoadedConfig, database: DatabaseSettings) -> Source | None:
    if database.expected is None:
        return None
    source = parse_source(database.expected.get_secret_value())
    named = loaded.settings.databases.get(source.name or "")
    return parse_source(reveal(named.dsn)) if named else source


def _fill_in(choices: BuildChoices, database: DatabaseSettings) -> BuildChoices:
    """What the command line does not say, the configuration does."""
    shadow = database.shadow_url.get_secret_value() if database.shadow_url else None
    python = Path(database.python) if database.python else None
    return BuildChoices(
        shadow=choices.shadow or shadow,
        python=choices.python or python,
        url_env=choices.url_env or database.url_env,
        major=choices.major,
    )
