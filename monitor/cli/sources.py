"""Sources as a person writes them on the command line."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.cli.output import say
from monitor.cli.progress import ignore
from monitor.core.errors import UsageError
from monitor.core.printing import clean
from monitor.core.source import Scheme, Source, parse_source
from monitor.sources.dsn import Dsn, parse_dsn
from monitor.sources.expected import BuildOptions

if TYPE_CHECKING:  # pydantic takes longer to load than most commands take
    from monitor.config.databases import DatabaseSettings

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class BuildChoices(NamedTuple):
    """What a command was told about building sources."""

    shadow: str | None = None
    python: Path | None = None
    url_env: tuple[str, ...] = ()
    major: int | None = None
    verbose: bool = False


class Resolved(NamedTuple):
    """A source that can be read.

    Attributes:
        source: what is read.
        database: what is configured for it, where it was named.
    """

    source: Source
    database: "DatabaseSettings | None" = None


def make_choices(
    shadow: str | None,
    python: Path | None,
    url_env: Sequence[str] | None,
    major: int | None = None,
    *,
    verbose: bool,
) -> BuildChoices:
    """What the options say.

    Raises:
        UsageError: one of them cannot mean anything.
    """
    if shadow is not None:
        parse_dsn(shadow)
    if not all(_VARIABLE.fullmatch(name) for name in url_env or ()):
        raise UsageError(
            "--url-env is followed by no name of a variable.",
            next_step="Write it like DATABASE_URL.",
        )
    return BuildChoices(shadow, python, tuple(url_env or ()), major, verbose)


def make_options(
    choices: BuildChoices, *, progress: Callable[[str], None] = ignore
) -> BuildOptions:
    """The options that the command line says."""
    return BuildOptions(
        shadow_url=choices.shadow,
        python=choices.python,
        url_env=choices.url_env,
        major=choices.major,
        progress=progress,
        verbose=choices.verbose,
    )


def resolve_source(text: str, config: str | None = None) -> Source:
    """The source; the name of a configured database becomes its URL."""
    return resolve_sources([text], config)[0].source


def resolve_sources(texts: Sequence[str], config: str | None = None) -> list[Resolved]:
    """Several sources; the configuration is read once, and only where one of them is a name.

    Raises:
        AnchorwatchError: one cannot mean anything, or the configuration cannot be used.
    """
    sources = [parse_source(text) for text in texts]
    names = [source.name for source in sources if source.name is not None]
    databases = _find_databases(names, config) if names else {}
    return [_resolve(source, databases.get(source.name or "")) for source in sources]


def _find_databases(names: Sequence[str], config: str | None) -> dict[str, "DatabaseSettings"]:
    from monitor.cli.settings import load_settings, require_database

    loaded = load_settings(config, may_be_empty=True)
    return {name: require_database(loaded, name) for name in names}


def _resolve(source: Source, database: "DatabaseSettings | None") -> Resolved:
    if database is not None:
        from monitor.sources.dsn import reveal

        return Resolved(parse_source(reveal(database.dsn)), database)
    if source.scheme is Scheme.POSTGRES:
        read_url(source)
    return Resolved(source)


def read_url(source: Source) -> Dsn:
    """The database at a URL; what of it was translated or dropped is said on standard error.

    Raises:
        DsnError: it cannot be read.
    """
    dsn, notices = parse_dsn(source.url or "")
    for notice in notices:
        say(clean(f"{dsn.database}: {notice}"))
    return dsn
