"""The environment in which somebody's code may run: nothing in it names their databases.

An application that is imported may connect, and some migrate, whatever their environment
names. So every variable that may name a database is cleared before the interpreter
starts, by its name or by what it holds; the shadow takes their place inside.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from monitor.sources.dsn import printable

_NAMES: Final = re.compile(
    r"""PG[A-Z]* | POSTGRES.* | (.*_)?(DATABASE|DB|SQLALCHEMY|ALEMBIC|MIGRATIONS?|PG)_.*
    (URL|URI|DSN|HOST|PORT|NAME|USER|USERNAME|PASSWORD|PASS|SERVER|SOCKET)
    | (.*_)?(DATABASE|DB)(_?(URL|URI|DSN|HOST|PORT|NAME|USER|PASSWORD|PASS|SERVER))?
    | ANCHORWATCH_.*""",
    re.VERBOSE | re.IGNORECASE,
)
_VALUES: Final = re.compile(
    r"(?:jdbc:)?(?:postgres(?:ql)?|mysql|mariadb|mssql|oracle)(\+\w+)?://", re.IGNORECASE
)
_DRIVER: Final = re.compile(r"postgres(?:ql)?\+(\w+)://", re.IGNORECASE)
_SECRET: Final = re.compile(r"PASS|SECRET|TOKEN|KEY|DSN|CREDENTIAL|AUTH", re.IGNORECASE)
_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]+@")
_PASSWORD: Final = re.compile(r"(?i)(passw(?:or)?d[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;)]+)")
_PIECE: Final = re.compile(r"://[^/@\s:]*:([^/@\s]+)@")
_SHORTEST: Final = 6
"""A shorter secret is a common word, and masking it would only tell what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a child gets, and what was kept from it.

    Attributes:
        variables: what it gets.
        cleared: names of the variables that it does not get, sorted.
        drivers: the driver that each cleared URL named, by variable.
        secrets: values that no message may quote.
    """

    variables: Mapping[str, str] = field(repr=False)
    cleared: tuple[str, ...]
    drivers: Mapping[str, str]
    secrets: frozenset[str] = field(repr=False)

    def mask(self, text: str, *, limit: int = 300) -> str:
        """``text`` as one printable line without any secret of the environment."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return printable(_PASSWORD.sub(r"\1***", _USERINFO.sub("***@", text)), limit=limit)


def clean_environment(variables: Mapping[str, str], *, also: Iterable[str] = ()) -> Environment:
    """The environment without anything that names a database.

    Args:
        variables: the environment to start from.
        also: more names to clear.
    """
    extra = frozenset(also)
    kept: dict[str, str] = {}
    cleared: dict[str, str] = {}
    for name, value in variables.items():
        is_named = name in extra or _NAMES.fullmatch(name) or _VALUES.match(value.strip())
        (cleared if is_named else kept)[name] = value
    drivers = {name: _DRIVER.match(value.strip()) for name, value in cleared.items()}
    secrets = {value for name, value in variables.items() if _SECRET.search(name)}
    secrets |= {value for value in cleared.values() if "://" in value}
    secrets |= {found[1] for value in cleared.values() if (found := _PIECE.search(value))}
    return Environment(
        variables=kept,
        cleared=tuple(sorted(cleared)),
        drivers={name: found[1].lower() for name, found in drivers.items() if found},
        secrets=frozenset(secret for secret in secrets if len(secret) >= _SHORTEST),
    )
