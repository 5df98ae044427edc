"""Where the configuration is, and where the ledger is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from monitor.config.environment import (
    CONFIG,
    CONFIG_YAML,
    RAILWAY_ENVIRONMENT,
    RAILWAY_VOLUME,
)
from monitor.config.values import StoreUrl
from monitor.core.errors import AnchorwatchError, ConfigurationError
from monitor.core.loopback import is_loopback_host
from monitor.sources.dsn import printable
from monitor.sources.files import read_file

type Fetch = Callable[[str], str]

FILE_NAME: Final = "anchorwatch.yaml"
SYSTEM_PLACE: Final = Path("/etc/anchorwatch") / FILE_NAME


class PlaceKind(StrEnum):
    """What kind of place holds the configuration."""

    FILE = "file"
    URL = "url"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigPlace:
    """Where the configuration is read from.

    Attributes:
        kind: what kind of place it is.
        location: the path, the URL, or the document itself; may hold secrets.
        label: its name for messages: a path, `https://HOST`, or the variable.
    """

    kind: PlaceKind
    location: str = field(repr=False)
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlace:
    """Whether the ledger outlives a deployment.

    Attributes:
        will_survive: whether it does.
        sentence: what happens otherwise and what to do, or empty.
    """

    will_survive: bool
    sentence: str = ""


def find_config_place(
    environ: Mapping[str, str],
    *,
    path: str | None = None,
    cwd: Path,
    system_place: Path = SYSTEM_PLACE,
) -> ConfigPlace | None:
    """The first place that there is; None when everything comes from variables.

    In this order: `path`, `ANCHORWATCH_CONFIG` (each a path or an `https://` URL; `http://`
    on this machine only), the text of `ANCHORWATCH_CONFIG_YAML`, `anchorwatch.yaml` in
    `cwd`, and in `/etc/anchorwatch`. A place that is named need not exist.

    Raises:
        ConfigurationError: what is named can be no place, or two are named.
    """
    named, text = path or environ.get(CONFIG), environ.get(CONFIG_YAML)
    if named and text and not path:
        raise ConfigurationError(
            f"Both {CONFIG} and {CONFIG_YAML} are set.", next_step="Keep one of them."
        )
    if named:
        return _name_place(named, "The path of the configuration" if path else CONFIG)
    if text:
        return ConfigPlace(kind=PlaceKind.TEXT, location=text, label=CONFIG_YAML)
    for place, label in ((cwd / FILE_NAME, FILE_NAME), (system_place, str(system_place))):
        if place.is_file():
            return ConfigPlace(kind=PlaceKind.FILE, location=str(place), label=label)
    return None


def read_config_place(place: ConfigPlace, *, cwd: Path, fetch: Fetch | None) -> str:
    """The document at a place.

    Raises:
        ConfigurationError: it cannot be read or fetched.
    """
    if place.kind is PlaceKind.TEXT:
        return place.location
    if place.kind is PlaceKind.URL:
        return _fetch(place, fetch)
    try:
        return read_file(cwd / place.location).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise ConfigurationError(
            f"{place.label} cannot be read: {reason}.",
            next_step="Correct the path, or let this user read the file.",
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"{place.label} is not UTF-8 text.", next_step="Save it as UTF-8."
        ) from None


def judge_store(store_url: StoreUrl, environ: Mapping[str, str]) -> StorePlace:
    """Whether what is recorded there is still known after the next deployment."""
    url = store_url.get_secret_value()
    path = Path(unquote(url.partition(":///")[2]))
    volume = environ.get(RAILWAY_VOLUME)
    if not url.startswith("sqlite") or not environ.get(RAILWAY_ENVIRONMENT):
        return StorePlace(will_survive=True)
    if volume and path.is_relative_to(volume) and ".." not in path.parts:
        return StorePlace(will_survive=True)
    return StorePlace(
        will_survive=False,
        sentence=f"The ledger {printable(str(path))} is lost at the next deployment: "
        "attach a volume to this service, or set ANCHORWATCH_STORE_URL to a PostgreSQL "
        "database of its own.",
    )


def _name_place(named: str, subject: str) -> ConfigPlace:
    scheme = named.partition("://")[0].lower() if "://" in named else ""
    if scheme in ("http", "https"):
        return _name_url(named, subject)
    # Whoever pastes the document or a database URL here would read it in an error.
    if scheme or "\0" in named or "\n" in named or "{" in named or ": " in named:
        raise ConfigurationError(
            f"{subject} is neither a path nor an https URL.",
            next_step=f"Put the document itself into {CONFIG_YAML}.",
        )
    return ConfigPlace(kind=PlaceKind.FILE, location=named, label=printable(named))


def _name_url(url: str, subject: str) -> ConfigPlace:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or not url.isprintable():
        raise ConfigurationError(
            f"{subject} is a URL that cannot be read.", next_step="Write https://HOST/PATH."
        )
    if parts.scheme != "https" and not is_loopback_host(host):
        raise ConfigurationError(
            f"{subject} is an http URL, which anybody on the way can read and change.",
            next_step="Use https.",
        )
    shown = f"{parts.scheme}://{host}{f':{port}' if port else ''}"
    return ConfigPlace(kind=PlaceKind.URL, location=url, label=shown)


def _fetch(place: ConfigPlace, fetch: Fetch | None) -> str:
    if fetch is None:
        raise ConfigurationError(
            f"The configuration is at {place.label}, and this command fetches none.",
            next_step="Give it as a file.",
        )
    try:
        return fetch(place.location)
    except AnchorwatchError as error:
        raise ConfigurationError(
            f"{place.label} did not give a configuration: {error.message}",
            next_step=error.next_step,
        ) from None
