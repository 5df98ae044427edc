"""Which document is read, and whether the ledger outlives a deployment."""

from pathlib import Path

import pytest

from monitor.config import StoreUrl, find_config_place, judge_store, load_config
from monitor.config.place import PlaceKind
from monitor.core.errors import ConfigurationError

URL = "postgresql://app:pw@db.example/app"


def label(tmp_path: Path, *, path: str | None = None, **environ: str) -> str | None:
    system = tmp_path / "etc" / "anchorwatch.yaml"
    place = find_config_place(environ, path=path, cwd=tmp_path, system_place=system)
    return place.label if place else None


def test_the_first_place_that_there_is_wins(tmp_path: Path) -> None:
    system = tmp_path / "etc" / "anchorwatch.yaml"
    assert label(tmp_path) is None
    system.parent.mkdir()
    system.touch()
    assert label(tmp_path) == str(system)
    (tmp_path / "anchorwatch.yaml").touch()
    assert label(tmp_path) == "anchorwatch.yaml"
    text = {"ANCHORWATCH_CONFIG_YAML": "port: 1"}
    assert label(tmp_path, **text) == "ANCHORWATCH_CONFIG_YAML"
    assert label(tmp_path, ANCHORWATCH_CONFIG="a.yaml") == "a.yaml"
    assert label(tmp_path, path="b.yaml", ANCHORWATCH_CONFIG="a.yaml", **text) == "b.yaml"


def test_two_named_places_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Both ANCHORWATCH_CONFIG and"):
        label(tmp_path, ANCHORWATCH_CONFIG="a.yaml", ANCHORWATCH_CONFIG_YAML="port: 1")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:hunter2@config.example/hunter2?k=hunter2", "https://config.example"),
        ("https://config.example:8443/x", "https://config.example:8443"),
        ("http://localhost:9/x", "http://localhost:9"),
        ("http://127.0.0.1/x", "http://127.0.0.1"),
        ("HTTPS://config.example/x", "https://config.example"),
    ],
)
def test_a_url_is_shown_by_its_host_only(tmp_path: Path, url: str, shown: str) -> None:
    place = find_config_place({"ANCHORWATCH_CONFIG": url}, cwd=tmp_path)
    assert place is not None
    assert (place.kind, place.location, place.label) == (PlaceKind.URL, url, shown)
    assert "hunter2" not in repr(place)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("http://config.example/hunter2", "an http URL"),
        ("http://10.0.0.1/hunter2", "an http URL"),
        ("https:///hunter2", "cannot be read"),
        ("https://[hunter2/", "cannot be read"),
        ("https://h:hunter2/", "cannot be read"),
        ("ftp://h/hunter2", "neither a path nor"),
        ("postgresql://u:hunter2@h/d", "neither a path nor"),
        ("databases: {app: hunter2}", "neither a path nor"),
        ("a\nhunter2", "neither a path nor"),
        ("hunter2\0", "neither a path nor"),
    ],
)
def test_what_can_be_no_place_is_refused_without_being_quoted(
    tmp_path: Path, named: str, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        label(tmp_path, ANCHORWATCH_CONFIG=named)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "store", "will_survive"),
    [
        ({}, "sqlite:///data/anchorwatch.sqlite", True),
        ({"RAILWAY_ENVIRONMENT_NAME": "p"}, "sqlite:///data/anchorwatch.sqlite", False),
        (
            {"RAILWAY_ENVIRONMENT_NAME": "p", "RAILWAY_VOLUME_MOUNT_PATH": "/my data"},
            "sqlite:////my%20data/anchorwatch.sqlite",
            True,
        ),
        (
            {
                "RAILWAY_ENVIRONMENT_NAME": "p",
                "RAILWAY_VOLUME_MOUNT_PATH": "/data",
                "ANCHORWATCH_STORE_URL": "sqlite:////tmp/x.sqlite",
            },
            "sqlite:////tmp/x.sqlite",
            False,
        ),
        (
            {"RAILWAY_ENVIRONMENT_NAME": "p", "ANCHORWATCH_STORE_URL": "postgresql://u:s@h/d"},
            "postgresql://u:s@h/d",
            True,
        ),
    ],
)
def test_a_ledger_survives_on_a_volume_or_in_a_database(
    tmp_path: Path, environ: dict[str, str], store: str, *, will_survive: bool
) -> None:
    settings = load_config({"DATABASE_URL": URL, **environ}, cwd=tmp_path).settings
    assert settings.store_url.get_secret_value() == store
    place = judge_store(settings.store_url, environ)
    assert place.will_survive is will_survive
    assert bool(place.sentence) is not will_survive


def test_a_path_that_climbs_out_of_the_volume_does_not_survive() -> None:
    environ = {"RAILWAY_ENVIRONMENT_NAME": "p", "RAILWAY_VOLUME_MOUNT_PATH": "/data"}
    assert not judge_store(StoreUrl("sqlite:////data/../x.sqlite"), environ).will_survive
