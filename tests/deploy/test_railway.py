"""What Railway is given: the file that its own package types and evaluates, and the old one."""

import json
import os
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import Any, Final

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
import program from "./railway.js";
import { createRailwayContext, project } from "railway/iac";
const context = createRailwayContext({ projectName: "shop", environment: "production" });
process.stdout.write(JSON.stringify(await program(context, project)));
"""
TSCONFIG = {
    "compilerOptions": {
        "strict": True,
        "noUnusedLocals": True,
        "target": "ES2022",
        "outDir": "out",
        "module": "NodeNext",
        "moduleResolution": "NodeNext",
        "types": [],
    },
    "include": ["src/*.ts"],
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with Railway's own package and the compiler."""
    place = tmp_path_factory.mktemp("iac")
    (place / "package.json").write_text('{"type": "module", "private": true}')
    (place / "tsconfig.json").write_text(json.dumps(TSCONFIG))
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    done = subprocess.run(command, cwd=place, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm cannot install {', '.join(PACKAGES)}")
    return place


def evaluate(workshop: Path, text: str) -> dict[str, Any]:
    """The project that a file describes, once it compiles."""
    (workshop / "src").mkdir(exist_ok=True)
    (workshop / "src" / "railway.ts").write_text(text)
    compiled = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", "-p", "."],
        cwd=workshop,
        check=False,
        capture_output=True,
        text=True,
    )
    assert compiled.returncode == 0, compiled.stdout
    (workshop / "out" / "evaluate.js").write_text(EVALUATE)
    done = subprocess.run(
        ["node", "out/evaluate.js"],
        cwd=workshop,
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"NODE_NO_WARNINGS": "1"},
    )
    described: dict[str, Any] = json.loads(done.stdout)
    return described


@pytest.mark.long
@pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed")
def test_railways_own_package_takes_every_file_that_init_can_write(workshop: Path) -> None:
    for store, is_unpooled in product(Store, (False, True)):
        plan = Plan(
            databases={"app": "Postgres", "class": "Billing DB"},
            store=store,
            is_unpooled=is_unpooled,
        )
        described = evaluate(workshop, write_file(plan))
        assert described["name"] == "shop"
        nodes = {(one["type"], one["name"]): one for one in described["resources"]}
        assert {("database", "Postgres"), ("database", "Billing DB")} <= nodes.keys()
        agent = nodes["service", "anchorwatch"]
        assert agent["deploy"]["healthcheckPath"] == "/readyz"
        env = agent["variables"]
        assert set(env) == {one.name for one in list_variables(plan)}
        url = env["ANCHORWATCH_DATABASES__APP__URL"]
        assert url["type"] == "reference"
        assert url["output"] == (UNPOOLED if is_unpooled else "DATABASE_URL")
        assert env["ANCHORWATCH_API_TOKEN"] == {"type": "preserve"}
        assert (("database", "anchorwatch-store") in nodes) == (store is Store.SERVICE)
        assert (("volume", "anchorwatch-data") in nodes) == (store is Store.VOLUME)


@pytest.mark.long
@pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed")
def test_a_file_with_a_word_that_railway_does_not_know_does_not_compile(workshop: Path) -> None:
    wrong = write_file(PLAN).replace("healthcheckTimeout", "healthcheckDeadline")
    with pytest.raises(AssertionError, match="healthcheckDeadline"):
        evaluate(workshop, wrong)
