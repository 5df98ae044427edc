"""The models: frozen, sound defaults, no secret on the outside."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from monitor.config import DatabaseSettings, Settings, load_config, mask_config
from monitor.config.outline import Shape, list_settings
from monitor.core.errors import ConfigurationError
from monitor.sources import deadlines

SECRET = "h🔑nter2-" + "x" * 8
KEY = "whsec_" + "c2VjcmV0" * 4
SHOWN = {
    *(
        "host",
        "user",
        "python",
        "dbname",
        "environment",
        "environments",
        "store_url",
        "public_url",
        "*",
    ),
    *("lock_schema", "services", "where"),
    *("code", "object", "reason"),
    *("only", "without", "strict", "ignore", "ignore_extra"),
}
"""Settings whose values are no secrets, labels too: they may be shown as they are."""
KNOWN = [
    setting.variable.replace("<NAME>", "APP").replace("<NUMBER>", "0")
    for setting in list_settings().values()
    if setting.shape in (Shape.TEXT, Shape.LIST) and setting.path[-1] not in SHOWN
]
VARIABLES = [
    *KNOWN,
    *(f"{name}_FILE" for name in KNOWN),
    *("ANCHORWATCH_DATABASES", "ANCHORWATCH_DATABASES__APP", "ANCHORWATCH_SLACK"),
    *("ANCHORWATCH_UNKNOWN", "ANCHORWATCH_DATABASES__APP__UNKNOWN", "ANCHORWATCH_ALERTS"),
    *("ANCHORWATCH_CONFIG_YAML", "PORT", "SENTRY_DSN", "DATABASE_URL"),
]
SHAPES = [
    "{}",
    "postgresql://u:{}@h/d",
    "postgresql://u:{}@h/d?sslmode={}",
    "postgresql://u:{}@h:port/d",
    "postgresql://u:{}@/",
    "host=h dbname=d password='{}'",
    "https://x.example/{}",
    "https://{}@x.example/",
    "sqlite:///{}",
    '{{"app": {{"url": "postgresql://u:{}@h/d"}}}}',
    "[{}",
    "databases: {{app: {{url: 'postgresql://u:{}@h/d'}}}}",
    "databases: {{app: {{url: '{}', interval: {}}}}}",
    "databases: {}",
    "databases: {{app: *{}}}",
    "api_token: '{}'\nport: {}",
    "a: b: {}",
]


def load_and_tell(environ: Mapping[str, str]) -> str:
    """Everything that a reader of logs, pages and errors could come to see."""
    try:
        loaded = load_config(environ, cwd=Path("/nonexistent"), may_be_empty=True)
    except ConfigurationError as error:
        return f"{error!r} {error} {error.__cause__!r} {error.args}"
    parts = [loaded, loaded.settings, mask_config(loaded), loaded.problems, loaded.notices]
    parts += [*loaded.problems, dict(loaded.origins), loaded.settings.model_dump_json()]
    return "\n".join(f"{part!r} {part}" for part in parts)


@given(st.data())
def test_no_secret_ever_shows(data: st.DataObject) -> None:
    environ = {"DATABASE_URL": f"postgresql://u:{SECRET}@h/d"}
    for _ in range(data.draw(st.integers(1, 4))):
        name = data.draw(st.sampled_from(VARIABLES))
        environ[name] = data.draw(st.sampled_from(SHAPES)).replace("{}", SECRET)
    told = load_and_tell(environ)
    assert SECRET not in told
    assert told == load_and_tell(environ)


@given(st.sampled_from(SHAPES), st.sampled_from(SHAPES))
def test_no_document_shows_its_secrets(first: str, second: str) -> None:
    line = f"databases:\n  app:\n    url: '{first}'\n    password: {second}\n"
    for text in (line, first, f"api_token: {first}\nslack: {second}"):
        document = text.replace("{}", SECRET).replace("{{", "{").replace("}}", "}")
        assert SECRET not in load_and_tell({"ANCHORWATCH_CONFIG_YAML": document})


def test_a_validation_error_of_the_models_quotes_nothing() -> None:
    with pytest.raises(ValidationError) as caught:
        DatabaseSettings.model_validate({"url": f"x{SECRET}", "interval": SECRET, "port": SECRET})
    assert SECRET not in str(caught.value)


def test_the_debug_switch_of_the_library_logs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PYDANTIC_SETTINGS_DEBUG", "1")
    caplog.set_level(logging.DEBUG)
    load_config(
        {"DATABASE_URL": "postgresql://h/d", "ANCHORWATCH_API_TOKEN": SECRET}, cwd=tmp_path
    )
    assert SECRET not in caplog.text


def test_settings_are_frozen() -> None:
    settings = Settings(
        databases={"app": DatabaseSettings.model_validate({"url": "postgresql:///d"})}
    )
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1
    with pytest.raises(ValidationError, match="frozen"):
        settings.databases["app"].wake = False
    with pytest.raises(TypeError):
        settings.databases["b"] = settings.databases["app"]  # type: ignore[index]  # what is tried


def test_the_timeouts_are_those_of_the_reader() -> None:
    database = DatabaseSettings.model_validate({"url": "postgresql:///d"})
    assert database.connect_timeout.total_seconds() == deadlines.CONNECT_SECONDS
    assert database.statement_timeout.total_seconds() == deadlines.STATEMENT_SECONDS
    assert database.lock_timeout.total_seconds() == deadlines.LOCK_SECONDS


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_password_reaches_the_server_as_it_is(password: str) -> None:
    database = DatabaseSettings(host="h", user="u", dbname="d", password=SecretStr(password))
    assert database.dsn.password == password


def test_a_webhook_signs_with_every_key(tmp_path: Path) -> None:
    environ = {
        "DATABASE_URL": "postgresql://h/d",
        "ANCHORWATCH_WEBHOOKS__OPS__URL": "https://x.example",
        "ANCHORWATCH_WEBHOOKS__OPS__SECRET": KEY,
        "ANCHORWATCH_WEBHOOKS__OPS__SECRETS": f"{KEY} {KEY}",
    }
    webhook = load_config(environ, cwd=tmp_path).settings.webhooks["ops"]
    assert [secret.get_secret_value() for secret in webhook.signing_secrets] == [KEY] * 3
