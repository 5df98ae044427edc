"""What Railway is given: the file that its own package types and evaluates, and the old one."""

import json
import os
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from monitor.config.railway import (
    DRAIN_SECONDS,
    FILE,
    HEALTH_SECONDS,
    UNPOOLED,
    Plan,
    Store,
    list_variables,
    write_file,
)

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "deploy" / "railway"
PLAN = Plan(databases={"app": "Postgres"})
PACKAGES: Final = ("railway@3.11.0", "typescript@5.9.3")
"""`railway` is the package whose `railway/iac` the file imports."""

MISSING = [name for name in ("node", "npm") if shutil.which(name) is None]

BUILD_KEYS = {"builder", "buildCommand", "dockerfilePath", "watchPatterns", "railpackVersion"}
DEPLOY_KEYS = {
    *("startCommand", "preDeployCommand", "healthcheckPath", "healthcheckTimeout"),
    *("restartPolicyType", "restartPolicyMaxRetries", "cronSchedule", "multiRegionConfig"),
    *("overlapSeconds", "drainingSeconds"),
}
"""https://docs.railway.com/config-as-code/reference"""


def test_the_committed_file_is_what_init_writes() -> None:
    assert (PLACE / FILE).read_text("utf-8") == write_file(PLAN)


def test_the_old_file_says_the_same_in_keys_that_railway_knows() -> None:
    document = json.loads((PLACE / "railway.json").read_text("utf-8"))
    assert document.keys() == {"$schema", "build", "deploy"}
    build, deploy = document["build"], document["deploy"]
    assert build.keys() <= BUILD_KEYS
    assert deploy.keys() <= DEPLOY_KEYS
    assert build["builder"] == "DOCKERFILE"
    assert (ROOT / build["dockerfilePath"]).is_file()
    for pattern in build["watchPatterns"]:
        assert list(ROOT.glob(pattern)), pattern
    assert f'start: "{deploy["startCommand"]}"' in write_file(PLAN)
    assert f'healthcheck: "{deploy["healthcheckPath"]}"' in write_file(PLAN)
    assert deploy["healthcheckTimeout"] == HEALTH_SECONDS
    assert deploy["drainingSeconds"] == str(DRAIN_SECONDS)
    values = {one.name: one.value for one in list_variables(PLAN)}
    for key, name in (("drainingSeconds", "DRAINING"), ("overlapSeconds", "OVERLAP")):
        assert json.dumps(deploy[key]) == values[f"RAILWAY_DEPLOYMENT_{name}_SECONDS"]


EVALUATE = """
import { createRailwayContext, project } from "railway/iac";
const described = {};
for (const name of process.argv.slice(2)) {
  const { default: program } = await import(`./${name}.js`);
  const context = createRailwayContext({ projectName: "shop", environment: "production" });
  described[name] = await program(context, project);
}
process.stdout.write(JSON.stringify(described));
"""
TSCONFIG: Final = {
    "compilerOptions": {
        "strict": True,
        "noUnusedLocals": True,
        "target": "ES2022",
        "outDir": "out",
        "module": "NodeNext",
        "moduleResolution": "NodeNext",
        # Nothing of a browser, and the package's own files are not ours to check: a third of
        # the time.
        "lib": ["ES2022"],
        "skipLibCheck": True,
        "types": [],
    },
    "include": ["src/*.ts"],
}
HOSTILE: Final = "Billing DB */ & ✓ (eu)"
PLANS: Final = {
    f"{store}_{'direct' if is_unpooled else 'pooled'}": Plan(
        databases={"app": "Postgres", "class": HOSTILE},
        store=store,
        is_unpooled=is_unpooled,
        branch="release/2026 ${x}",
    )
    for store, is_unpooled in product(Store, (False, True))
}
WRONG: Final = write_file(PLAN).replace("healthcheckTimeout", "healthcheckDeadline")


class Workshop(NamedTuple):
    """What the compiler says of all the files, and what they describe.

    Attributes:
        said: its errors, by the name of the file.
        projects: what Railway's package makes of each that compiles, by its name.
    """

    said: dict[str, list[str]]
    projects: dict[str, Any]


def run(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"NODE_NO_WARNINGS": "1"}
    return subprocess.run(
        command, cwd=place, check=False, capture_output=True, text=True, env=environ
    )


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """One run of the compiler over all files: each would take as long by itself."""
    if MISSING:
        pytest.skip(f"{' and '.join(MISSING)} not installed")
    place = tmp_path_factory.mktemp("iac")
    (place / "package.json").write_text('{"type": "module", "private": true}')
    (place / "tsconfig.json").write_text(json.dumps(TSCONFIG))
    install = ("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
    if run(place, *install, *PACKAGES).returncode:
        pytest.skip(f"npm cannot install {', '.join(PACKAGES)}")
    (place / "src").mkdir()
    texts = {name: write_file(plan) for name, plan in PLANS.items()} | {"wrong": WRONG}
    for name, text in texts.items():
        (place / "src" / f"{name}.ts").write_text(text)
    compiled = run(place, "node", "node_modules/typescript/bin/tsc", "-p", ".")
    said: dict[str, list[str]] = {}
    for line in compiled.stdout.splitlines():
        if found := re.match(r"src/(\w+)\.ts\(", line):
            said.setdefault(found[1], []).append(line)
    assert compiled.returncode == 0 or said, compiled.stdout
    (place / "out" / "evaluate.js").write_text(EVALUATE)
    done = run(place, "node", "out/evaluate.js", *PLANS)
    assert done.returncode == 0, done.stderr
    return Workshop(said, json.loads(done.stdout))


@pytest.mark.parametrize("name", PLANS)
def test_railways_own_package_takes_every_file_that_init_can_write(
    workshop: Workshop, name: str
) -> None:
    assert name not in workshop.said
    plan, described = PLANS[name], workshop.projects[name]
    assert described["name"] == "shop"
    nodes = {(one["type"], one["name"]): one for one in described["resources"]}
    assert {("database", "Postgres"), ("database", HOSTILE)} <= nodes.keys()
    agent = nodes["service", "anchorwatch"]
    assert agent["deploy"]["healthcheckPath"] == "/readyz"
    env = agent["variables"]
    assert set(env) == {one.name for one in list_variables(plan)}
    url = env["ANCHORWATCH_DATABASES__APP__URL"]
    assert url["type"] == "reference"
    assert url["output"] == (UNPOOLED if plan.is_unpooled else "DATABASE_URL")
    assert env["ANCHORWATCH_API_TOKEN"] == {"type": "preserve"}
    assert (("database", "anchorwatch-store") in nodes) == (plan.store is Store.SERVICE)
    assert (("volume", "anchorwatch-data") in nodes) == (plan.store is Store.VOLUME)


def test_a_file_with_a_word_that_railway_does_not_know_does_not_compile(
    workshop: Workshop,
) -> None:
    assert list(workshop.said) == ["wrong"]
    assert "healthcheckDeadline" in "".join(workshop.said["wrong"])
