"""Real processes that are ended by real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BEGIN = """
import json, os, signal, sys, threading, time
from pathlib import Path
from tracker.run import signals
told = Path(sys.argv[1])
# Which whoever started the tests may have had ignored: nohup one, and a shell the other in the background.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
def finish(kind, reason):
    with told.open("a") as file:
        file.write(json.dumps([os.getpid(), kind, reason]) + "\\n")
"""
WAIT = """
print(os.getpid(), flush=True)
while True:
    time.sleep(0.01)
"""


def ended(
    tmp_path: Path, program: str, *numbers: int, environ: Mapping[str, str] | None = None
) -> tuple[int, list[list[str]]]:
    """How a process exits to which these signals are sent once it has printed a line, and what it told."""
    told = tmp_path / "told"
    told.touch()
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("SLURM", "KUBERNETES"))}
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN + program, str(told)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**clean, **(environ or {})},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for number in numbers:
            process.send_signal(number)
        try:
            status = process.wait(60)
        finally:
            process.kill()
    return status, [json.loads(line)[1:] for line in told.read_text().splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU])
def test_a_run_that_a_signal_ends_tells_so_and_its_process_is_killed_by_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    status, ((kind, reason),) = ended(tmp_path, "signals.on_signal(finish)" + WAIT, number)
    assert status == -number
    assert kind == "terminated"
    assert number.name in reason


def test_what_slurm_ends_was_preempted_or_cancelled(tmp_path: Path) -> None:
    slurm = {"SLURM_JOB_ID": "77"}
    program = "signals.on_signal(finish)" + WAIT
    status, told = ended(tmp_path, program, signal.SIGTERM, environ=slurm)
    assert (status, told[0][0]) == (-signal.SIGTERM, "preempted")
    assert "job 77 was preempted or cancelled" in told[0][1]
    status, told = ended(tmp_path, program, signal.SIGUSR1, environ=slurm)
    assert (status, told[1][0]) == (-signal.SIGUSR1, "preempted")


def test_without_slurm_sigusr1_is_nobodys_business(tmp_path: Path) -> None:
    assert ended(tmp_path, "signals.on_signal(finish)" + WAIT, signal.SIGUSR1) == (-signal.SIGUSR1, [])


def test_a_handler_that_somebody_set_is_never_replaced(tmp_path: Path) -> None:
    program = (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "signals.on_signal(finish)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + WAIT
    )
    assert ended(tmp_path, program, signal.SIGHUP, signal.SIGTERM) == (7, [])


def test_a_framework_that_calls_ours_before_its_own_decides_what_becomes_of_the_process(
    tmp_path: Path,
) -> None:
    program = """
signals.on_signal(finish)
before = signal.getsignal(signal.SIGTERM)
def both(number, frame):
    before(number, frame)
    kind, reason = signals.last_signal()
    finish(kind, "seen: " + reason)
    os._exit(9)
signal.signal(signal.SIGTERM, both)
"""
    status, ((kind, reason),) = ended(tmp_path, program + WAIT, signal.SIGTERM)
    assert (status, kind) == (9, "terminated")
    assert reason.startswith("seen: SIGTERM")


def test_a_callback_that_hangs_or_fails_keeps_no_process_from_ending(tmp_path: Path) -> None:
    program = """
signals.DEADLINE = 0.5
lock = threading.Lock()
def hang(kind, reason):
    lock.acquire()
def fail(kind, reason):
    raise RuntimeError
for callback in (hang, fail, finish):
    signals.on_signal(callback)
lock.acquire()
"""
    status, told = ended(tmp_path, program + WAIT, signal.SIGTERM)
    assert (status, [kind for kind, _ in told]) == (-signal.SIGTERM, ["terminated"])


def test_a_forked_child_that_its_parent_ends_ends_no_run(tmp_path: Path) -> None:
    program = """
signals.on_signal(finish)
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
assert os.WTERMSIG(status) == signal.SIGTERM
finish("child", "ended")
"""
    status, told = ended(tmp_path, program + WAIT, signal.SIGTERM)
    assert status == -signal.SIGTERM
    assert [kind for kind, _ in told] == ["child", "terminated"]


def test_what_is_taken_back_is_not_called_and_leaves_the_default(tmp_path: Path) -> None:
    program = """
forget = signals.on_signal(finish)
forget()
forget()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
threading.Thread(target=signals.on_signal, args=(finish,)).start()  # sets nothing, but raises nothing
"""
    assert ended(tmp_path, program + WAIT, signal.SIGTERM) == (-signal.SIGTERM, [])


def test_ctrl_c_stays_an_exception_of_the_script(tmp_path: Path) -> None:
    program = """
from tracker.run.reasons import reason_of
signals.on_signal(finish)
try:
    print(flush=True)
    while True:
        time.sleep(0.01)
except KeyboardInterrupt as error:
    finish(*reason_of(error))
    raise
"""
    status, ((kind, reason),) = ended(tmp_path, program, signal.SIGINT)
    assert status in (-signal.SIGINT, 130)
    assert (kind, reason.splitlines()[0]) == ("interrupted", "interrupted by Ctrl-C (SIGINT)")
