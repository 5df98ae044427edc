"""The file that describes the agent to Railway: `.railway/railway.ts`, and its variables.

Railway reads it with `railway config plan` and `railway config apply`:
https://docs.railway.com/infrastructure-as-code/reference. Secrets are `preserve()`,
"keep what is set", and databases are references: nothing secret can stand in it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from monitor.config.settings import DELIMITER, PREFIX
from monitor.config.values import NAME, correct_name
from monitor.core.errors import UsageError

FILE: Final = ".railway/railway.ts"
DATABASE: Final = "DATABASE_URL"
UNPOOLED: Final = "DATABASE_UNPOOLED_URL"
DRAIN_SECONDS: Final = 20
HEALTH_SECONDS: Final = 60
VOLUME_MOUNT: Final = "/data"
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_SERVICE: Final = re.compile(r"[^\x00-\x1f\x7f\"'`\\$<>]{1,64}")


class Store(StrEnum):
    """Where the ledger is kept."""

    SERVICE = "service"
    SERVER = "server"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the file is to describe.

    Attributes:
        databases: name in anchorwatch -> name of the PostgreSQL service.
        store: where the ledger is kept.
        service: the name of the agent's service; that of its store begins with it.
        repository: OWNER/NAME on GitHub, with the Dockerfile.
        branch: what of it is deployed.
        is_unpooled: whether a pooler is passed by.
    """

    databases: Mapping[str, str]
    store: Store = Store.SERVICE
    service: str = "anchorwatch"
    repository: str = "anchorwatch/anchorwatch"
    branch: str = "main"
    is_unpooled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the agent's service.

    Attributes:
        name: the variable.
        value: what stands in the file, as TypeScript.
        meaning: what it is for, and how a secret is made.
        is_secret: whether it is set in Railway and nowhere else.
    """

    name: str
    value: str
    meaning: str
    is_secret: bool = False


def read_databases(pairs: Sequence[str]) -> dict[str, str]:
    """`NAME=SERVICE` for each database; `SERVICE` alone is called after the service.

    Raises:
        UsageError: a name cannot be one, or stands for two.
    """
    databases: dict[str, str] = {}
    for pair in pairs:
        name, equals, service = pair.partition("=")
        if not equals:
            name, service = correct_name(pair), pair
        if not NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no name of a database.",
                next_step=f"Call it {correct_name(name)}: --database {correct_name(name)}=SERVICE",
            )
        if name in databases or service in databases.values():
            raise UsageError(
                f"--database {pair!r} names what another one names.",
                next_step="Name each database and each service once.",
            )
        databases[name] = service
    return databases


def check_plan(plan: Plan) -> None:
    """Nothing, when Railway can take these names.

    Raises:
        UsageError: a name is none, or two services have the same one.
    """
    names = [*plan.databases.values(), plan.service]
    if plan.store is Store.SERVICE:
        names.append(_name_store(plan))
    for name in names:
        if not _SERVICE.fullmatch(name) or name != name.strip():
            raise UsageError(
                f"{name!r} is no name of a service.",
                next_step="Write the name of the service as Railway's canvas shows it.",
            )
    if len({name.casefold() for name in names}) < len(names):
        raise UsageError(
            "A database, the agent and its store need a service each.",
            next_step=f"Choose another --service; these are named: {', '.join(names)}.",
        )
    if not _REPOSITORY.fullmatch(plan.repository) or not _SERVICE.fullmatch(plan.branch):
        raise UsageError(
            "The source is no repository on GitHub.", next_step="Write it --source OWNER/NAME."
        )


def list_variables(plan: Plan) -> tuple[Variable, ...]:
    """The variables of the agent's service, in the order of the file."""
    return (*_list_addresses(plan), *_list_store(plan), *_SECRETS, *_PLATFORM)


def write_file(plan: Plan) -> str:
    """The whole file: a project with the databases, the store and the agent."""
    resources = _list_resources(plan)
    lines = [
        "// The agent beside your application. Where the project exists, `railway config pull`",
        "// first: what a file leaves out is destroyed, and postgres() may mean another major",
        "// than yours, so of a database that is there keep the lines that pull wrote.",
        f'import {{ {", ".join(_list_imports(plan))} }} from "railway/iac";',
        "",
        "export default defineRailway((ctx) => {",
        *(f"  {line}".rstrip() for line in _write_body(plan)),
        "",
        f'  return project(ctx.projectName ?? "my-app", {{ resources: [{resources}] }});',
        "});",
    ]
    return "\n".join(lines) + "\n"


def write_block(plan: Plan) -> str:
    """What goes into a file that is there already, before its `return`."""
    lines = [
        f"// Into {FILE}: import {{ {', '.join(_list_imports(plan))} }},",
        "// leave out the databases that it has, and add the rest to its resources:",
        f"// [{_list_resources(plan)}]",
        *_write_body(plan),
    ]
    return "\n".join(lines) + "\n"


def _write_body(plan: Plan) -> Iterator[str]:
    for name, service in plan.databases.items():
        yield f"const {_identify(name)} = postgres({json.dumps(service)}); // watched"
    if plan.store is Store.SERVICE:
        yield f"const store = postgres({json.dumps(_name_store(plan))}); // incidents and messages"
    elif plan.store is Store.VOLUME:
        yield f"const disk = volume({json.dumps(plan.service + '-data')}, {{ sizeMB: 500 }});"
    source = f"github({json.dumps(plan.repository)}, {{ branch: {json.dumps(plan.branch)} }})"
    yield from (
        f"const agent = service({json.dumps(plan.service)}, {{",
        f"  source: {source}, // its Dockerfile is picked up",
        '  start: "anchorwatch run",',
        '  healthcheck: "/readyz",',
        f"  healthcheckTimeout: {HEALTH_SECONDS},",
        "  replicas: 1,",
    )
    if plan.store is Store.VOLUME:
        yield f'  volumeMounts: {{ "{VOLUME_MOUNT}": disk }},'
    yield "  env: {"
    yield from (f"    {one.name}: {one.value}," for one in list_variables(plan))
    yield "  },"
    yield "});"


def _list_imports(plan: Plan) -> list[str]:
    wanted = {
        "ref": plan.is_unpooled,
        "volume": plan.store is Store.VOLUME,
    }
    always = {"defineRailway", "github", "postgres", "preserve", "project", "service"}
    return sorted(always | {name for name, is_wanted in wanted.items() if is_wanted})


def _list_resources(plan: Plan) -> str:
    more = {Store.SERVICE: ["store"], Store.VOLUME: ["disk"], Store.SERVER: []}[plan.store]
    return ", ".join([*(_identify(name) for name in plan.databases), *more, "agent"])


def _identify(name: str) -> str:
    """An identifier that no word of the language can be."""
    return f"{name}_db"


def _name_store(plan: Plan) -> str:
    return f"{plan.service}-store"


def _list_addresses(plan: Plan) -> Iterator[Variable]:
    for name in plan.databases:
        node = _identify(name)
        # The types of the package do not know the variable that a pooler brings.
        value = f'ref({node}, "{UNPOOLED}")' if plan.is_unpooled else f"{node}.env.{DATABASE}"
        yield Variable(
            name=f"{PREFIX}DATABASES{DELIMITER}{name.upper()}{DELIMITER}URL",
            value=value,
            meaning=f"the database {name}, over the private network",
        )


def _list_store(plan: Plan) -> Iterator[Variable]:
    name = f"{PREFIX}STORE_URL"
    if plan.store is Store.SERVICE:
        yield Variable(name=name, value=f"store.env.{DATABASE}", meaning="the ledger")
    elif plan.store is Store.SERVER:
        yield Variable(
            name=name,
            value="preserve()",
            meaning="the ledger: a database of its own, CREATE DATABASE anchorwatch OWNER ...",
            is_secret=True,
        )
    else:
        yield Variable(name="RAILWAY_RUN_UID", value='"0"', meaning="volumes belong to root")


_SECRETS: Final = (
    Variable(
        name=f"{PREFIX}API_TOKEN",
        value="preserve()",
        meaning="opens the page: openssl rand -hex 24",
        is_secret=True,
    ),
    Variable(
        name=f"{PREFIX}SLACK{DELIMITER}WEBHOOK_URL",
        value="preserve()",
        meaning="who is told; leave it unset for nobody",
        is_secret=True,
    ),
    Variable(
        name=f"{PREFIX}RAILWAY_WEBHOOK_SECRET",
        value="preserve()",
        meaning="takes Railway's webhooks: openssl rand -hex 24",
        is_secret=True,
    ),
    Variable(
        name=f"{PREFIX}HEARTBEAT_URL",
        value="preserve()",
        meaning="whom the agent's silence alarms, as https://hc-ping.com/...",
        is_secret=True,
    ),
)
_PLATFORM: Final = (
    Variable(
        name=f"{PREFIX}ENVIRONMENTS",
        value='"production,staging"',
        meaning="elsewhere nobody is told: environments of pull requests clone this service",
    ),
    Variable(
        name="RAILWAY_DEPLOYMENT_DRAINING_SECONDS",
        value=f'"{DRAIN_SECONDS}"',
        meaning="time to finish a look and a message; without it there is none",
    ),
    Variable(
        name="RAILWAY_DEPLOYMENT_OVERLAP_SECONDS",
        value='"0"',
        meaning="no second agent beside the one that goes",
    ),
)
