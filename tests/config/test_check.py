"""Every bad setting gives one sentence that says where it stands and what to write instead."""

import os
from pathlib import Path

import pytest

from monitor.config import load_config, require_sound
from monitor.core.errors import ConfigurationError

URL = "postgresql://app:pw@db.example/app"
SOUND = f"databases: {{app: {{url: '{URL}'}}}}\n"


def complain(tmp_path: Path, document: str, **environ: str) -> list[str]:
    """What `config check` says, a line for each problem."""
    (tmp_path / "anchorwatch.yaml").write_text(document)
    with pytest.raises(ConfigurationError) as caught:
        require_sound(load_config(environ, cwd=tmp_path))
    assert caught.value.next_step
    return str(caught.value).splitlines()


def database(text: str) -> str:
    return f"databases:\n  app:\n    url: {URL}\n    {text}\n"


NEAR = [
    (f"{SOUND}prot: 1", "2:prot", "port"),
    (f"{SOUND}log-level: info", "2:log-level", "log_level"),
    (f"{SOUND}Port: 1", "2:Port", "port"),
    (database("intervall: 5m"), "4:databases.app.intervall", "interval"),
    (database("min-interval: 5m"), "4:databases.app.min-interval", "min_interval"),
    (f"{SOUND}slack: {{webhook: x}}", "2:slack.webhook", "webhook_url"),
    (f"{SOUND}alerts: {{drfit: {{}}}}", "2:alerts.drfit", "drift"),
    (f"{SOUND}alerts: {{drift: {{open_look: 2}}}}", "2:alerts.drift.open_look", "open_looks"),
    (
        f"{SOUND}webhooks: {{ops: {{url: 'https://x.example', sercet: x}}}}",
        "2:webhooks.ops.sercet",
        "secret",
    ),
    (f"{SOUND}defaults: {{intervall: 5m}}", "2:defaults.intervall", "interval"),
    (f"{SOUND}api_token_fil: x", "2:api_token_fil", "api_token_file"),
]


@pytest.mark.parametrize(("document", "where", "nearest"), NEAR)
def test_an_unknown_key_is_told_with_the_nearest_one(
    tmp_path: Path, document: str, where: str, nearest: str
) -> None:
    line = complain(tmp_path, document)[0]
    assert line.startswith(f"anchorwatch.yaml:{where}: There is no setting")
    assert line.endswith(f"Did you mean {nearest}?")


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("ANCHORWATCH_PROT", "port"),
        ("ANCHORWATCH_METRICS_TOKN_FILE", "metrics_token_file"),
        ("ANCHORWATCH_SLAK__WEBHOOK_URL", "slack"),
        ("ANCHORWATCH_SLACK__WEBHOK_URL", "webhook_url"),
        ("ANCHORWATCH_DATABASES__APP__URLL", "url"),
    ],
)
def test_an_unknown_variable_is_told_with_the_nearest_key(
    tmp_path: Path, variable: str, nearest: str
) -> None:
    line = complain(tmp_path, SOUND, **{variable: "hunter2"})[0]
    assert line.startswith(f"{variable}: ")
    assert line.endswith(f"Did you mean {nearest}?")


def test_a_variable_below_a_single_value_is_told(tmp_path: Path) -> None:
    line = complain(tmp_path, SOUND, ANCHORWATCH_PORT__X="1")[0]
    assert line.startswith("ANCHORWATCH_PORT__X: There is no such setting.")


def test_a_key_like_nothing_gets_the_list(tmp_path: Path) -> None:
    line = complain(tmp_path, f"{SOUND}slack: {{zzz: x, webhook_url: 'https://x.example'}}")[0]
    assert "webhook_url, webhook_url_file, bot_token, bot_token_file, channel" in line


BAD = [
    (database("interval: 60"), "4:databases.app.interval", "60s, 5m, 24h or 500ms"),
    (database("interval: 1h30"), "4:databases.app.interval", "60s"),
    (database("interval: -5s"), "4:databases.app.interval", "60s"),
    (database("interval: 0s"), "4:databases.app.interval", "longer than nothing"),
    (database("interval: 99999999d"), "4:databases.app.interval", "60s"),
    (database("interval: null"), "4:databases.app.interval", "60s"),
    (database("interval: [5m]"), "4:databases.app.interval", "one value"),
    (database("interval: {a: 5m}"), "4:databases.app.interval", "one value"),
    (database("wake: perhaps"), "4:databases.app.wake", "true or false"),
    (database("labels: core"), "4:databases.app.labels", "keys"),
    (database("labels: {Team: core}"), "4:databases.app.labels.Team", "write team"),
    (database("expected: nothing here"), "4:databases.app.expected", "alembic:"),
    (database("expected: other"), "4:databases.app.expected", "no other configured database"),
    (database("expected: app"), "4:databases.app.expected", "no other configured database"),
    (database("expected: mysql://u:hunter2@h/d"), "4:databases.app.expected", "mysql://"),
    (database("shadow_url: mysql://u:hunter2@h/d"), "4:databases.app.shadow_url", "postgresql://"),
    (
        database("orphans: {relations: [{relation: hunter2}]}"),
        "4:databases.app.orphans.relations.0.relation",
        "orders.user_id -> users.id",
    ),
    (database("repair_url: mysql://u:hunter2@h/d"), "4:databases.app.repair_url", "postgresql://"),
    (database("sslmode: maybe"), "4:databases.app.sslmode", "'require'"),
    (database("url_env: 'A B-C'"), "4:databases.app.url_env", "environment variables"),
    (database("lock_beside: [sql:a.sql]"), "4:databases.app.lock_beside", "name locks"),
    (database("lock_beside: [lock:http://h/l]"), "4:databases.app.lock_beside", "anybody"),
    (database("expected: lock:http://h/l"), "4:databases.app.expected", "anybody"),
    (database("commit: 'a b'"), "4:databases.app.commit", "a commit"),
    (database("host: h"), "2:databases.app", "both url and host"),
    (database("url_file: x"), "4:databases.app.url_file", "Both url and url_file"),
    ("databases: {app: {}}", "1:databases.app", "names no address"),
    ("databases: {app: }", "1:databases.app", "names no address"),
    ("databases: {app: {host: h}}", "1:databases.app", "names no database"),
    ("databases: {app: {url: ''}}", "1:databases.app", "names no address"),
    ("databases: {app: {url: ':hunter2'}}", "1:databases.app.url", "not a PostgreSQL URL"),
    ("databases: {app: {url_file: nowhere}}", "1:databases.app.url_file", "No such file"),
    ("databases: {app: {url_file: .}}", "1:databases.app.url_file", "directory"),
    ("databases: {app: {url: '${NOWHERE}'}}", "1:databases.app.url", "${NOWHERE} is not set"),
    ("databases: {app: {url: '${NO:?ask Ann}'}}", "1:databases.app.url", "not set: ask Ann."),
    (f"databases: {{My-App: {{url: '{URL}'}}}}", "1:databases.My-App", "write my_app"),
    (f"databases: {{1st: {{url: '{URL}'}}}}", "1:databases.1st", "write db_1st"),
    ("databases: [a]", "1:databases", "keys"),
    (f"{SOUND}port: eighty", "2:port", "whole number"),
    (f"{SOUND}port: 70000", "2:port", "at most 65535"),
    (f"{SOUND}concurrency: 0", "2:concurrency", "at least 1"),
    (f"{SOUND}log_format: xml", "2:log_format", "'json' or 'console'"),
    (f"{SOUND}public_url: example.com", "2:public_url", "http or https URL"),
    (f"{SOUND}public_url: https://u:hunter2@x.example", "2:public_url", "no user, password"),
    (f"{SOUND}store_url: mysql://hunter2/x", "2:store_url", "sqlite:///PATH"),
    (f"{SOUND}store_url: 'sqlite://'", "2:store_url", "sqlite:///PATH"),
    (f"{SOUND}store_url: 'sqlite:///a%00b.db'", "2:store_url", "sqlite:///PATH"),
    (f"{SOUND}slack: {{}}", "2:slack", "webhook_url, or a bot_token"),
    (f"{SOUND}slack: {{webhook_url: hunter2}}", "2:slack.webhook_url", "http or https URL"),
    (
        f"{SOUND}slack: {{webhook_url: 'https://x.example', min_severity: loud}}",
        "2:slack.min_severity",
        "'critical'",
    ),
    (
        f"{SOUND}webhooks: {{ops: {{url: 'https://x.example', secret: hunter2}}}}",
        "2:webhooks.ops.secret",
        "whsec_",
    ),
    (f"{SOUND}webhooks: {{Ops: {{url: 'https://x.example'}}}}", "2:webhooks.Ops", "write ops"),
    (f"{SOUND}alerts: {{drift: {{open_looks: 0}}}}", "2:alerts.drift.open_looks", "at least 1"),
    (f"{SOUND}deploy_window: soon", "2:deploy_window", "60s"),
]


@pytest.mark.parametrize(("document", "where", "words"), BAD)
def test_a_bad_setting_is_one_sentence_with_its_place(
    tmp_path: Path, document: str, where: str, words: str
) -> None:
    lines = complain(tmp_path, document)
    assert len(lines) == 1
    assert lines[0].startswith(f"anchorwatch.yaml:{where}: ")
    assert words in lines[0]
    assert "hunter2" not in lines[0]
    assert "pw" not in lines[0]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_that_holds_no_secret_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    lines = complain(tmp_path, f"{SOUND}api_token_file: token")
    assert len(lines) == 1
    assert lines[0].startswith("anchorwatch.yaml:2:api_token_file: The file of api_token_file")


def test_a_document_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    for path, words in (("nowhere.yaml", "No such file"), (".", "directory")):
        with pytest.raises(ConfigurationError, match=words) as caught:
            load_config({}, path=path, cwd=tmp_path)
        assert str(caught.value).startswith(f"{path} cannot be read: ")
    (tmp_path / "latin.yaml").write_bytes("environment: süd".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"latin\.yaml is not UTF-8"):
        load_config({"ANCHORWATCH_CONFIG": "latin.yaml"}, cwd=tmp_path)


def test_a_document_that_is_closed_to_us_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "closed.yaml").touch(mode=0o000)
    user = os.geteuid()
    try:
        if user == 0:  # root reads every file
            os.seteuid(65534)
        with pytest.raises(ConfigurationError, match="Permission denied"):
            load_config({}, path="closed.yaml", cwd=tmp_path)
    finally:
        os.seteuid(user)
