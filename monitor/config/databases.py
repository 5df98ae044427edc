"""The settings of a watched database: where it is, when it is looked at, what it should be."""

import re
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from monitor.config.assertions import AssertionsSettings
from monitor.config.ignoring import IgnoreSettings
from monitor.config.orphans import OrphanSettings
from monitor.config.scope import PartitionSettings, RoleNames, SchemaSettings
from monitor.config.section import CheckedDatabaseUrl, FrozenMap, Section, read_dsn
from monitor.config.values import (
    Duration,
    Expected,
    PositiveDuration,
    check_expected,
    invalid,
    split_list,
)
from monitor.core.release import GRACE
from monitor.core.source import Scheme, parse_source
from monitor.sources.dsn import Dsn, SslMode, parse_dsn, reveal

ADDRESS_PARTS: Final = ("host", "port", "user", "password", "dbname")
"""What a `url` says in one: a database has either."""
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _check_source(value: Expected) -> Expected:
    check_expected(value.get_secret_value())
    return value


def _check_locks(values: tuple[Expected, ...]) -> tuple[Expected, ...]:
    for value in values:
        check_expected(value.get_secret_value())
        if parse_source(value.get_secret_value()).scheme is not Scheme.LOCK:
            raise invalid("should name locks.", "Write lock:FILE or lock:https://...")
    return values


_COMMIT: Final = re.compile(r"[0-9A-Za-z._-]{0,100}")


def _check_commit(text: str) -> str:
    if not _COMMIT.fullmatch(text):
        raise invalid("should be a commit.", "Write letters and digits, as git does.")
    return text


def _check_variables(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_VARIABLE.fullmatch(name) for name in names):
        raise invalid("should name environment variables.", "Write it like DATABASE_URL.")
    return names


class DatabaseDefaults(Section):
    """What databases have in common; each of them can say it otherwise."""

    host: str | None = Field(default=None, description="Host, when there is no `url`.")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        default=None, description="Port, when there is no `url`."
    )
    user: str | None = Field(default=None, description="Role, when there is no `url`.")
    password: SecretStr | None = Field(
        default=None, description="Password, when there is no `url`."
    )
    sslmode: SslMode | None = Field(
        default=None,
        description="How the connection is encrypted, where the `url` does not say it.",
    )
    interval: PositiveDuration = Field(
        default=timedelta(seconds=60), description="How long after one look the next one is due."
    )
    min_interval: Duration = Field(
        default=timedelta(seconds=1),
        description="The shortest time between looks, whatever asks for one.",
    )
    wake: bool = Field(
        default=True,
        description="Whether looks may wake a database that sleeps. If not, there is one at the "
        "start, and then one whenever somebody asks: see `docs/how-to/look-when-asked.md`.",
    )
    expected: Annotated[Expected, AfterValidator(_check_source)] | None = Field(
        default=None,
        description="What the schema should be: `alembic:alembic.ini`, "
        "`models:package.module:attribute`, `sql:file.sql`, `snapshot:file.json`, a "
        "`postgresql://` URL or the name of a configured database; or a lock, "
        "`lock:schema.lock.json` or `lock:https://...`, which names the cause as well. Without "
        "it a lock that was pushed, else the first settled schema.",
    )
    lock_schema: str | None = Field(
        default=None,
        description="The schema in which the objects of the lock are here, with its version "
        "table: that of one tenant, say. Without it they are where the lock has them.",
    )
    lock_beside: Annotated[
        tuple[Expected, ...], BeforeValidator(split_list), AfterValidator(_check_locks)
    ] = Field(
        default=(),
        description="The locks of other histories in the same database, `lock:FILE` or "
        "`lock:https://...`: what they make is theirs. Each has an entry of its own.",
    )
    lock_token: SecretStr | None = Field(
        default=None, description="Opens the address of an `expected: lock:https://...`."
    )
    commit: Annotated[str, AfterValidator(_check_commit)] = Field(
        default="",
        description="The commit that is deployed: it chooses among the locks that are kept, and "
        "fills `{commit}` in the address of one (there it is `RAILWAY_GIT_COMMIT_SHA` otherwise).",
    )
    lock_grace: Duration = Field(
        default=GRACE,
        description="How long a stamp may be one that no lock knows, after a release.",
    )
    python: str | None = Field(
        default=None, description="The interpreter that has what `alembic:` or `models:` import."
    )
    url_env: Annotated[
        tuple[str, ...], BeforeValidator(split_list), AfterValidator(_check_variables)
    ] = Field(
        default=(), description="Variables in which the application's `env.py` looks for its URL."
    )
    shadow_url: CheckedDatabaseUrl | None = Field(
        default=None,
        description="A server for scratch databases, in place of the embedded one. One that "
        "holds a watched database is refused.",
    )
    environment: str | None = Field(
        default=None, description="Where the database runs, when not in `environment`."
    )
    services: Annotated[tuple[str, ...], BeforeValidator(split_list)] = Field(
        default=(),
        description="The services whose reported deployments concern the database; without it, "
        "those of every service in its environment.",
    )
    enabled: bool = Field(default=True, description="Whether it is looked at.")
    connect_timeout: PositiveDuration = Field(
        default=timedelta(seconds=10), description="How long a connection may take."
    )
    statement_timeout: PositiveDuration = Field(
        default=timedelta(seconds=15), description="How long one query of the catalog may take."
    )
    lock_timeout: PositiveDuration = Field(
        default=timedelta(milliseconds=300), description="How long a query may wait for a lock."
    )
    labels: FrozenMap[str] = Field(
        default_factory=lambda: MappingProxyType({}),
        description="Your own words about it. No message or metric carries them yet.",
    )
    ignore: tuple[IgnoreSettings, ...] = Field(
        default=(),
        description="What is wrong there and need not be told; those of `defaults` hold as well.",
    )
    schemas: SchemaSettings = Field(
        default_factory=SchemaSettings, description="Which schemas are compared."
    )
    partitions: PartitionSettings = Field(
        default_factory=PartitionSettings,
        description="What is done about partitions. The strictest list that names a table wins.",
    )
    orphans: OrphanSettings = Field(
        default_factory=OrphanSettings, description="How rows without a parent are counted."
    )
    assertions: AssertionsSettings = Field(
        default_factory=AssertionsSettings, description="What is asserted of its rows."
    )
    roles: RoleNames = Field(
        default_factory=lambda: MappingProxyType({}),
        description="What roles are called elsewhere: below the name that is expected the roles "
        "that stand for it here, below `owner` those that migrate the database.",
    )


class DatabaseSettings(DatabaseDefaults):
    """One watched database."""

    url: CheckedDatabaseUrl | None = Field(
        default=None,
        description="Its URL, as any driver writes it; or `host`, `dbname` and so on.",
    )
    repair_url: CheckedDatabaseUrl | None = Field(
        default=None,
        description="The same database as a role that may write, for `anchorwatch orphans "
        "repair` alone: no other command and no agent ever connects with it.",
    )
    environment: str = Field(
        default="default", description="Where it runs, when not in the general `environment`."
    )
    dbname: str | None = Field(default=None, description="Database, when there is no `url`.")

    @model_validator(mode="after")
    def _check_address(self) -> Self:
        if self.url is None and self.host is None:
            raise invalid("names no address.", "Add url, url_file or host.")
        parts = [part for part in ADDRESS_PARTS if getattr(self, part) is not None]
        if self.url is not None and parts:
            raise invalid(
                f"has both url and {' and '.join(parts)}.", "Keep the url, or the parts of it."
            )
        read_dsn(self._write_dsn())
        return self

    @property
    def dsn(self) -> Dsn:
        """How it is reached."""
        return parse_dsn(self._write_dsn())[0]

    @property
    def repair_dsn(self) -> Dsn | None:
        """How it is reached by who repairs its rows."""
        return parse_dsn(self.repair_url.get_secret_value())[0] if self.repair_url else None

    @property
    def notices(self) -> tuple[str, ...]:
        """What of its URL was translated or dropped, one sentence each."""
        return read_dsn(self.url.get_secret_value())[1] if self.url else ()

    def _write_dsn(self) -> str:
        """The address as one text, a secret."""
        if self.url is None:
            return " ".join(
                f"{key}='{_escape(value)}'" for key, value in self._list_parts() if value
            )
        text = self.url.get_secret_value()
        dsn, _ = read_dsn(text)
        if self.sslmode is None or dsn.is_sslmode_stated:
            return text
        revealed = reveal(dsn)
        return f"{revealed}{'&' if '?' in revealed else '?'}sslmode={self.sslmode}"

    def _list_parts(self) -> tuple[tuple[str, str | None], ...]:
        return (
            ("host", self.host),
            ("port", None if self.port is None else str(self.port)),
            ("user", self.user),
            ("password", self.password.get_secret_value() if self.password else None),
            ("dbname", self.dbname),
            ("sslmode", self.sslmode),
        )


def _escape(value: str) -> str:
    r"""Inside single quotes libpq takes `\'` and `\\`."""
    return value.replace("\\", "\\\\").replace("'", "\\'")
