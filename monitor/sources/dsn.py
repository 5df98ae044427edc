"""A database URL, read once and never shown.

People paste the URL of their application, which was written for another driver.
`parse_dsn` says what it means for ours: every key is kept, translated or dropped,
and what was not kept is told in a notice. Nothing here opens a connection.

Source: https://www.postgresql.org/docs/current/libpq-connect.html (sections on
connection strings and parameter key words), RFC 3986 for percent-encoding.
"""

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlencode

from monitor.core.errors import DsnError
from monitor.sources.dsn_text import PLACE, SHAPE, read_keywords, unreadable

DEFAULT_PORT: Final = 5432
SYSTEM_ROOTS: Final = "system"
"""`sslrootcert=system`: the certificate authorities of the operating system."""

_PORT: Final = re.compile(r"0{0,9}[1-9][0-9]{0,4}")
_IPV6: Final = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[0-9A-Za-z._-]+)?")
_NEVER_IN_A_HOST: Final = frozenset(b' "#%/:<>?@[]^`{|}\\')
_PRIVATE_NETWORK: Final = (".railway.internal",)
_RAILWAY: Final = (*_PRIVATE_NETWORK, ".rlwy.net")
_SESSION_ATTRIBUTES: Final = (
    *("any", "read-write", "read-only"),
    *("primary", "standby", "prefer-standby"),
)
_LAST_PORT: Final = 65535
_LONGEST_HOST: Final = 253  # RFC 1035
_KEPT: Final = (
    *("host", "port", "user", "password", "dbname", "ssl", "sslmode", "sslrootcert", "sslcert"),
    *("sslkey", "application_name", "options", "target_session_attrs", "connect_timeout"),
)
_REASONS: Final[Mapping[str, str]] = {
    "name the schemas in the configuration": "schema currentSchema search_path",
    "anchorwatch keeps no pool and no prepared statements": """
        pgbouncer connection_limit pool_timeout pool_size max_overflow pool pool_mode pool_recycle
        prepared_statement_cache_size prepared_statement_name_func statement_cache_size
        prepared_statements prepareThreshold max_cached_statement_lifetime""",
    "anchorwatch has its own deadlines": """
        statement_timeout lock_timeout command_timeout socket_timeout timeout tcp_user_timeout
        idle_in_transaction_session_timeout keepalives keepalives_idle keepalives_interval
        keepalives_count""",
    "only another client understands it": """
        channel_binding gssencmode gsslib gssdelegation krbsrvname requirepeer require_auth
        sslcompression sslcrl sslcrldir sslpassword sslsni sslnegotiation sslcertmode sslaccept
        ssl_min_protocol_version ssl_max_protocol_version hostaddr passfile service servicefile
        replication client_encoding fallback_application_name load_balance_hosts sslidentity
        uselibpqcompat binary_parameters async_fallback server_settings jit""",
}
_DROPPED: Final = {key: reason for reason, keys in _REASONS.items() for key in keys.split()}


class SslMode(StrEnum):
    """How much TLS is asked for, in libpq's words."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


_SSL_WORDS: Final[Mapping[str, SslMode]] = {
    **dict.fromkeys(("true", "1", "on", "yes", "no-verify"), SslMode.REQUIRE),
    **dict.fromkeys(("false", "0", "off", "no"), SslMode.DISABLE),
    **{str(mode): mode for mode in SslMode},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One place where a server may listen: a host name, an address or a socket directory."""

    host: str
    port: int = DEFAULT_PORT

    @property
    def is_socket(self) -> bool:
        """Whether this is a directory with a Unix socket in it."""
        return self.host.startswith("/")

    @property
    def is_loopback(self) -> bool:
        """Whether packets to this place stay on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def is_in(self, domains: tuple[str, ...]) -> bool:
        """Whether the host name ends with one of the domains (each with a leading dot)."""
        return self.host.lower().rstrip(".").endswith(domains)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host and not self.is_socket else self.host
        return printable(f"{host}:{self.port}")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Dsn:
    """What is needed to reach one database; `str` and `repr` show the label only.

    Holds: at least one endpoint; no text holds NUL; `connect_timeout` is positive, in
    seconds, per endpoint. Without `user` the driver takes PGUSER or the system user;
    without `password`, PGPASSWORD or the password file, as libpq does.
    """

    endpoints: tuple[Endpoint, ...]
    database: str
    user: str | None = None
    password: str | None = None
    sslmode: SslMode = SslMode.REQUIRE
    is_sslmode_stated: bool = False
    sslrootcert: str | None = None
    sslcert: str | None = None
    sslkey: str | None = None
    application_name: str | None = None
    options: str | None = None
    target_session_attrs: str | None = None
    connect_timeout: float | None = None

    @property
    def host(self) -> str:
        """The host of the first endpoint."""
        return self.endpoints[0].host

    @property
    def port(self) -> int:
        """The port of the first endpoint."""
        return self.endpoints[0].port

    @property
    def label(self) -> str:
        """`host:port/database`, one printable line, for logs and messages."""
        places = ",".join(str(endpoint) for endpoint in self.endpoints)
        return printable(f"{places}/{self.database}")

    def __str__(self) -> str:
        return self.label

    def __repr__(self) -> str:
        return f"Dsn({self.label!r})"


def parse_dsn(text: str) -> tuple[Dsn, tuple[str, ...]]:
    """Read a URL (or libpq's `key=value` form) as any driver writes it.

    Returns:
        The value, and one line for each key that was translated or dropped. Notices
        hold no value of the URL.

    Raises:
        DsnError: the text cannot be read; its message never quotes the text.
    """
    given, notices = read_keywords(text.strip())
    dsn = _build(_keep(given, notices), notices)
    return dsn, tuple(notices)


def reveal(dsn: Dsn) -> str:
    """The URL with its password, for a child process that has to connect.

    Holds: `parse_dsn(reveal(dsn))[0] == dsn` for whatever `parse_dsn` returned. The
    result is a secret: it goes into an environment variable, never into a log.
    """
    password = "" if dsn.password is None else f":{quote(dsn.password, safe='')}"
    userinfo = quote(dsn.user or "", safe="") + password
    query = {
        "sslmode": str(dsn.sslmode) if dsn.is_sslmode_stated else None,
        "sslrootcert": dsn.sslrootcert,
        "sslcert": dsn.sslcert,
        "sslkey": dsn.sslkey,
        "application_name": dsn.application_name,
        "options": dsn.options,
        "target_session_attrs": dsn.target_session_attrs,
        "connect_timeout": None if dsn.connect_timeout is None else str(dsn.connect_timeout),
    }
    if any(endpoint.is_socket for endpoint in dsn.endpoints):
        places = ""
        query["host"] = ",".join(endpoint.host for endpoint in dsn.endpoints)
        query["port"] = ",".join(str(endpoint.port) for endpoint in dsn.endpoints)
    else:
        places = ",".join(str(endpoint) for endpoint in dsn.endpoints).replace("%", "%25")
    said = urlencode({k: v for k, v in query.items() if v}, quote_via=quote, safe="/,")
    start = f"postgresql://{userinfo}{'@' if userinfo else ''}{places}"
    return f"{start}/{quote(dsn.database, safe='')}{'?' if said else ''}{said}"


def printable(text: str, *, limit: int = 300) -> str:
    """One line without control characters, for text that somebody else chose."""
    line = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text[: limit + 1]
    )
    return line if len(line) <= limit else f"{line[:limit]}…"


def _keep(given: Mapping[str, str], notices: list[str]) -> dict[str, str]:
    for key in given:
        if key in _DROPPED:
            notices.append(f"{key} was dropped: {_DROPPED[key]}.")
        elif key not in _KEPT:
            # Its name stays unsaid: it may be a piece of a badly quoted password.
            notices.append("A parameter that PostgreSQL does not know was dropped.")
    return {key: value for key, value in given.items() if key in _KEPT and value}


def _build(kept: Mapping[str, str], notices: list[str]) -> Dsn:
    endpoints = _read_endpoints(kept.get("host", ""), kept.get("port", ""), notices)
    database = kept.get("dbname") or kept.get("user")
    if database is None:
        raise unreadable("names no database", SHAPE)
    attributes = kept.get("target_session_attrs")
    if attributes not in (None, *_SESSION_ATTRIBUTES):
        raise unreadable(
            "has a target_session_attrs that PostgreSQL does not know",
            f"Use one of {', '.join(_SESSION_ATTRIBUTES)}.",
        )
    stated = _read_sslmode(kept, notices)
    sslmode = stated or _default_sslmode(endpoints, kept.get("sslrootcert"))
    _refuse_useless_verification(sslmode, endpoints, kept.get("sslrootcert"))
    return Dsn(
        endpoints=endpoints,
        database=database,
        user=kept.get("user"),
        password=kept.get("password"),
        sslmode=sslmode,
        is_sslmode_stated=stated is not None,
        sslrootcert=kept.get("sslrootcert"),
        sslcert=kept.get("sslcert"),
        sslkey=kept.get("sslkey"),
        application_name=kept.get("application_name"),
        options=kept.get("options"),
        target_session_attrs=attributes,
        connect_timeout=_read_seconds(kept.get("connect_timeout"), notices),
    )


def _read_endpoints(hosts: str, ports: str, notices: list[str]) -> tuple[Endpoint, ...]:
    names = hosts.split(",")
    numbers = ports.split(",")
    if len(numbers) == 1:
        numbers *= len(names)
    if len(numbers) != len(names):
        raise unreadable("has more hosts than ports", "Give one port, or one for each host.")
    if "" in names:
        notices.append("No host is named: localhost is used.")
    return tuple(
        _read_endpoint(name or "localhost", number)
        for name, number in zip(names, numbers, strict=True)
    )


def _read_endpoint(name: str, number: str) -> Endpoint:
    place = None if name.startswith("/") or _is_ipv6(name) else PLACE.fullmatch(name)
    host = (place[1] or place[2]) if place else name
    port = (place[3] if place else None) or number or str(DEFAULT_PORT)
    if not _PORT.fullmatch(port) or int(port) > _LAST_PORT:
        raise unreadable("has a port that is not one of 1 to 65535")
    if not (host.isprintable() and (host.startswith("/") or _is_resolvable(host))):
        raise unreadable("has a host name that cannot be one")
    return Endpoint(host=host, port=int(port))


def _is_ipv6(text: str) -> bool:
    try:
        return bool(_IPV6.fullmatch(text) and ipaddress.ip_address(text))
    except ValueError:
        return False


def _is_resolvable(host: str) -> bool:
    """Whether a resolver would take the name at all (it raises UnicodeError for others)."""
    if _is_ipv6(host):
        return True
    try:
        ascii_host = host.encode("idna")
        return len(ascii_host) <= _LONGEST_HOST and not set(ascii_host) & _NEVER_IN_A_HOST
    except UnicodeError:
        return False


def _read_sslmode(kept: Mapping[str, str], notices: list[str]) -> SslMode | None:
    key = "sslmode" if "sslmode" in kept else "ssl"
    if (word := kept.get(key)) is None:
        return None
    mode = _SSL_WORDS.get(word.lower())
    if mode is None:
        raise unreadable(f"has an unknown {key}", f"Use one of {', '.join(SslMode)}.")
    if key == "ssl" or word.lower() != mode:
        notices.append(f"{key} was read as sslmode={mode}.")
    return mode


def _default_sslmode(endpoints: tuple[Endpoint, ...], sslrootcert: str | None) -> SslMode:
    """Encrypted unless the packets stay on a machine or in a private network."""
    if sslrootcert == SYSTEM_ROOTS:
        return SslMode.VERIFY_FULL
    if all(endpoint.is_socket for endpoint in endpoints):
        return SslMode.DISABLE
    if all(it.is_socket or it.is_loopback or it.is_in(_PRIVATE_NETWORK) for it in endpoints):
        return SslMode.PREFER
    return SslMode.REQUIRE


def _refuse_useless_verification(
    sslmode: SslMode, endpoints: tuple[Endpoint, ...], sslrootcert: str | None
) -> None:
    if sslrootcert == SYSTEM_ROOTS and sslmode is not SslMode.VERIFY_FULL:
        raise unreadable("has sslrootcert=system without verify-full", "Use both, or neither.")
    if sslmode is SslMode.VERIFY_FULL and any(it.is_in(_RAILWAY) for it in endpoints):
        raise DsnError(
            "sslmode=verify-full cannot succeed on Railway: its PostgreSQL certificates are "
            "issued for localhost.",
            next_step="Use sslmode=require, or verify-ca with the root certificate.",
        )


def _read_seconds(text: str | None, notices: list[str]) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise unreadable("has a connect_timeout that is no number", "Write seconds, as in 10.")
    if seconds <= 0:
        notices.append("connect_timeout was dropped: every wait has an end here.")
        return None
    return seconds
