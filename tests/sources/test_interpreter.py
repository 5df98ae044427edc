import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.core.errors import TooSlow
from monitor.sources import interpreter as door
from monitor.sources.engine import Cluster
from monitor.sources.environment import clean_environment
from monitor.sources.interpreter import Failed, Interpreter, Said
from monitor.sources.shadow import open_shadow
from tests.sources.shadow_peers import find_leftovers, write_history

HOLD = """
import asyncio, os
from monitor.core.source import parse_source
from monitor.sources.expected import BuildOptions, read_source
options = BuildOptions(
    shadow_url=os.environ["SHADOW"], progress=lambda line: print("ready", flush=True)
)
asyncio.run(read_source(parse_source(os.environ["SOURCE"]), options))
"""


async def ignore(_event: Said) -> None:
    """Answer nothing."""


def make(directory: Path, python: Path = Path(sys.executable)) -> Interpreter:
    return Interpreter(
        python=python, directory=directory, environment=clean_environment(os.environ)
    )


async def test_an_interpreter_that_is_none_is_told_by_its_last_words(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho first >&2\necho this is no python >&2\n")
    program.chmod(0o755)
    ended = await make(tmp_path, program).run({}, ignore)
    assert ended == Failed(code="crashed", detail="this is no python", revision=None)


async def test_what_is_shown_is_shown_to_its_last_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "python"
    program.write_text(
        "#!/bin/sh\n"
        'echo \'{"event": "applied", "revision": "r1", "done": 1, "total": 1}\'\n'
        'sleep 0.1; echo \'{"event": "done", "refused": []}\'; printf "the last" >&2\n'
    )
    program.chmod(0o755)

    async def be_slow(_event: object) -> None:
        time.sleep(0.3)  # noqa: ASYNC251  # meanwhile both streams become ready, its word first

    await replace(make(tmp_path, program), is_verbose=True).run({}, be_slow)
    assert capsys.readouterr().err == "the last\n"


async def test_a_job_ends_at_its_deadline_and_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, note = tmp_path / "python", tmp_path / "pids"
    program.write_text(f"#!/bin/sh\nsleep 60 &\necho $$ $! > {note}\nwait\n")
    program.chmod(0o755)
    monkeypatch.setattr(door, "REPLAY_SECONDS", 0.5)
    with pytest.raises(TooSlow, match='deadline "replay"'):
        await make(tmp_path, program).run({}, ignore)
    for pid in note.read_text().split():
        await wait_until_gone(int(pid))


async def test_the_collector_ends_when_whoever_asked_is_killed(
    server: Cluster, tmp_path: Path, python: Callable[..., subprocess.Popen[str]]
) -> None:
    note = tmp_path / "pid"
    ini = write_history(
        tmp_path,
        "op.execute('select 1')",
        "__import__('time').sleep(60)",
        before=f"open({str(note)!r}, 'w').write(str(os.getpid()))",
    )
    process = python(HOLD, SHADOW=server.url(), SOURCE=f"alembic:{ini}")
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
    process.send_signal(signal.SIGKILL)
    await wait_until_gone(int(note.read_text()))
    process.wait()
    async with open_shadow(url=server.url()):  # sweeps what it left, or others would find it
        assert await find_leftovers(server.url()) == []


async def wait_until_gone(pid: int) -> None:
    """Return once a process is no more, or a zombie that nobody here can reap."""
    async with asyncio.timeout(20):
        while Path(f"/proc/{pid}").exists():  # noqa: ASYNC240  # no disk is asked
            if ") Z " in Path(f"/proc/{pid}/stat").read_text():  # noqa: ASYNC240  # as above
                return
            await asyncio.sleep(0.02)
