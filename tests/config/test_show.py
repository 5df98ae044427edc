"""The settings for people: masked, as a page, and as an example that loads."""

import json
from pathlib import Path

from monitor.config import MASK, load_config, mask_config, render_settings_reference
from monitor.config.outline import Shape, list_settings

ROOT = Path(__file__).parents[2]
KEY = "whsec_" + "c2VjcmV0" * 4


def test_the_committed_page_is_the_one_that_the_settings_make() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert page == render_settings_reference(), "Write render_settings_reference() into the page."


def test_every_setting_has_a_row_and_a_meaning() -> None:
    page = render_settings_reference()
    for setting in list_settings().values():
        if setting.shape is Shape.TEXT and setting.path[-1] != "*":
            assert setting.description.endswith("."), setting.key
            assert setting.path[0] == "defaults" or f"`{setting.variable}`" in page, setting.key


def test_the_example_loads(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "anchorwatch.example.yaml").read_text()
    for name in ("billing-password", "preview-url", "oncall-webhook"):
        (tmp_path / name).write_text("postgresql://h/d\n" if name == "preview-url" else KEY)
    environ = {
        "ANCHORWATCH_CONFIG_YAML": text.replace("/run/secrets/", ""),
        "DATABASE_URL": "postgresql://app:pw@db.example/app",
        "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/X",
    }
    loaded = load_config(environ, cwd=tmp_path)
    assert loaded.problems == ()
    assert list(loaded.settings.databases) == ["app", "billing", "preview"]
    assert loaded.settings.databases["preview"].environment == "staging"


def test_the_other_way_of_the_example_loads_too(tmp_path: Path) -> None:
    """A bot in place of the webhook, and what stands in a comment beside it."""
    text = (ROOT / "deploy" / "anchorwatch.example.yaml").read_text()
    text = text.replace("  webhook_url: ${SLACK_WEBHOOK_URL}\n", "")
    for name in ("environments", "  bot_token", "  channel"):
        indent = name[: -len(name.lstrip())]
        assert f"{indent}# {name.strip()}: " in text
        text = text.replace(f"{indent}# {name.strip()}: ", f"{name}: ")
    for name in ("billing-password", "preview-url", "oncall-webhook"):
        (tmp_path / name).write_text("postgresql://h/d\n" if name == "preview-url" else KEY)
    environ = {
        "ANCHORWATCH_CONFIG_YAML": text.replace("/run/secrets/", ""),
        "DATABASE_URL": "postgresql://app:pw@db.example/app",
        "SLACK_BOT_TOKEN": "xoxb-of-the-test",
    }
    loaded = load_config(environ, cwd=tmp_path)
    assert loaded.problems == ()
    assert loaded.settings.environments == ("production", "staging")
    assert loaded.settings.slack is not None
    assert loaded.settings.slack.channel == "C0123456789"


def test_the_masked_settings_are_json_and_show_where_databases_are(tmp_path: Path) -> None:
    environ = {
        "DATABASE_URL": "postgresql://app:hunter2@db.example:6432/app?options=hunter2",
        "ANCHORWATCH_DEFAULTS__EXPECTED": "postgresql://app:hunter2@h/staging",
        "ANCHORWATCH_DEFAULTS__SHADOW_URL": "postgresql://app:hunter2@shadow/postgres",
        "ANCHORWATCH_DATABASES__DEFAULT__URL": "postgresql://app:hunter2@db.example:6432/app",
        "ANCHORWATCH_DATABASES__DEFAULT__REPAIR_URL": "postgresql://mender:hunter2@db.example/app",
        "ANCHORWATCH_STORE_URL": "postgresql://app:hunter2@ledger/anchorwatch",
        "ANCHORWATCH_API_TOKEN": "hunter2",
        "ANCHORWATCH_WEBHOOKS__OPS__URL": "https://x.example/hunter2",
        "ANCHORWATCH_WEBHOOKS__OPS__SECRETS": f"{KEY},{KEY}",
    }
    loaded = load_config(environ, cwd=tmp_path)
    masked = mask_config(loaded)
    database = masked["databases"]["default"]
    assert database["url"] == "db.example:6432/app"
    assert database["expected"] == "h:5432/staging"
    assert database["shadow_url"] == "shadow:5432/postgres"
    assert database["repair_url"] == "db.example:5432/app"
    assert database["interval"] == "1m"
    assert masked["store_url"] == "ledger:5432/anchorwatch"
    assert (masked["api_token"], masked["metrics_token"]) == (MASK, None)
    assert masked["webhooks"]["ops"]["secrets"] == [MASK, MASK]
    assert loaded.problems == ()
    assert "hunter2" not in json.dumps(masked) + repr(loaded) + str(loaded)
