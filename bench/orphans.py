"""Our count of rows without a parent beside the bare anti-join in psql.

    python bench/orphans.py [--rows 2000000] [--runs 5]

Both ask one server the same of the same tables, in turn, in one run: psql as the process it is,
ours in a fresh process from the first packet to the count, imports left out. Ours counts twice
where it finds some, as it does before it tells: so it is asked of a table without orphans too,
and once more in chunks, with the memory that took. Figures are medians, and only worth something
as ratios.
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


class Cost(NamedTuple):
    """Seconds and peak memory in MB of one run, and what it counted."""

    wall: float
    megabytes: float
    orphans: int


OURS = """
import asyncio, json, resource, sys, time
from datetime import UTC, datetime
from monitor.checks.orphans import Limits, count_orphans
from monitor.core.relation_text import parse_relation
from monitor.sources.dsn import parse_dsn
from monitor.sources.postgres import Deadlines
url, chunk, table = sys.argv[1], int(sys.argv[2]), sys.argv[3]
limits = Limits(chunk=chunk, rows=sys.maxsize)
begun = time.perf_counter()
[found] = asyncio.run(count_orphans(
    parse_dsn(url)[0], [parse_relation(f"{table}.up -> parents.id")], at=datetime.now(UTC),
    deadlines=Deadlines(statement_seconds=600, read_seconds=600), limits=limits, before={}))
wall = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([wall, used, found.orphans]))
"""

SCHEMA = """
create table parents (id bigint primary key);
create table whole (id bigint primary key, up bigint, note text);
create table broken (id bigint primary key, up bigint, note text);
insert into parents select n from generate_series(1, {parents}) n;
insert into whole select n, 1 + n % {parents}, 'row ' || n from generate_series(1, {rows}) n;
insert into broken select id, case when id % 1000 = 0 then -id else up end, note from whole;
vacuum analyze;
"""
ANTI_JOIN = (
    "select count(*) from {table} c where up is not null "
    "and not exists (select from parents p where p.id = c.up)"
)
WHOLE_TABLE = 10**12
"""Rows in a chunk: no table has as many, so it is counted at once."""
CHUNK = 100_000


def run_ours(url: str, table: str, chunk: int) -> Cost:
    """What ours cost in a fresh process."""
    command = [sys.executable, "-c", OURS, url, str(chunk), table]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def run_psql(psql: Path, environment: dict[str, str], url: str, table: str) -> Cost:
    """What the bare anti-join cost, with psql's own start."""
    command = [str(psql), "-XAtc", ANTI_JOIN.format(table=table), url]
    begun = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return Cost(time.perf_counter() - begun, 0.0, int(done.stdout))


def make_database(cluster: Cluster, rows: int) -> str:
    """The URL of a database with the tables, analysed."""
    binaries = find_binaries(cluster.major)
    psql = [str(binaries.bin / "psql"), "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"]
    environment = os.environ | binaries.environment()
    create = [*psql, "--command", "create database bench", cluster.url()]
    subprocess.run(create, check=True, env=environment)
    subprocess.run(
        [*psql, cluster.url("bench")],
        check=True,
        env=environment,
        input=SCHEMA.format(rows=rows, parents=max(rows // 10, 1)),
        text=True,
    )
    return cluster.url("bench")


def compare_peers(cluster: Cluster, rows: int, runs: int) -> dict[str, Cost]:
    """The median cost of every peer."""
    url = make_database(cluster, rows)
    binaries = find_binaries(cluster.major)
    psql, environment = binaries.bin / "psql", binaries.environment()
    peers: dict[str, Callable[[], Cost]] = {}
    for table in ("whole", "broken"):
        peers |= {
            f"{table}: psql": lambda table=table: run_psql(psql, environment, url, table),  # type: ignore[misc]  # mypy knows no default there
            f"{table}: ours": lambda table=table: run_ours(url, table, WHOLE_TABLE),  # type: ignore[misc]  # as above
            f"{table}: ours, chunks": lambda table=table: run_ours(url, table, CHUNK),  # type: ignore[misc]  # as above
        }
    costs: dict[str, list[Cost]] = {name: [] for name in peers}
    for _ in range(runs):
        for name, client in peers.items():
            costs[name].append(client())
    return {
        name: Cost(
            statistics.median(one.wall for one in found),
            max(one.megabytes for one in found),
            found[0].orphans,
        )
        for name, found in costs.items()
    }


def print_table(costs: dict[str, Cost]) -> None:
    """One line a peer, with its ratio to psql."""
    print(f"{'':24}{'wall s':>9}{'x psql':>9}{'MB':>7}{'orphans':>10}")
    for name, cost in costs.items():
        psql = costs[f"{name.partition(':')[0]}: psql"]
        memory = f"{cost.megabytes:7.0f}" if cost.megabytes else f"{'-':>7}"
        ratio = cost.wall / psql.wall
        print(f"{name:24}{cost.wall:9.3f}{ratio:9.2f}{memory}{cost.orphans:10}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with running_cluster(find_binaries()) as cluster:
        print_table(compare_peers(cluster, arguments.rows, arguments.runs))


if __name__ == "__main__":
    main()
