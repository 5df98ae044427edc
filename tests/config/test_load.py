"""Who wins when several places say something, and what one wrong entry does to the rest."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from monitor.config import DatabaseUrl, LoadedConfig, Settings, load_config, require_sound
from monitor.core.errors import ConfigurationError, Unreachable

URL = "postgresql://app:pw@db.example/app"
ONE = f"databases:\n  app:\n    url: {URL}\n    interval: 5m\n"


def load(tmp_path: Path, document: str | None = None, /, **environ: str) -> LoadedConfig:
    if document is not None:
        (tmp_path / "anchorwatch.yaml").write_text(document)
    return load_config(environ, cwd=tmp_path)


def test_database_url_alone_is_enough(tmp_path: Path) -> None:
    loaded = load(tmp_path, DATABASE_URL=URL)
    assert list(loaded.settings.databases) == ["default"]
    assert loaded.settings.databases["default"].dsn.label == "db.example:5432/app"
    assert loaded.settings.environment == "default"
    assert loaded.place is None


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("My API", "my_api"),
        ("web-1", "web_1"),
        ("1st", "db_1st"),
        ("___", "default"),
        ("Ünïcode", "n_code"),
        ("x" * 60, "x" * 40),
    ],
)
def test_the_single_database_is_named_after_the_railway_service(
    tmp_path: Path, service: str, name: str
) -> None:
    loaded = load(tmp_path, DATABASE_URL=URL, RAILWAY_SERVICE_NAME=service)
    assert list(loaded.settings.databases) == [name]


def test_database_url_gives_way_to_configured_databases(tmp_path: Path) -> None:
    loaded = load(tmp_path, ONE, DATABASE_URL="postgresql://other/other")
    assert list(loaded.settings.databases) == ["app"]


def test_database_url_is_no_stand_in_for_a_database_that_is_wrong(tmp_path: Path) -> None:
    loaded = load(tmp_path, ONE.replace("app:", "My-App:"), DATABASE_URL=URL)
    assert (len(loaded.settings.databases), len(loaded.problems)) == (0, 1)


def test_a_document_without_databases_leaves_database_url_its_place(tmp_path: Path) -> None:
    loaded = load(tmp_path, "log_level: debug\n", DATABASE_URL=URL)
    assert list(loaded.settings.databases) == ["default"]
    assert loaded.settings.log_level == "debug"


PRECEDENCE: list[tuple[str, dict[str, str], str, object]] = [
    ("", {}, "port", 8080),
    ("port: 1", {}, "port", 1),
    ("port: 1", {"ANCHORWATCH_PORT": "2"}, "port", 2),
    ("port: 1", {"ANCHORWATCH_PORT": "2", "PORT": "3"}, "port", 3),
    ("port: 1", {"ANCHORWATCH_PORT": ""}, "port", 1),
    ("port: 1", {"anchorwatch_port": "2"}, "port", 2),
    ("", {}, "environment", "default"),
    ("", {"RAILWAY_ENVIRONMENT_NAME": "production"}, "environment", "production"),
    ("environment: a", {"RAILWAY_ENVIRONMENT_NAME": "b"}, "environment", "a"),
    ("environment: a", {"ANCHORWATCH_ENVIRONMENT": "c"}, "environment", "c"),
    ("log_level: debug", {"ANCHORWATCH_LOG_LEVEL": "WARNING"}, "log_level", "warning"),
    ("public_url: https://a.example/", {}, "public_url", "https://a.example"),
    ("concurrency: 3", {"ANCHORWATCH_CONCURRENCY": "4"}, "concurrency", 4),
]


@pytest.mark.parametrize(("document", "environ", "key", "value"), PRECEDENCE)
def test_the_stronger_place_wins(
    tmp_path: Path, document: str, environ: dict[str, str], key: str, value: object
) -> None:
    loaded = load(tmp_path, f"{document}\n{ONE}", **environ)
    assert getattr(loaded.settings, key) == value


@pytest.mark.parametrize(
    ("document", "environ", "dsn"),
    [
        ("", {"SENTRY_DSN": "https://a@s.example/1"}, "https://a@s.example/1"),
        (
            "sentry_dsn: https://b@s.example/1",
            {"SENTRY_DSN": "https://a@s.example/1"},
            "https://b@s.example/1",
        ),
        (
            "",
            {"SENTRY_DSN": "https://a@s.example/1", "ANCHORWATCH_SENTRY_DSN": "https://c@s/1"},
            "https://c@s/1",
        ),
    ],
)
def test_sentry_dsn_is_the_fallback(
    tmp_path: Path, document: str, environ: dict[str, str], dsn: str
) -> None:
    settings = load(tmp_path, f"{document}\n{ONE}", **environ).settings
    assert settings.sentry_dsn is not None
    assert settings.sentry_dsn.get_secret_value() == dsn


def test_variables_are_merged_into_the_document_key_by_key(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        ONE + "    labels: {team: core}\n",
        ANCHORWATCH_DATABASES__APP__URL="postgresql://h/other",
        ANCHORWATCH_DATABASES__APP__LABELS__TIER="1",
        ANCHORWATCH_DATABASES__BILLING__URL="postgresql://h/billing",
    )
    app, billing = loaded.settings.databases["app"], loaded.settings.databases["billing"]
    assert app.dsn.database == "other"
    assert app.interval == timedelta(minutes=5)
    assert app.labels == {"team": "core", "tier": "1"}
    assert billing.interval == timedelta(minutes=1)


def test_a_section_can_stand_in_one_variable_as_json(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        ANCHORWATCH_DATABASES=f'{{"app": {{"url": "{URL}", "wake": false, "interval": "5m"}}}}',
        ANCHORWATCH_DATABASES__APP__INTERVAL="6m",
    )
    app = loaded.settings.databases["app"]
    assert (app.wake, app.interval) == (False, timedelta(minutes=6))
    assert loaded.origins["databases.app.wake"] == "ANCHORWATCH_DATABASES"
    assert loaded.origins["databases.app.interval"] == "ANCHORWATCH_DATABASES__APP__INTERVAL"


def test_defaults_lie_below_every_database(tmp_path: Path) -> None:
    document = f"""
defaults: {{interval: 7m, sslmode: require, labels: {{team: core}}}}
databases:
  a: {{url: "{URL}", interval: 1m, labels: {{tier: "1"}}}}
  b: {{url: "{URL}?sslmode=disable"}}
"""
    loaded = load(tmp_path, document, ANCHORWATCH_DEFAULTS__WAKE="false")
    a, b = loaded.settings.databases["a"], loaded.settings.databases["b"]
    assert (a.interval, b.interval) == (timedelta(minutes=1), timedelta(minutes=7))
    assert a.labels == {"team": "core", "tier": "1"}
    assert (a.dsn.sslmode, b.dsn.sslmode) == ("require", "disable")
    assert (a.wake, b.wake) == (False, False)
    assert loaded.origins["databases.b.interval"] == "anchorwatch.yaml:2:defaults.interval"


def test_databases_have_the_general_environment_unless_they_say_otherwise(tmp_path: Path) -> None:
    document = f"databases:\n  a: {{url: '{URL}'}}\n  b: {{url: '{URL}', environment: staging}}\n"
    settings = load(tmp_path, document, RAILWAY_ENVIRONMENT_NAME="production").settings
    assert settings.databases["a"].environment == "production"
    assert settings.databases["b"].environment == "staging"


def test_a_url_takes_the_place_of_the_parts_below_it(tmp_path: Path) -> None:
    document = "databases:\n  app: {host: h, user: u, dbname: d, port: 1, interval: 5m}\n"
    assert load(tmp_path, document).settings.databases["app"].dsn.label == "h:1/d"
    replaced = load(tmp_path, document, ANCHORWATCH_DATABASES__APP__URL=URL).settings
    assert replaced.databases["app"].dsn.label == "db.example:5432/app"
    assert replaced.databases["app"].interval == timedelta(minutes=5)


def test_parts_among_the_defaults_do_not_contradict_a_url(tmp_path: Path) -> None:
    document = f"""
defaults: {{host: h, user: u, password: p}}
databases: {{a: {{dbname: d}}, b: {{url: "{URL}"}}}}
"""
    databases = load(tmp_path, document).settings.databases
    assert databases["a"].dsn.label == "h:5432/d"
    assert databases["b"].dsn.label == "db.example:5432/app"


def test_a_secret_in_a_file_loses_its_last_newline_only(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b" pass word \r\n")
    (tmp_path / "t").write_text("t\n")
    document = "databases:\n  app: {host: h, user: u, dbname: d, password_file: password}\n"
    environ = {"ANCHORWATCH_API_TOKEN_FILE": "t"}
    settings = load(tmp_path, document, **environ).settings
    assert settings.databases["app"].password == SecretStr(" pass word ")
    assert settings.api_token is not None
    assert settings.api_token.get_secret_value() == "t"


def test_every_way_to_give_a_secret_as_a_file_works(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{URL}\n")
    ways: list[tuple[str | None, Mapping[str, str]]] = [
        ("databases:\n  default: {url_file: url}\n", {}),
        (None, {"ANCHORWATCH_DATABASES__DEFAULT__URL_FILE": "url"}),
        (None, {"ANCHORWATCH_DATABASES__DEFAULT__URL_FILE": str(tmp_path / "url")}),
        (None, {"DATABASE_URL_FILE": "url"}),
    ]
    for document, environ in ways:
        (tmp_path / "anchorwatch.yaml").unlink(missing_ok=True)
        loaded = load(tmp_path, document, **environ)
        assert loaded.settings.databases["default"].url == DatabaseUrl(URL), environ
        assert loaded.problems == ()


def test_a_variable_wins_over_a_file_that_the_document_names(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://h/from_file\n")
    document = "databases:\n  app: {url_file: url}\n"
    loaded = load(tmp_path, document, ANCHORWATCH_DATABASES__APP__URL="postgresql://h/from_env")
    assert loaded.settings.databases["app"].dsn.database == "from_env"


def test_one_bad_database_does_not_stop_the_others(tmp_path: Path) -> None:
    document = f"""
databases:
  good: {{url: "{URL}"}}
  unset: {{url: "${{NOWHERE}}"}}
  broken: {{url: "postgresql://h:x/d"}}
  Bad-Name: {{url: "{URL}"}}
  late: {{url: "{URL}", interval: soon}}
"""
    loaded = load(tmp_path, document)
    assert list(loaded.settings.databases) == ["good"]
    assert [problem.database for problem in loaded.problems] == ["unset", None, "broken", "late"]
    with pytest.raises(ConfigurationError) as caught:
        require_sound(loaded)
    assert len(str(caught.value).splitlines()) == 4
    require_sound(load(tmp_path, ONE))


def test_every_problem_is_told_when_one_of_them_stops_everything(tmp_path: Path) -> None:
    document = "port: x\nlog_format: xml\ndatabases:\n  app: {url: x, interval: 1}\n"
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, document)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "anchorwatch.yaml:1:port",
        "anchorwatch.yaml:2:log_format",
        "anchorwatch.yaml:4:databases.app.interval",
        "anchorwatch.yaml:4:databases.app.url",
    ]


def test_a_wrong_default_is_told_once(tmp_path: Path) -> None:
    document = (
        f"defaults: {{interval: x}}\ndatabases: {{a: {{url: '{URL}'}}, b: {{url: '{URL}'}}}}"
    )
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, document)
    assert str(caught.value).count("\n") == 0


def test_the_origin_of_every_given_setting_is_known(tmp_path: Path) -> None:
    loaded = load(tmp_path, ONE, ANCHORWATCH_PORT="1", RAILWAY_ENVIRONMENT_NAME="p")
    assert loaded.origins == {
        "environment": "RAILWAY_ENVIRONMENT_NAME",
        "port": "ANCHORWATCH_PORT",
        "databases.app.url": "anchorwatch.yaml:3:databases.app.url",
        "databases.app.interval": "anchorwatch.yaml:4:databases.app.interval",
        "databases.app.environment": "RAILWAY_ENVIRONMENT_NAME",
    }


def test_the_same_places_give_equal_settings(tmp_path: Path) -> None:
    environ = {"ANCHORWATCH_SLACK__WEBHOOK_URL": "https://hooks.example/x"}
    assert load(tmp_path, ONE, **environ).settings == load(tmp_path, ONE, **environ).settings


def test_what_was_dropped_from_a_url_is_told(tmp_path: Path) -> None:
    loaded = load(tmp_path, DATABASE_URL=f"{URL}?pgbouncer=true")
    assert len(loaded.notices) == 1
    assert loaded.notices[0].startswith("default: pgbouncer was dropped")


def test_no_database_at_all_is_an_error_unless_there_may_be_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no database") as caught:
        load(tmp_path, "port: 1\n")
    assert "DATABASE_URL" in caught.value.next_step
    assert load_config({}, cwd=tmp_path, may_be_empty=True).settings.databases == {}


def test_the_variables_of_a_kubernetes_service_are_no_settings(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        ONE,
        ANCHORWATCH_PORT="tcp://10.0.0.1:80",
        ANCHORWATCH_PORT_80_TCP_ADDR="10.0.0.1",
        ANCHORWATCH_SERVICE_HOST="10.0.0.1",
        ANCHORWATCH_SERVICE_PORT_HTTP="80",
        ANCHORWATCH_STORE_PORT="tcp://10.0.0.2:5432",
    )
    assert loaded.settings.port == 8080


def test_the_environment_of_the_process_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANCHORWATCH_PORT", "99")
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/elsewhere")
    assert load(tmp_path, ONE).settings.port == 8080
    assert Settings().port == 8080


def test_a_document_is_fetched_from_its_url(tmp_path: Path) -> None:
    asked: list[str] = []

    def fetch(url: str) -> str:
        asked.append(url)
        return ONE.replace("5m", "bad")

    url = "https://reader:token@config.example/secret/anchorwatch.yaml?key=token"
    loaded = load_config({"ANCHORWATCH_CONFIG": url}, cwd=tmp_path, fetch=fetch)
    assert asked == [url]
    assert loaded.problems[0].message.startswith("https://config.example:4:databases.app.interval")


def test_a_document_that_cannot_be_fetched_is_one_sentence(tmp_path: Path) -> None:
    def fetch(url: str) -> str:
        raise Unreachable("No connection.", next_step="Check the network.")

    environ = {"ANCHORWATCH_CONFIG": "https://config.example/secret"}
    for given in (fetch, None):
        with pytest.raises(ConfigurationError, match=r"https://config\.example") as caught:
            load_config(environ, cwd=tmp_path, fetch=given)
        assert "secret" not in str(caught.value)
