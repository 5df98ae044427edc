"""Sources as a person writes them on the command line."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from monitor.cli.output import say
from monitor.cli.progress import ignore
from monitor.core.errors import UsageError
from monitor.core.printing import clean
from monitor.core.source import Scheme, Source, parse_source
from monitor.sources.dsn import Dsn, parse_dsn
from monitor.sources.expected import BuildOptions

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class BuildChoices(NamedTuple):
    """What a command was told about building sources."""

    shadow: str | None = None
    python: Path | None = None
    url_env: tuple[str, ...] = ()
    major: int | None = None
    verbose: bool = False


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
    source = parse_source(text)
    if source.scheme is Scheme.POSTGRES:
        read_url(source)
    if source.scheme is not Scheme.NAME:
        return source
    from monitor.cli.settings import find_database
    from monitor.sources.dsn import reveal

    return parse_source(reveal(find_database(text, config).dsn))


def read_url(source: Source) -> Dsn:
    """The database at a URL; what of it was translated or dropped is said on standard error.

    Raises:
        DsnError: it cannot be read.
    """
    dsn, notices = parse_dsn(source.url or "")
    for notice in notices:
        say(clean(f"{dsn.database}: {notice}"))
    return dsn
