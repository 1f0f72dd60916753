"""How a script that does not finish its run is left, and what its run says of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tracker
from tracker.run.exits import put_back_exit, watch_exit

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BEGIN = """
import sys, threading, tracker
run = tracker.init("p", data=".", capture=False)
run.log({"loss": 1.0})
"""


def ran(tmp_path: Path, program: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A script that has ended."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def left(tmp_path: Path, program: str) -> tuple[int, tracker.Experiment]:
    """The exit status of a script that starts a run and goes on so, and its experiment."""
    ended = ran(tmp_path, BEGIN + program)
    with tracker.open(tmp_path) as library:
        (project,) = library.projects.list()
        (made,) = library.experiments.list(project.id)
        assert len(library.scalars.read(made.id, "loss")) == 1
    return ended.returncode, made


@pytest.mark.parametrize(("last_line", "status"), [("1 / 0", "failed"), ("pass", "complete")])
def test_a_script_that_crashes_outside_of_a_block_leaves_a_failed_run(
    tmp_path: Path, last_line: str, status: str
) -> None:
    _, made = left(tmp_path, last_line)
    assert made.status == status


@pytest.mark.parametrize(
    ("program", "status", "reason"),
    [
        ("sys.exit(3)", 3, "exit status 3"),
        ("sys.exit('no GPU')", 1, "exit status no GPU"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    sys.exit(4)", 4, "exit status 4"),
        ("try:\n    sys.exit(5)\nexcept SystemExit as error:\n    raise", 5, "exit status 5"),
        ("import argparse; argparse.ArgumentParser().parse_args(['--no'])", 2, "exit status 2"),
    ],
)
def test_a_script_that_leaves_with_an_exit_status_has_failed(
    tmp_path: Path, program: str, status: int, reason: str
) -> None:
    returned, made = left(tmp_path, program)
    assert (returned, made.status, made.end_kind) == (status, "failed", "other")
    assert reason in str(made.end_reason)


@pytest.mark.parametrize(
    "program",
    [
        "sys.exit()",
        "sys.exit(0)",
        "try:\n    sys.exit(3)\nexcept SystemExit:\n    pass",
        "try:\n    sys.exit(3)\nexcept SystemExit as error:\n    kept = error",
        "one = threading.Thread(target=sys.exit, args=(3,)); one.start(); one.join()",
    ],
)
def test_a_script_that_is_left_well_or_not_at_all_is_complete(tmp_path: Path, program: str) -> None:
    returned, made = left(tmp_path, program)
    assert (returned, made.status, made.end_reason) == (0, "complete", None)


def test_a_script_that_ctrl_c_ends_is_ended_by_it_for_the_shell_too(tmp_path: Path) -> None:
    returned, made = left(tmp_path, "raise KeyboardInterrupt")
    assert (returned, made.end_kind) == (-signal.SIGINT, "interrupted")


def test_what_was_there_of_exit_is_there_again_after_the_last_run_and_is_called_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []

    def theirs(status: object = None) -> None:
        seen.append(status)

    monkeypatch.setattr(sys, "exit", theirs)
    watch_exit()
    with pytest.raises(SystemExit):
        sys.exit(3)
    put_back_exit()
    assert (seen, sys.exit) == ([3], theirs)


def test_a_run_that_a_signal_ends_while_its_server_is_silent_tells_what_waits_and_how_to_send_it(
    tmp_path: Path,
) -> None:
    program = """
import os, signal, socket, time, tracker
from tracker.run import start
start.START_SECONDS = 0.3
silent = socket.create_server(("127.0.0.1", 0))
run = tracker.init("p", url=f"http://127.0.0.1:{silent.getsockname()[1]}", capture=False)
run.log({"loss": 1.0})
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
"""
    ended = ran(tmp_path, program, TRACKER_DATA=str(tmp_path), TRACKER_SILENT="off")
    assert ended.returncode == -signal.SIGTERM
    assert f"1 values wait: tracker --data {tmp_path} sync" in ended.stderr


def test_what_others_have_done_at_the_end_is_done_after_ctrl_c_too(tmp_path: Path) -> None:
    first = "import atexit\natexit.register(lambda: open('first', 'w').write('bye'))\n"
    last = "atexit.register(lambda: open('said', 'w').write('bye'))\nprint('x' * 100_000)\n"
    ended = ran(tmp_path, first + BEGIN + last + "raise KeyboardInterrupt")
    assert ended.returncode == -signal.SIGINT
    assert "x" * 100_000 in ended.stdout and "KeyboardInterrupt" in ended.stderr
    assert (tmp_path / "said").read_text() == (tmp_path / "first").read_text() == "bye"
