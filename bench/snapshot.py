"""Our full snapshot beside pg_dump, SQLAlchemy's reflection and alembic's comparison.

    python bench/snapshot.py [--tables 100 1000 5000] [--runs 5]

All peers read the same generated schemas on one server, in turn, in one run.
Python peers are measured inside a fresh process from the first packet to the
finished value, imports left out, as the agent pays them once; pg_dump is
measured as the process it is. Wall is what one waits; CPU is client plus
server, where the server's is what its ended backends used (/proc, in ticks of
10 ms). Figures are medians and only worth something as ratios.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from monitor.sources.engine import Cluster, find_binaries, running_cluster

CHAIN = 10
"""Tables in a chain of foreign keys: longer ones overflow SQLAlchemy's recursion."""

LARGEST_FOR_PYTHON_PEERS = 1000
"""Beyond it reflection takes minutes and teaches nothing new."""


class Cost(NamedTuple):
    """Seconds of one run."""

    wall: float
    cpu: float


PEER = """
import json, resource, sys, time
name, url = sys.argv[1:3]
def ours():
    import asyncio
    from monitor.sources.reading import take_snapshot
    from monitor.sources.dsn import parse_dsn
    from monitor.sources.postgres import connect
    async def read():
        async with connect(parse_dsn(url)[0]) as session:
            return (await take_snapshot(session)).fingerprint
    return lambda: asyncio.run(read())
def reflect():
    from sqlalchemy import MetaData, create_engine
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    def read():
        MetaData().reflect(engine)
        engine.dispose()
    return read
def compare():
    import warnings
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import MetaData, create_engine
    warnings.simplefilter("ignore")
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    metadata = MetaData()
    metadata.reflect(engine)
    def read():
        with engine.connect() as connection:
            compare_metadata(MigrationContext.configure(connection), metadata)
        engine.dispose()
    return read
run = {"ours": ours, "reflect": reflect, "compare": compare}[name]()
before, begun = time.process_time(), time.perf_counter()
run()
print(json.dumps([time.perf_counter() - begun, time.process_time() - before]))
"""


def write_schema(tables: int) -> str:
    """Tables of twelve columns with keys, checks, indexes and defaults, views now and then."""
    parts = ["create type status as enum ('new', 'running', 'done');"]
    for number in range(tables):
        has_parent = number % CHAIN != 0
        parent = f"references t{number - 1} (id) on delete cascade" if has_parent else ""
        parts.append(
            f"""create table t{number} (
              id bigserial primary key, parent_id bigint {parent}, name varchar(120) not null,
              code text unique, state status not null default 'new', amount numeric(12, 2),
              is_active boolean not null default true, tags text[], body jsonb default '{{}}',
              created_at timestamptz not null default now(), updated_at timestamptz, note text,
              constraint t{number}_amount check (amount >= 0));
            create index on t{number} (parent_id);
            create index on t{number} (lower(name)) where is_active;"""
        )
        if number % CHAIN == 0:
            parts.append(
                f"create view v{number} as select id, name from t{number} where is_active;"
            )
    return "\n".join(parts)


def read_server_cpu(postmaster: int) -> float:
    """CPU seconds of the server's ended children (proc(5), cutime and cstime)."""
    fields = Path(f"/proc/{postmaster}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def measure(postmaster: int, client: Callable[[], Cost]) -> Cost:
    """The client's cost with the server's CPU added."""
    before = read_server_cpu(postmaster)
    own = client()
    time.sleep(0.05)  # the postmaster reaps the backend
    return Cost(own.wall, own.cpu + read_server_cpu(postmaster) - before)


def run_python(name: str, url: str) -> Cost:
    """What a Python peer cost in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", PEER, name, url], capture_output=True, text=True, check=True
    )
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def run_pg_dump(program: Path, environment: dict[str, str], url: str) -> Cost:
    """What pg_dump cost."""
    begun = time.perf_counter()
    before = os.times()
    subprocess.run(
        [program, "--schema-only", "--file", "/dev/null", url],
        check=True,
        env=os.environ | environment,
    )
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return Cost(time.perf_counter() - begun, cpu)


def compare_peers(cluster: Cluster, tables: int, runs: int) -> dict[str, Cost]:
    """The median cost of every peer on one schema; the slow ones run once."""
    url = make_database(cluster, tables)
    binaries = find_binaries(cluster.major)
    peers: dict[str, Callable[[], Cost]] = {
        "anchorwatch": lambda: run_python("ours", url),
        "pg_dump --schema-only": lambda: run_pg_dump(
            binaries.bin / "pg_dump", binaries.environment(), url
        ),
    }
    if tables <= LARGEST_FOR_PYTHON_PEERS:
        peers["MetaData.reflect"] = lambda: run_python("reflect", url)
        peers["alembic compare_metadata"] = lambda: run_python("compare", url)
    postmaster = int((cluster.data_dir / "postmaster.pid").read_text("ascii").splitlines()[0])
    costs: dict[str, list[Cost]] = {name: [] for name in peers}
    for number in range(runs):
        for name, client in peers.items():
            if number == 0 or name in ("anchorwatch", "pg_dump --schema-only"):
                costs[name].append(measure(postmaster, client))
    return {
        name: Cost(*(statistics.median(column) for column in zip(*found, strict=True)))
        for name, found in costs.items()
    }


def make_database(cluster: Cluster, tables: int) -> str:
    """The URL of a database with the schema, analysed."""
    name = f"bench{tables}"
    psql = str(find_binaries(cluster.major).bin / "psql")
    environment = os.environ | find_binaries(cluster.major).environment()
    command = [psql, "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"]
    subprocess.run(
        [*command, "--command", f"create database {name}", cluster.url()],
        check=True,
        env=environment,
    )
    subprocess.run(
        [*command, "--single-transaction", cluster.url(name)],
        check=True,
        env=environment,
        input=write_schema(tables),
        text=True,
        stdout=subprocess.DEVNULL,
    )
    analyse = [*command, "--command", "analyze", cluster.url(name)]
    subprocess.run(analyse, check=True, env=environment)
    return cluster.url(name)


def print_table(tables: int, costs: dict[str, Cost]) -> None:
    """One line a peer, with its ratio to ours."""
    ours = costs["anchorwatch"]
    print(f"\n{tables} tables{'':12}{'wall s':>10}{'x ours':>9}{'cpu s':>10}{'x ours':>9}")
    for name, cost in costs.items():
        print(
            f"{name:25}{cost.wall:10.3f}{cost.wall / ours.wall:9.1f}"
            f"{cost.cpu:10.3f}{cost.cpu / ours.cpu:9.1f}"
        )


def main() -> None:
    """Print one table for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tables", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    settings = {"max_locks_per_transaction": "1024"}
    with running_cluster(find_binaries(), settings=settings) as cluster:
        for tables in chosen.tables:
            print_table(tables, compare_peers(cluster, tables, chosen.runs))


if __name__ == "__main__":
    main()
