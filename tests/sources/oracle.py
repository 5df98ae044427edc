"""What pg_dump says of a schema, entry by entry: an oracle that is not ours."""

import re
import subprocess
from collections import defaultdict

from monitor.sources.engine import Cluster

type Entries = dict[tuple[str, str, str], tuple[str, ...]]

_HEAD = re.compile(
    r"^--\n-- Name: (?P<name>.*?); Type: (?P<type>[A-Z ]+?); Schema: (?P<schema>.*?); "
    r"Owner: (?P<owner>.*?)(?:; Tablespace: (?P<space>.*?))?\n--\n",
    re.MULTILINE | re.DOTALL,
)
_NOISE = re.compile(r"^(?:\\(?:un)?restrict .*|SET .*;|--.*|)$")


def dump(server: Cluster, database: str) -> Entries:
    """Type, schema and name -> the statements of every entry of that name, sorted."""
    done = subprocess.run(
        (
            server.binaries.bin / "pg_dump",
            "--schema-only",
            "--dbname",
            server.socket_url(database),
        ),
        env=server.binaries.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    entries: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    heads = list(_HEAD.finditer(done.stdout))
    ends = [*(head.start() for head in heads[1:]), len(done.stdout)]
    # Where everything was dropped there is an end and no head.
    for head, end in zip(heads, ends, strict=False):
        lines = done.stdout[head.end() : end].splitlines()
        text = "\n".join(line for line in lines if not _NOISE.match(line))
        about = f"owner {head['owner']}, tablespace {head['space']}"
        entries[head["type"], head["schema"], head["name"]].append(f"{about}\n{text}")
    return {key: tuple(sorted(texts)) for key, texts in entries.items()}


def differing(one: Entries, other: Entries) -> set[tuple[str, str, str]]:
    """The entries that differ, or are in one dump only."""
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
