"""Whatever signal ends a command, nothing that it started is left behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.cli.refusals import run_command as run_in_process
from tests.cli.test_contract import make_failing
from tests.e2e.conftest import wait_for


@pytest.mark.long  # on a busy machine a signal was once lost on the way to the build
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
