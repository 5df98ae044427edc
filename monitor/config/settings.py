"""Every setting: its name, type, default and meaning. `docs/reference/settings.md` is made of it.

The models take values that `monitor.config.load` has put together; constructing them
reads neither the environment nor a file.
"""

import re
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from monitor.config.databases import DatabaseDefaults, DatabaseSettings
from monitor.config.section import FrozenMap, SecretUrl, Section, read_dsn
from monitor.config.smoke import SuiteSettings
from monitor.config.values import (
    Duration,
    LogLevel,
    PositiveDuration,
    StoreUrl,
    check_http_url,
    check_signing_secret,
    invalid,
    lower,
    split_list,
)
from monitor.core.findings import FindingClass, Severity

PREFIX: Final = "ANCHORWATCH_"
DELIMITER: Final = "__"
DEFAULT_PORT: Final = 8080
_MENTION: Final = "^(here|channel|[SUW][A-Z0-9]{4,30})$"
_PATH_PART: Final = re.compile(r"[A-Za-z0-9_-]{16,200}")


def _check_public_url(value: str) -> str:
    return check_http_url(value, may_hold_secrets=False).rstrip("/")


def _check_store(value: StoreUrl) -> StoreUrl:
    text = value.get_secret_value()
    if not re.match(r"sqlite(\+aiosqlite)?:///[^?#]", text):
        read_dsn(text, "Write sqlite:///PATH or a postgresql:// URL.")
    elif "\0" in unquote(text):
        raise invalid("should name a file.", "Write sqlite:///PATH.")
    return value


type _SigningSecret = Annotated[SecretStr, AfterValidator(_check_key)]
type _HookSecret = Annotated[SecretStr, AfterValidator(_check_hook_secret)]
type _Severity = Annotated[Severity, BeforeValidator(lower)]


def _check_hook_secret(value: SecretStr) -> SecretStr:
    if not _PATH_PART.fullmatch(value.get_secret_value()):
        raise invalid(
            "should be 16 to 200 letters, digits, - and _: it is a part of an address.",
            "Make one with: openssl rand -hex 24",
        )
    return value


def _check_key(value: SecretStr) -> SecretStr:
    check_signing_secret(value.get_secret_value())
    return value


class Patience(Section):
    """How patient we are with one class of findings; what is not said stays as it is."""

    open_looks: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Looks in a row that must agree before people are told."
    )
    open_after: Duration | None = Field(
        default=None, description="How long it must have been there as well."
    )
    resolve_looks: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Clean looks in a row that end it."
    )
    remind_every: PositiveDuration | None = Field(
        default=None, description="How long after the last word an open incident is told again."
    )


class AlertSettings(Section):
    """When people are told, and for each class of findings how patient we are."""

    group_wait: Duration = Field(
        default=timedelta(seconds=10),
        description="How long a message to people waits for what else happens to databases of "
        "its environment; they get one message for all that is wrong in the same way.",
    )
    group_interval: Duration = Field(
        default=timedelta(minutes=1),
        description="How long after such a message the next one of the same kind may follow.",
    )
    unreachable: Patience = Field(
        default_factory=Patience, description="No connection can be made."
    )
    unknown: Patience = Field(
        default_factory=Patience, description="Connected, but could not look."
    )
    history: Patience = Field(default_factory=Patience, description="The version table is wrong.")
    drift: Patience = Field(
        default_factory=Patience, description="The schema is not what it should be."
    )
    orphans: Patience = Field(
        default_factory=Patience, description="Rows have lost their parents."
    )
    data: Patience = Field(default_factory=Patience, description="An assertion does not hold.")
    smoke: Patience = Field(default_factory=Patience, description="A smoke suite does not pass.")

    def get_patience(self, finding_class: FindingClass) -> Patience:
        """What is said about one class."""
        return {
            FindingClass.UNREACHABLE: self.unreachable,
            FindingClass.UNKNOWN: self.unknown,
            FindingClass.HISTORY: self.history,
            FindingClass.DRIFT: self.drift,
            FindingClass.ORPHANS: self.orphans,
            FindingClass.DATA: self.data,
            FindingClass.SMOKE: self.smoke,
        }[finding_class]


class SlackSettings(Section):
    """Where Slack messages go: by an incoming webhook, or by a bot, which keeps threads."""

    webhook_url: SecretUrl | None = Field(
        default=None, description="The incoming webhook of the Slack app."
    )
    bot_token: SecretStr | None = Field(
        default=None,
        description="The token of a bot with the scope `chat:write`, `xoxb-...`: one message an "
        "incident, whose next words are in its thread.",
    )
    channel: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The channel that the bot posts to, by its id."
    )
    mention: Annotated[str, Field(pattern=_MENTION)] | None = Field(
        default=None,
        description="Who is called when something critical is opened: `here`, `channel`, or the "
        "id of a group or a person.",
    )
    api_url: Annotated[str, AfterValidator(_check_public_url)] = Field(
        default="https://slack.com/api", description="Where the bot finds Slack's Web API."
    )
    min_severity: _Severity = Field(
        default=Severity.WARNING, description="The least severity that is told here."
    )

    @model_validator(mode="after")
    def _check_way(self) -> Self:
        is_bot = self.bot_token is not None
        if is_bot is (self.webhook_url is not None):
            raise invalid(
                "should have a webhook_url, or a bot_token with a channel, and not both.",
                "Choose one: docs/how-to/slack.md compares them.",
            )
        if is_bot is not (self.channel is not None):
            raise invalid(
                "should have a channel where it has a bot_token, and only there.",
                "Name the channel by its id, as in C0123456789.",
            )
        return self


class WebhookSettings(Section):
    """An HTTP endpoint that takes events in the form of Standard Webhooks."""

    url: SecretUrl = Field(description="Where events are posted to.")
    secret: _SigningSecret | None = Field(
        default=None, description="The key that signs the events, as in `whsec_...`."
    )
    secrets: Annotated[tuple[_SigningSecret, ...], BeforeValidator(split_list)] = Field(
        default=(), description="Further keys that sign as well, while one is being replaced."
    )
    min_severity: _Severity = Field(
        default=Severity.WARNING, description="The least severity that is told here."
    )

    @property
    def signing_secrets(self) -> tuple[SecretStr, ...]:
        """Every key, the first one first."""
        return ((self.secret,) if self.secret else ()) + self.secrets


class AlertmanagerSettings(Section):
    """An Alertmanager of Prometheus, which is told again of what is open every minute."""

    url: SecretUrl = Field(
        description="Where it answers, as in `http://alertmanager:9093`; "
        "alerts go to `/api/v2/alerts` below it."
    )
    token: SecretStr | None = Field(
        default=None, description="Sent as a bearer token, where a proxy asks for one."
    )
    min_severity: _Severity = Field(
        default=Severity.WARNING, description="The least severity that is told here."
    )


class AppriseSettings(Section):
    """A channel by way of Apprise, which knows a hundred services."""

    url: SecretStr = Field(
        description="An URL of Apprise's, as in `discord://ID/TOKEN`. "
        "It needs `pip install anchorwatch[apprise]`."
    )
    min_severity: _Severity = Field(
        default=Severity.WARNING, description="The least severity that is told here."
    )


class Settings(BaseSettings):
    """Everything that can be set, checked and with its defaults."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        env_ignore_empty=True,
    )

    environment: str = Field(
        default="default",
        description="Where the databases run; part of every message. "
        "Without it `RAILWAY_ENVIRONMENT_NAME`.",
    )
    environments: Annotated[tuple[str, ...], BeforeValidator(split_list)] = Field(
        default=(),
        description="Where people are told, as in `production,staging`: elsewhere the agent "
        "looks, records and shows, and sends nothing. Empty for everywhere.",
    )
    databases: FrozenMap[DatabaseSettings] = Field(
        default_factory=lambda: MappingProxyType({}), description="What is watched, by name."
    )
    defaults: DatabaseDefaults = Field(
        default_factory=DatabaseDefaults, description="What databases have in common."
    )
    host: str = Field(
        default="::", description="The address to listen on; `::` is every address, IPv4 and IPv6."
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=DEFAULT_PORT,
        description="The port to listen on, 0 for a free one. `PORT` wins over everything.",
    )
    public_url: Annotated[str, AfterValidator(_check_public_url)] | None = Field(
        default=None, description="Where people reach the page; messages link to it."
    )
    api_token: SecretStr | None = Field(
        default=None,
        description="Opens the page and the API; needed unless `host` is this machine alone.",
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="Opens `/metrics` and nothing else, as `api_token` does too."
    )
    metrics_detail: Annotated[Literal["auto", "full", "compact"], BeforeValidator(lower)] = Field(
        default="auto",
        description="Whether `/metrics` says of each kind of difference that there is none "
        "(`full`), or only of all together (`compact`); `auto` is compact above 200 databases.",
    )
    push_token: SecretStr | None = Field(
        default=None, description="Lets a pipeline push locks, and opens nothing else."
    )
    railway_webhook_secret: _HookSecret | None = Field(
        default=None,
        description="Takes Railway's webhooks at `/hooks/railway/SECRET`: a long random text.",
    )
    deploy_webhook_secret: _HookSecret | None = Field(
        default=None,
        description="Takes reports of deployments at `/hooks/deploy/SECRET`: a long random text.",
    )
    post_deploy_delay: Duration = Field(
        default=timedelta(seconds=20),
        description="How long after a reported deployment everything is looked at.",
    )
    store_url: Annotated[StoreUrl, AfterValidator(_check_store)] = Field(
        default=StoreUrl("sqlite:///data/anchorwatch.sqlite"),
        description="The ledger: `sqlite:///PATH` or a `postgresql://` URL. Without it "
        "`anchorwatch.sqlite` on `RAILWAY_VOLUME_MOUNT_PATH`, else in `./data`.",
    )
    concurrency: Annotated[int, Field(ge=1, le=256)] = Field(
        default=8, description="How many databases are looked at at once."
    )
    deploy_window: Duration = Field(
        default=timedelta(minutes=10), description="How long a deployment may take to settle."
    )
    alerts: AlertSettings = Field(
        default_factory=AlertSettings,
        description="When people are told, for each class of findings.",
    )
    slack: SlackSettings | None = Field(default=None, description="A Slack channel.")
    webhooks: FrozenMap[WebhookSettings] = Field(
        default_factory=lambda: MappingProxyType({}), description="HTTP endpoints, by name."
    )
    alertmanager: AlertmanagerSettings | None = Field(
        default=None, description="An Alertmanager of Prometheus."
    )
    apprise: FrozenMap[AppriseSettings] = Field(
        default_factory=lambda: MappingProxyType({}),
        description="Channels by way of Apprise, by name.",
    )
    smoke: tuple[SuiteSettings, ...] = Field(
        default=(), description="Smoke tests: suites of requests and queries."
    )
    heartbeat_url: SecretUrl | None = Field(
        default=None,
        description="Pinged once a minute while the watch goes on, as Healthchecks.io wants it; "
        "`/fail` below it when something broke inside.",
    )
    sentry_dsn: SecretUrl | None = Field(
        default=None, description="Where anchorwatch's own errors go. Without it `SENTRY_DSN`."
    )
    log_level: LogLevel = Field(default="info", description="The least level that is logged.")
    log_format: Annotated[Literal["json", "console"], BeforeValidator(lower)] = Field(
        default="json", description="One JSON object a line, or text for people."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: the environment is an argument of `load_config`."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @classmethod
    def _settings_log_debug(cls, states: dict[str, dict[str, Any]]) -> None:
        """Nothing: PYDANTIC_SETTINGS_DEBUG would write every secret to the log."""
