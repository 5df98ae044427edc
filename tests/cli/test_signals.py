"""Whatever signal ends a command, nothing that it started is left behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.cli.refusals import run_command as run_in_process
from tests.cli.test_contract import make_failing
from tests.e2e.conftest import wait_for


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_a_build_leaves_nothing(
    clean_environ: dict[str, str], open_directory: Path, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "slow.sql").write_text("SELECT pg_sleep(100)")
    (tmp_path / "empty.sql").write_text("")
    command = [sys.executable, "-m", "monitor", "diff", "sql:slow.sql", "sql:empty.sql"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=clean_environ | {"TMPDIR": str(open_directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever started the tests in the background had SIGINT ignored, and we inherit it.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509  # no threads yet
    ) as process:
        wait_for(lambda: find_backends(open_directory), "the build")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (128 + number, "", "")
    assert list(open_directory.iterdir()) == []


@pytest.mark.parametrize("interrupt", [signal.SIG_DFL, signal.SIG_IGN], ids=["heard", "ignored"])
def test_a_signal_while_a_server_starts_leaves_nothing(
    clean_environ: dict[str, str],
    open_directory: Path,
    tmp_path: Path,
    interrupt: signal.Handlers,
) -> None:
    (tmp_path / "empty.sql").write_text("")
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "diff", "sql:empty.sql", "sql:empty.sql"],
        cwd=tmp_path,
        env=clean_environ | {"TMPDIR": str(open_directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, interrupt),  # noqa: PLW1509  # no threads yet
    ) as process:
        wait_for(lambda: list(open_directory.glob("anchorwatch-pg-*/lease")), "the start")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (143, "", "")
    assert list(open_directory.iterdir()) == []


LOOPING = """
import asyncio, os, signal, threading, typer
from monitor.cli.refusals import run_command
from monitor.cli.loop import run_loop
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may be run under nohup
app = typer.Typer()
@app.command()
def work(): run_loop(wait())
"""
ENDING = "raise SystemExit(run_command(app, []))"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_a_library_lost_while_it_was_imported_ends_the_loop(
    clean_environ: dict[str, str], number: signal.Signals
) -> None:
    script = f"""{LOOPING.replace("run_loop(wait())", "lose(); run_loop(wait())")}
signal.signal(signal.SIGINT, signal.default_int_handler)
def lose():
    try: os.kill(os.getpid(), {number})
    except KeyboardInterrupt: pass
async def wait(): await asyncio.sleep(60)
{ENDING}"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=clean_environ, timeout=30, check=False
    )
    assert done.returncode == 128 + number


def test_a_signal_that_another_thread_takes_ends_a_loop_that_waits(
    clean_environ: dict[str, str],
) -> None:
    # The kernel may as well hand it to the main thread just before that goes to sleep.
    script = f"""{LOOPING}
def send(): signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
async def wait():
    threading.Timer(0.2, send).start()
    await asyncio.sleep(60)
{ENDING}"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=clean_environ, timeout=30, check=False
    )
    assert done.returncode == 143


@pytest.mark.parametrize(
    ("number", "interrupt"),
    [
        (signal.SIGINT, "default_int_handler"),
        (signal.SIGTERM, "default_int_handler"),
        (signal.SIGTERM, "SIG_IGN"),
        (signal.SIGHUP, "SIG_IGN"),
    ],
)
def test_no_code_inside_a_loop_is_interrupted_half_way(
    clean_environ: dict[str, str], number: signal.Signals, interrupt: str
) -> None:
    # As asyncpg does: whatever is raised while it sends a statement is lost in "finally".
    script = f"""{LOOPING}
signal.signal(signal.SIGINT, signal.{interrupt})
async def wait():
    for _ in range(2):
        try: os.kill(os.getpid(), {number}); done = True
        except KeyboardInterrupt: os._exit(1)
    try: await asyncio.sleep(20)
    except asyncio.CancelledError: await asyncio.sleep(0.1); print(done); raise
{ENDING}"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=clean_environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "True\n", "")


def find_backends(directory: Path) -> list[str]:
    """The servers below a directory that are ready."""
    pids = directory.glob("anchorwatch-pg-*/data/postmaster.pid")
    return [text for pid in pids if "ready" in (text := pid.read_text())]


def test_a_terminal_that_hangs_up_on_nohup_ends_nothing(
    clean_environ: dict[str, str], tmp_path: Path
) -> None:
    script = (
        "import os, signal; from monitor.cli.refusals import run_command\n"
        "import typer; app = typer.Typer()\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "@app.command()\n"
        "def work(): os.kill(os.getpid(), signal.SIGHUP)\n"
        "raise SystemExit(run_command(app, []))"
    )
    done = subprocess.run([sys.executable, "-c", script], env=clean_environ, check=False)
    assert done.returncode == 0


def test_sigterm_ends_a_job_that_ignores_ctrl_c(clean_environ: dict[str, str]) -> None:
    script = (
        "import os, signal, time; from monitor.cli.refusals import run_command\n"
        "import typer; app = typer.Typer()\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts what ends in &\n"
        "@app.command()\n"
        "def work(): os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)\n"
        "raise SystemExit(run_command(app, []))"
    )
    done = subprocess.run([sys.executable, "-c", script], env=clean_environ, check=False)
    assert done.returncode == 143


def test_ctrl_c_while_a_library_is_imported_is_no_fault(
    capsys: pytest.CaptureFixture[str],
) -> None:
    interrupted = TypeError("what enum makes of an interrupt in the middle of a class")
    interrupted.__context__ = KeyboardInterrupt()
    assert run_in_process(make_failing(interrupted), ["work"]) == 130
    assert capsys.readouterr().err == ""


def test_sigterm_while_a_library_is_imported_is_no_fault(clean_environ: dict[str, str]) -> None:
    script = (
        "import os, signal, typer; from monitor.cli.refusals import run_command\n"
        "app = typer.Typer()\n"
        "@app.command()\n"
        "def work():\n"
        "    try: os.kill(os.getpid(), signal.SIGTERM)\n"
        "    except KeyboardInterrupt: pass\n"
        "    raise ValueError('what pydantic makes of it')\n"
        "raise SystemExit(run_command(app, []))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=clean_environ, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (143, b"")


def test_ctrl_c_before_the_command_line_is_read_shows_no_traceback(
    clean_environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")
    done = subprocess.run(
        [sys.executable, "-c", "from monitor.__main__ import main; main()"],
        env=clean_environ | {"PYTHONPATH": f"{tmp_path}:{Path.cwd()}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
