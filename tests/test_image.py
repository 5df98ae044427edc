"""The image, built and run for real: as its own user, on a read-only root, with its own command.

There is no container engine in it: buildah builds, and a process with mounts
and process numbers of its own, changed into the image's root, runs.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.sources.engine import Binaries
from tests.conftest import MakeDatabase

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "deploy/ci/build-image"
NEEDED = ("buildah", "debootstrap", "unshare")
MISSING = [f"{name} is not installed" for name in NEEDED if shutil.which(name) is None]
if os.geteuid() != 0:
    MISSING.append("this is not root")

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),  # the base comes from Debian, package by package
    pytest.mark.skipif(bool(MISSING), reason=f"no image can be built: {', '.join(MISSING)}"),
]

USER = 10001
STOP_SECONDS = 5.0
START_SECONDS = 60.0
LOOKS_SECONDS = 20.0
MEGABYTE = 1_000_000

CONFINE = """
root=$1; data=$2; shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/dev"
mkdir -m 1777 "$root/dev/shm"
for device in null zero urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount --bind "$data" "$root/data"
exec env -i "$@"
"""
"""What an engine does for `--read-only --tmpfs /tmp -v DATA:/data --network host`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A built image: its file system, and what its Dockerfile says of running it."""

    root: Path
    config: dict[str, Any]

    def start(
        self, command: Sequence[str], data: Path, environ: dict[str, str]
    ) -> subprocess.Popen[str]:
        """Start a command as a container's first process."""
        variables = [*self.config["Env"], *(f"{k}={v}" for k, v in environ.items())]
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        confined = ["sh", "-euc", CONFINE, "confine", str(self.root), str(data)]
        inside = ["chroot", f"--userspec={self.config['User']}", str(self.root), *command]
        return subprocess.Popen(
            [*alone, *confined, *variables, *inside],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def weigh(self) -> int:
        """The bytes of its files, uncompressed; what has two names counts once."""
        files = (os.lstat(path / name) for path, _, names in self.root.walk() for name in names)
        return sum({one.st_ino: one.st_size for one in files}.values())

    def run(self, command: Sequence[str], data: Path, **environ: str) -> tuple[int, str]:
        """Run a command to its end: exit code and all that it printed."""
        process = self.start(command, data, environ)
        printed, _ = process.communicate(timeout=START_SECONDS)
        return process.returncode, printed


type Build = Callable[[str], Image]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """Builds `slim` and `pgMAJOR`, each once; all images are gone afterwards."""
    place = tmp_path_factory.mktemp("images")
    conf = place / "storage.conf"
    conf.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{place}/graph"\nrunroot = "{place}/run"\n'
    )
    environ = os.environ | {"CONTAINERS_STORAGE_CONF": str(conf), "BUILDAH_ISOLATION": "chroot"}

    def buildah(*arguments: str) -> str:
        done = subprocess.run(
            ["buildah", *arguments], env=environ, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    built: dict[str, Image] = {}

    def make(tag: str) -> Image:
        if tag not in built:
            subprocess.run([BUILD, tag], env=environ, check=True)
            name = f"localhost/anchorwatch:{tag}"
            root = Path(buildah("mount", buildah("from", "--pull-never", name)))
            told = json.loads(buildah("inspect", "--type", "image", name))
            built[tag] = Image(root=root, config=told["Docker"]["config"])
        return built[tag]

    try:
        yield make
    finally:
        buildah("rm", "--all")
        buildah("rmi", "--all", "--force")
        shutil.rmtree(place)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A volume that belongs to the image's user, as an engine makes it."""
    volume = tmp_path / "data"
    volume.mkdir()
    os.chown(volume, USER, USER)
    return volume


class Running:
    """The agent in its container."""

    def __init__(self, image: Image, data: Path, url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.begun = time.monotonic()
        self.environ = {"PORT": str(self.port), "ANCHORWATCH_API_TOKEN": "token-of-the-test"}
        watched = {"DATABASE_URL": url, "ANCHORWATCH_DEFAULTS__INTERVAL": "1s"}
        self.process = image.start(image.config["Cmd"], data, self.environ | watched)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of one of its pages; 0 while nobody answers."""
        token = {"Authorization": f"Bearer {self.environ['ANCHORWATCH_API_TOKEN']}"}
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, headers=token)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # our own URL
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_for(self, what: Callable[[], bool]) -> None:
        """Return once that holds."""
        until = time.monotonic() + START_SECONDS
        while not what():
            if time.monotonic() > until or self.process.poll() is not None:
                with contextlib.suppress(OSError, IndexError):  # it has ended by itself
                    os.kill(self.first_process(), signal.SIGKILL)
                raise AssertionError(f"the agent is not well:\n{self.process.communicate()[0]}")
            time.sleep(0.1)

    def end(self) -> None:
        """Kill it, whatever it is at; nothing, where it has ended."""
        if self.process.poll() is None:
            # Not unshare alone: a process that changes its user forgets whose death is its own.
            os.kill(self.first_process(), signal.SIGKILL)
        self.process.communicate()

    def list_databases(self) -> list[dict[str, Any]]:
        """What the API says."""
        return list(json.loads(self.get("/api/databases")[1])["databases"])

    def first_process(self) -> int:
        """The number, out here, of its process 1."""
        ours = self.process.pid
        return int(Path(f"/proc/{ours}/task/{ours}/children").read_text().split()[0])

    def count_memory(self) -> int:
        """The bytes that its process 1 has resident."""
        line = next(one for one in self.status().splitlines() if one.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def status(self) -> str:
        """What the kernel says of its process 1."""
        return Path(f"/proc/{self.first_process()}/status").read_text()


@contextlib.contextmanager
def running(image: Image, data: Path, url: str) -> Iterator[Running]:
    """The agent, ready."""
    agent = Running(image, data, url)
    try:
        agent.wait_for(lambda: agent.get("/readyz")[0] == 200)
        yield agent
    finally:
        agent.end()


async def test_it_watches_as_an_ordinary_user_on_a_read_only_root(
    build: Build, data: Path, make_database: MakeDatabase
) -> None:
    image = build("slim")
    with running(image, data, await make_database(sql="create table users (id int)")) as agent:
        agent.wait_for(lambda: agent.list_databases()[0]["state"] == "unchanged")
        assert agent.get("/livez")[0] == 200
        assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}\n" in agent.status()
        assert (data / "anchorwatch.sqlite").stat().st_uid == USER

        check = image.config["Healthcheck"]["Test"]
        assert image.run(check[1:], data, **agent.environ) == (0, "")

        begun = time.monotonic()
        os.kill(agent.first_process(), signal.SIGTERM)
        agent.process.communicate(timeout=START_SECONDS)
        assert agent.process.returncode == 0
        assert time.monotonic() - begun < STOP_SECONDS
        assert image.run(check[1:], data, **agent.environ)[0] != 0


async def test_an_embedded_image_builds_what_is_expected(
    build: Build, data: Path, binaries: Binaries, make_database: MakeDatabase
) -> None:
    tables = "create table users (id int primary key, email text)"
    url = await make_database(sql=f"{tables}; create index users_email on users (email)")
    (data / "schema.sql").write_text(tables)
    image = build(f"pg{binaries.major}")
    code, printed = image.run(["anchorwatch", "diff", "sql:/data/schema.sql", url], data)
    assert (code, "users_email" in printed) == (1, True), printed
    (data / "schema.sql").write_text(f"{tables}; create index users_email on users (email)")
    code, printed = image.run(["anchorwatch", "diff", "sql:/data/schema.sql", url], data)
    assert code == 0, printed


@pytest.mark.parametrize(("kind", "most"), [("slim", 300 * MEGABYTE), ("pg", 340 * MEGABYTE)])
async def test_what_an_image_weighs_and_how_soon_it_is_ready(  # noqa: PLR0913, PLR0917  # fixtures
    build: Build,
    data: Path,
    binaries: Binaries,
    make_database: MakeDatabase,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    most: int,
) -> None:
    image = build(kind if kind == "slim" else f"pg{binaries.major}")
    with running(image, data, await make_database(sql="create table users (id int)")) as agent:
        ready = time.monotonic() - agent.begun
        agent.wait_for(lambda: agent.list_databases()[0]["state"] == "unchanged")
        looked = time.monotonic() - agent.begun
        await asyncio.sleep(LOOKS_SECONDS)
        memory = agent.count_memory()
    weight = image.weigh()
    with capsys.disabled():
        print(  # noqa: T201  # the figures of docs/how-to/container.md
            f"\n{kind}: {weight / MEGABYTE:.0f} MB, ready after {ready:.1f} s, "
            f"looked after {looked:.1f} s, {memory / MEGABYTE:.0f} MB resident"
        )
    assert weight < most
    assert ready < START_SECONDS / 4
    assert memory < 200 * MEGABYTE


def test_extensions_of_the_embedded_server_find_their_libraries(
    build: Build, data: Path, binaries: Binaries
) -> None:
    names = ("uuid-ossp", "postgres_fdw", "dblink", "xml2", "pgcrypto")
    (data / "schema.sql").write_text("".join(f'create extension "{name}";' for name in names))
    image = build(f"pg{binaries.major}")
    command = ["anchorwatch", "diff", "sql:/data/schema.sql", "sql:/data/schema.sql"]
    code, printed = image.run(command, data)
    assert code == 0, printed


def test_a_slim_image_says_where_a_shadow_can_come_from(build: Build, data: Path) -> None:
    (data / "schema.sql").write_text("create table users (id int)")
    command = ["anchorwatch", "diff", "sql:/data/schema.sql", "sql:/data/schema.sql"]
    code, printed = build("slim").run(command, data)
    assert code == 3
    assert "--shadow URL" in printed
    assert "EMBEDDED=1" in printed
    assert "pip" not in printed


def test_a_channel_of_apprise_needs_no_other_image(build: Build, data: Path) -> None:
    channel = {"ANCHORWATCH_APPRISE__TEAM__URL": "json://127.0.0.1:1"}
    code, printed = build("slim").run(
        ["anchorwatch", "notify", "--test", "apprise:team"], data, **channel
    )
    assert code == 3, printed
    assert "apprise:team: not taken" in printed


def test_only_what_is_copied_is_in_the_image(build: Build) -> None:
    root = build("slim").root
    assert list((root / "data").iterdir()) == []
    assert not (root / "src").exists()
    assert not list(root.glob("opt/**/tests/conftest.py"))


def test_a_word_that_is_no_image_is_refused() -> None:
    done = subprocess.run([BUILD, "fat"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pg18" in done.stderr
