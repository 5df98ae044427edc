"""What is wrong with a configuration: collected first, told together."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.config.outline import Path
from monitor.config.values import NAME
from monitor.core.errors import ConfigurationError

_SHOWABLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is wrong, which does not stop the rest.

    Attributes:
        database: the database that is not watched therefore; None when its
            name is the problem.
        message: one sentence that begins with where it stands.
        next_step: what to do about it.
    """

    database: str | None
    message: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something that is wrong at one key.

    Attributes:
        path: the key.
        where: where it was given, `anchorwatch.yaml:3:port` or a variable's name.
        message: one sentence, without any value.
        next_step: what to do about it.
    """

    path: Path
    where: str
    message: str
    next_step: str

    @property
    def is_fatal(self) -> bool:
        """Whether nothing can run with it: true but for what is wrong with one database."""
        return self.path[:1] != ("databases",) or not self.path[1:]

    @property
    def problem(self) -> Problem:
        """The same for people."""
        name = None if self.is_fatal or not NAME.fullmatch(self.path[1]) else self.path[1]
        return Problem(
            database=name, message=f"{self.where}: {self.message}", next_step=self.next_step
        )


def make_error(problems: Sequence[Problem]) -> ConfigurationError:
    """One error whose text has a line for each problem.

    Args:
        problems: at least one.
    """
    *before, last = problems
    message = "\n".join([*map(str, before), last.message])
    return ConfigurationError(message, next_step=last.next_step)


def list_problems(flaws: Iterable[Flaw]) -> tuple[Problem, ...]:
    """Each problem once: a wrong default is wrong for every database."""
    found: dict[tuple[str, str], Problem] = {}
    for flaw in flaws:
        found.setdefault((flaw.where, flaw.message), flaw.problem)
    return tuple(found.values())


def show_key(key: str) -> str:
    """A key for a message; hidden when it may be a value that slipped into its place."""
    return f'"{key}"' if _SHOWABLE.fullmatch(key) else "this one"


def show_path(path: Path) -> str:
    """A dotted key for a message, as far as it can be shown."""
    return ".".join(part if _SHOWABLE.fullmatch(part) else "?" for part in path)
