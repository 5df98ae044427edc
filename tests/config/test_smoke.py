"""Smoke suites in the configuration: what is read, and what is told before anything runs."""

import json
from pathlib import Path

import pytest

from monitor.config import MASK, LoadedConfig, load_config, mask_config
from monitor.core.errors import ConfigurationError
from monitor.core.smoke import Query, Request, Retry
from monitor.core.template import Reference, Template

EXAMPLE = Path(__file__).parents[2] / "deploy" / "smoke.example.yaml"
DATABASE = "databases: {app: {url: postgresql://u@h/app}}\n"
SUITE = """smoke:
  - suite: signup
    base_url: https://app.example/v1/
    database: app
    timeout: 30s
    vars: {email: "smoke+{{ run_id }}@example.test", greeting: "{{ email }} {{ token }}"}
    secrets: {token: {env: SMOKE_TOKEN}}
    steps:
      - name: create
        post: /users
        headers: {Authorization: "Bearer {{ token }}", X-Number: 5}
        json: {email: "{{ email }}", n: 3, s: "3", on: yes, off: false, none: null, half: 0.5}
        expect:
          - status == 201
          - header.content-type contains application/json
        warn: time < 300ms
        capture: {user_id: body.id}
      - name: read back
        get: /users/{{ user_id }}
        retry: {times: 2, wait: 10ms}
        expect: [status in (200, 201), "len(body.roles) >= 1"]
      - name: row
        sql: select count(*) as n from users where id = $1
        args: ["{{ user_id }}", 7]
        expect: rows[0].n == 1
      - name: clean up
        delete: /users/{{ user_id }}
        always: true
"""
SECRET = "hush-hush"  # noqa: S105  # planted


def load(tmp_path: Path, text: str, /, **environ: str) -> LoadedConfig:
    (tmp_path / "anchorwatch.yaml").write_text(DATABASE + text)
    return load_config({"SMOKE_TOKEN": SECRET, **environ}, cwd=tmp_path)


def test_a_suite_is_read_with_everything_in_its_place(tmp_path: Path) -> None:
    loaded = load(tmp_path, SUITE)
    suite = loaded.settings.smoke[0].make_suite()
    assert loaded.notices == ()
    assert (suite.name, suite.database, suite.timeout_seconds) == ("signup", "app", 30)
    assert (suite.every_seconds, suite.failures, suite.successes) == (600, 3, 2)
    assert suite.is_run_after_deploy
    assert suite.secrets == {"token": SECRET}
    assert SECRET not in repr(suite)
    create, read, row, clean_up = suite.steps
    assert isinstance(create.action, Request)
    assert str(create.action.url) == "https://app.example/v1/users"
    assert {name: str(text) for name, text in create.action.headers.items()} == {
        "Authorization": "Bearer {{ token }}",
        "X-Number": "5",
    }
    assert create.action.body is not None
    assert create.action.body.content == {
        "email": Template((Reference("email"),)),
        "n": 3,
        "s": Template(("3",)),
        "on": Template(("yes",)),
        "off": False,
        "none": None,
        "half": 0.5,
    }
    assert [str(one) for one in create.warn] == ["time < 300ms"]
    assert [str(one) for one in read.expect] == ["status in (200, 201)", "len(body.roles) >= 1"]
    assert read.retry == Retry(times=2, wait_seconds=0.01)
    assert row.action == Query(
        "select count(*) as n from users where id = $1", (Template((Reference("user_id"),)), 7)
    )
    assert clean_up.is_always
    assert [str(one) for one in clean_up.expect] == ["status < 400"]


def test_the_example_loads_without_a_remark(tmp_path: Path) -> None:
    environ = {
        "APP_URL": "https://app.example",
        "DATABASE_URL": "postgresql://u@h/app",
        "ACCOUNT_ID": "x",
    }
    loaded = load_config(environ, path=str(EXAMPLE), cwd=tmp_path)
    assert (loaded.notices, loaded.problems) == ((), ())
    assert loaded.settings.smoke[0].make_suite().steps[-1].name == "nothing is left"


def test_the_masked_settings_hold_no_secret_and_nothing_that_is_sent(tmp_path: Path) -> None:
    text = SUITE.replace("X-Number: 5", 'X-Key: "${SMOKE_TOKEN}"')
    masked = mask_config(load(tmp_path, text))
    assert SECRET not in json.dumps(masked)
    (suite,) = masked["smoke"]
    assert suite["secrets"]["token"]["value"] == MASK
    assert (suite["steps"][0]["json"], suite["steps"][0]["headers"]) == (MASK, MASK)
    assert suite["steps"][0]["expect"][0] == "status == 201"


def test_a_suite_can_stand_in_a_variable(tmp_path: Path) -> None:
    step = {"name": "a", "post": "https://h/", "json": {"n": 1, "s": "1"}, "always": True}
    suite = json.dumps([{"suite": "one", "steps": [step]}])
    loaded = load(tmp_path, "", ANCHORWATCH_SMOKE=suite)
    (made,) = loaded.settings.smoke[0].make_suite().steps
    assert isinstance(made.action, Request)
    assert made.action.body is not None
    assert made.action.body.content == {"n": 1, "s": Template(("1",))}


@pytest.mark.parametrize("newline", ["", "\n"])
def test_a_secret_can_stand_in_a_file(tmp_path: Path, newline: str) -> None:
    (tmp_path / "token").write_text(SECRET + newline)
    loaded = load(tmp_path, SUITE.replace("{env: SMOKE_TOKEN}", "{file: token}"))
    assert loaded.settings.smoke[0].make_suite().secrets == {"token": SECRET}


def test_variables_are_expanded_as_everywhere(tmp_path: Path) -> None:
    text = SUITE.replace("https://app.example/v1/", "${APP_URL}").replace("n: 3", 'n: "${N}"')
    loaded = load(tmp_path, text, APP_URL="http://other.example", N="3")
    step = loaded.settings.smoke[0].make_suite().steps[0]
    assert isinstance(step.action, Request)
    assert str(step.action.url) == "http://other.example/users"
    assert step.action.body is not None
    assert isinstance(step.action.body.content, dict)
    # What a variable holds never changes the shape of the document.
    assert step.action.body.content["n"] == Template(("3",))


def test_what_may_stay_behind_is_a_remark(tmp_path: Path) -> None:
    text = SUITE.replace("always: true", "always: false")
    (notice,) = load(tmp_path, text).notices
    assert notice.startswith("smoke signup: it changes data, and no step has always: true")


def test_a_retry_that_is_not_made_is_a_remark(tmp_path: Path) -> None:
    text = SUITE.replace("post: /users", "post: /users\n        retry: {times: 2}")
    loaded = load(tmp_path, text)
    assert "step create is not tried again" in loaded.notices[0]
    assert loaded.settings.smoke[0].make_suite().steps[0].retry.times == 0
    loaded = load(tmp_path, text.replace("{times: 2}", "{times: 2, unsafe: true}"))
    assert loaded.settings.smoke[0].make_suite().steps[0].retry.times == 2


WRONG = [
    ("suite: signup", "suite: Sign up", ":3:smoke.0.suite: suite cannot be a name."),
    ("post: /users", "post: users", "smoke.0.steps.0.post: post should begin with /"),
    ("post: /users", "post: https://{{ token }}/", "post should begin with /"),
    ("post: /users", "post: https://u:hunter2@h/", "post should begin with /"),
    ("post: /users", "posts: /users", "There is no setting"),
    ("post: /users", "post: /users\n        get: /", "should do one thing"),
    ("post: /users", "post: /users\n        text: hi", "sends two bodies"),
    ("post: /users", 'post: "/users/{{"', "A {{ begins no name"),
    ("base_url: https://app.example/v1/", "failures: 3", "has a path and no base_url"),
    ("https://app.example/v1/", "https://u:hunter2@app.example", "no user, password or query"),
    ("https://app.example/v1/", "ftp://app.example", "should be an http or https URL"),
    ("database: app", "database: ap", "database names none that is configured."),
    ("    database: app\n", "", "has a sql step and no database"),
    ("env: SMOKE_TOKEN", "env: NOPE", "The variable of this secret is not set"),
    ("env: SMOKE_TOKEN", "file: nope", "The file of this secret cannot be read"),
    ("env: SMOKE_TOKEN", "env: SMOKE_TOKEN, file: nope", "Both env and file are given"),
    ("{env: SMOKE_TOKEN}", "{}", "names no secret"),
    ("status == 201", "status = 201", "An expectation cannot be read at character 8"),
    ("status == 201", "rows[0].n == 1", "has no rows"),
    ("rows[0].n == 1", "status == 200", "has no status"),
    ("status == 201", 'body.a == "{{ nope }}"', "a name that nothing gives before step create"),
    ("{{ user_id }}\n        retry", "{{ user }}\n        retry", "before step read back: user"),
    ("capture: {user_id: body.id}", "capture: {user_id: bodyid}", "cannot be read at character 1"),
    ("capture: {user_id: body.id}", "capture: {user_id: len(body)}", "without len"),
    ("capture: {user_id: body.id}", "capture: {email: body.id}", "gives the name email twice"),
    ('{email: "smoke+{{ run_id }}', '{run_id: x, email: "{{ run_id }}', "the name run_id twice"),
    ("smoke+{{ run_id }}", "{{ greeting }}", "before the variable email: greeting"),
    ("name: read back", "name: create", "has two steps of one name"),
    ("X-Number: 5", '"X Number": 5', "a name that no header has"),
    ("X-Number: 5", 'X-Number: "a\\nb"', "has a line break in X-Number"),
    ("X-Number: 5", "Content-Length: 5", "should not set Content-Length"),
    ("X-Number: 5", "X-Number: [5]", "should have one text for X-Number"),
    ("id = $1", "id = {{ user_id }}", "should hold no {{ name }}"),
    ('args: ["{{ user_id }}", 7]', "args: {a: 1}", "args should be a list"),
    ("times: 2", "times: 99", "times should be at most 20"),
    ("wait: 10ms", "wait: soon", "wait should be a duration"),
    ("timeout: 30s", "timeout: 0s", "timeout should be longer than nothing"),
]


@pytest.mark.parametrize(("old", "new", "told"), WRONG, ids=[told for _, _, told in WRONG])
def test_what_is_wrong_is_told_in_a_sentence(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in SUITE
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, SUITE.replace(old, new, 1))
    assert told in str(caught.value)
    assert str(caught.value).startswith("anchorwatch.yaml:")
    for secret in (SECRET, "hunter2"):
        assert secret not in str(caught.value)


def test_two_suites_of_one_name_are_told(tmp_path: Path) -> None:
    steps = "[{name: a, get: 'https://h/'}]"
    text = f"smoke:\n  - {{suite: one, steps: {steps}}}\n  - {{suite: one, steps: {steps}}}\n"
    with pytest.raises(ConfigurationError, match="suite names an earlier one"):
        load(tmp_path, text)


def test_a_suite_without_steps_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="steps"):
        load(tmp_path, "smoke: [{suite: one, steps: []}]\n")


def test_a_suite_of_a_database_that_is_wrong_is_not_wrong_itself(tmp_path: Path) -> None:
    (tmp_path / "anchorwatch.yaml").write_text(DATABASE.replace("u@h/app", "u@h:x/app") + SUITE)
    loaded = load_config({"SMOKE_TOKEN": SECRET}, cwd=tmp_path)
    assert [problem.database for problem in loaded.problems] == ["app"]
    assert len(loaded.settings.smoke) == 1


def test_deep_data_is_read_once(tmp_path: Path) -> None:
    deep = "{a: " * 14 + "1" + "}" * 14
    text = f"smoke:\n  - {{suite: one, steps: [{{name: a, put: 'https://h/', json: {deep}}}]}}\n"
    (step,) = load(tmp_path, text).settings.smoke[0].make_suite().steps
    assert isinstance(step.action, Request)
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        load(tmp_path, text.replace(deep, "{a: " * 30 + "1" + "}" * 30))


def test_a_secret_that_is_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds a secret that is no text"):
        load(tmp_path, SUITE, SMOKE_TOKEN="hush\udcff")  # noqa: S106  # planted
