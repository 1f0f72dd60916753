"""What training scripts do to a run without meaning to: signals, forks, descriptors, folders."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from uuid import uuid4

import pytest

import tracker
from tests.e2e.processes import clean_environment
from tracker.journal import carrier, frames
from tracker.journal.segment import SegmentWriter
from tracker.run import start

pytestmark = pytest.mark.slow  # most run a script


@contextmanager
def handled(handler: object) -> Iterator[None]:
    """A timer's signal comes soon, and this handles it."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0004)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def steps(folder: Path, run: tracker.Run, name: str) -> list[int]:
    with tracker.open(folder) as library:
        return library.scalars.read(run.id, name).step.tolist()


def small_segments(run: tracker.Run) -> tracker.Run:
    assert run._writer is not None
    run._writer._largest = 2000
    return run


def test_a_handler_that_logs_within_log_loses_nothing(tmp_path: Path) -> None:
    told = []
    with small_segments(tracker.init("p", data=tmp_path)) as run:

        def handler(number: int, frame: FrameType | None) -> None:
            run.log({f"signal{len(told) % 3}": float(len(told)), "signal": 1.0}, step=len(told))
            told.append(len(told))
            signal.setitimer(signal.ITIMER_REAL, 0.0004)  # only now: the handler may be slower than that

        with handled(handler):
            for step in range(20_000):
                run.log({"loss": float(step)} if step % 7 else {"loss": float(step), "lr": 0.1}, step=step)
    assert len(told) > 10
    assert steps(tmp_path, run, "loss") == list(range(20_000))
    assert steps(tmp_path, run, "lr") == list(range(0, 20_000, 7))
    assert steps(tmp_path, run, "signal") == told
    assert run.unsaved == 0


RAISING = """
import signal, sys, tracker

class Preempted(Exception):
    pass

def handler(number, frame):
    raise Preempted

run = tracker.init("p", "r", data=sys.argv[1])
signal.signal(signal.SIGALRM, handler)
step = raised = 0
while raised < 300:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.05)  # again, where a check of ours hears of the first
        while True:
            run.log({"loss": float(step)}, step=step)
            step += 1
    except Preempted:
        raised += 1
        step += 1  # which may be there or not
signal.setitimer(signal.ITIMER_REAL, 0)
run.finish()
print(step)
"""


@pytest.mark.slow
def test_what_a_handler_raises_within_log_reaches_its_caller_and_no_row_is_there_twice(
    tmp_path: Path,
) -> None:
    logged = int(run_script(RAISING, tmp_path)[0])
    found = only(tmp_path, "loss")
    assert len(found) == len(set(found))
    assert len(set(range(logged)).difference(found)) <= 300


@pytest.mark.slow
def test_children_that_are_forked_while_threads_log_lose_nothing(tmp_path: Path) -> None:
    run = small_segments(tracker.init("p", data=tmp_path))
    is_over = threading.Event()
    counts = [0, 0]

    def lane(index: int) -> None:
        while not is_over.is_set():
            run.log({f"thread{index}": 1.0}, step=counts[index])
            counts[index] += 1

    threads = [threading.Thread(target=lane, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for child in range(12):
        pid = os.fork()
        if not pid:
            for step in range(50):
                run.log({f"child{child}": float(step)}, step=step)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    is_over.set()
    for thread in threads:
        thread.join()
    run.finish()
    with tracker.open(tmp_path) as library:
        for child in range(12):
            assert library.scalars.read(run.id, f"child{child}").step.tolist() == list(range(50))
        for index in range(2):
            assert library.scalars.read(run.id, f"thread{index}").step.tolist() == list(range(counts[index]))


def test_warnings_that_are_errors_or_log_themselves_stay_out_of_the_loop(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path) as run:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run.log({"loss": "much"}, step=0)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda *_: run.log({"warned": "often", "shown": 1.0}, step=1)
            run.log({"loss": None, "lr": 0.1}, step=1)
    assert steps(tmp_path, run, "lr") == [1]
    assert set(steps(tmp_path, run, "shown")) == {1}


def run_script(text: str, folder: Path, **variables: str) -> tuple[str, str]:
    """What a training script that succeeds prints and says."""
    done = subprocess.run(
        [sys.executable, "-c", text, str(folder)],
        env=clean_environment(TRACKER_SILENT="1", **variables),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def only(folder: Path, name: str) -> list[int]:
    """The steps of a series of the one run that there is."""
    with tracker.open(folder) as library:
        (project,) = library.projects.list()
        (run,) = library.experiments.list(project.id)
        return library.scalars.read(run.id, name).step.tolist()


SCRIPT = """
import os, sys, resource, tracker
{before}
run = tracker.init("p", "r", data=sys.argv[1])
{middle}
for step in range(300):
    run.log({{"loss": float(step)}}, step=step)
    {within}
{after}
run.finish()
"""


def script(folder: Path, *, before: str = "", middle: str = "", within: str = "pass", after: str = "") -> str:
    """Runs a training script with something done to it, and looks for its points; what it said."""
    text = SCRIPT.format(before=before, middle=middle, within=within, after=after)
    _, said = run_script(text, folder)
    assert only(folder, "loss") == list(range(300)), said
    return said


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "middle"])
def test_what_is_printed_to_closed_streams_does_not_land_in_the_journal(tmp_path: Path, moment: str) -> None:
    closing = "[os.close(number) for number in range(3)]"
    # Number 1 may be another's by now, open or not, for reading or for writing.
    printing = "try: step % 5 or os.write(1, b'printed')\n    except OSError: pass\n"
    turning = "    step % 50 or run._writer.turn()"
    script(tmp_path, **{moment: closing}, within=printing + turning)


@pytest.mark.slow
def test_a_process_out_of_descriptors_logs_on(tmp_path: Path) -> None:
    taking = (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); held = []\n"
        "try:\n    while True: held.append(os.dup(0))\nexcept OSError: run._writer.turn()"
    )
    said = script(tmp_path, middle=taking, after="[os.close(each) for each in held]")
    assert said.count("TrackerWarning") <= 1


@pytest.mark.slow
def test_a_folder_that_can_no_longer_be_written_to_costs_one_warning(tmp_path: Path) -> None:
    deny = "run._writer.turn(); os.chmod(run._journal.path, 0o500); os.getuid() or os.seteuid(65534)"
    allow = "os.getuid() or os.seteuid(0); os.chmod(run._journal.path, 0o700)"
    said = script(tmp_path, middle=deny, after=allow)
    assert said.count("TrackerWarning") == 1


def test_a_run_cannot_start_where_it_cannot_write_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(tracker.TrackerError, match="data"):
        tracker.init("p", data=tmp_path / "data")


def test_a_journal_that_is_removed_while_a_run_logs_is_made_anew(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path) as run:
        for step in range(100):
            run.log({"loss": float(step)}, step=step)
        shutil.rmtree(tmp_path / "journal")
        for step in range(100, 200):
            run.log({"loss": float(step)}, step=step)
        run.flush()
        shutil.rmtree(tmp_path / "journal", ignore_errors=True)
        run.log({"loss": 200.0}, step=200)
    found = steps(tmp_path, run, "loss")
    assert found == list(range(201))


@pytest.mark.slow
def test_what_a_child_logs_after_the_end_of_its_run_is_found_by_the_next_opening(tmp_path: Path) -> None:
    run = tracker.init("p", data=tmp_path)
    run.log({"loss": 1.0})
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(reading, 1)  # until the run is over
        for step in range(10):
            run.log({"late": float(step)}, step=step)
        os._exit(0)
    run.finish()
    os.write(writing, b".")
    assert os.waitpid(pid, 0)[1] == 0
    assert steps(tmp_path, run, "late") == list(range(10))


def test_rows_of_two_kinds_by_turns_are_all_read(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, dict)
    for step in range(40_000):
        writer.slow_row({"train": 1.0} if step % 2 else {"valid": 1.0}, step)
    writer.turn()
    (path,) = tmp_path.glob("*.seg")
    segment = frames.read(path.read_bytes())  # takes minutes where each looks at all that follow
    assert sum(part.value.size for part in segment.parts) == 40_000


GOES_ELSEWHERE = """
import os, tracker
run = tracker.init("p", "1_a", capture=False)
run.log({"loss": 0.0}, step=0)
os.makedirs("elsewhere/there")
os.chdir("elsewhere")
for step in range(1, 5):
    run.log({"loss": float(step), f"new{step}": 1.0}, step=step)
    run.text(f"text{step}", "t")
    run.flush()
os.chdir("there")
run.finish()
print(run.unsaved)
"""


def test_a_script_that_goes_to_another_folder_writes_to_where_it_began(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GOES_ELSEWHERE],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "0\n", done.stderr
    assert [each.name for each in (tmp_path / "elsewhere").rglob("*")] == ["there"]
    read = "import tracker; tr = tracker.open(); run, = tr.experiments.recent(); print(run.status, "
    read += "tr.scalars.read(run.id, 'loss').step.tolist(), len(tr.artifacts.list(run.id))); tr.close()"
    told = subprocess.check_output(
        [sys.executable, "-c", read], cwd=tmp_path, env=clean_environment(), text=True
    )
    assert told == "complete [0, 1, 2, 3, 4] 4\n"


def logs_and_finishes(run: tracker.Run) -> None:
    with run:
        run.log({"child": 1.0})


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["online", "offline"])
def test_a_spawned_child_never_ends_the_run(tmp_path: Path, mode: str) -> None:
    run = tracker.init("p", data=tmp_path, mode=mode, capture=False)
    run.log({"loss": 1.0})
    child = multiprocessing.get_context("spawn").Process(target=logs_and_finishes, args=(run,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert run._journal.about()["ended"] is False
    run.finish("failed", reason="bad data")
    with tracker.open(tmp_path) as library:
        (made,) = library.experiments.recent()
        assert (made.status, made.end_reason) == ("failed", "bad data")
        assert library.scalars.read(made.id, "child").value.tolist() == [1.0]


def test_a_run_says_that_it_lives_while_a_large_file_is_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "BEAT_SECONDS", 0.05)
    run = tracker.init("p", data=tmp_path, capture=False)
    carries = run._carrier
    assert carries is not None
    carries.wait(carries._round.acquire(), 30)  # as a round does for as long as it takes
    heard = set()
    with tracker.open(tmp_path) as library:
        while len(heard) < 4:  # None, and three beats
            heard.add(library.experiments.get(run.id).heartbeat_at)
    carries._thread._loop.call_soon_threadsafe(carries._round.release)
    run.finish()
    assert run.unsaved == 0


ONE_OF_A_JOB = """
import os, signal, sys, tracker
run = tracker.init("p", data=sys.argv[1], rank=int(sys.argv[2]), capture=False)
run.log({"loss": 1.0})
if sys.argv[3] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
run.finish()
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["killed", "finished"])
def test_a_job_goes_on_when_another_one_of_its_processes_is_gone(
    tmp_path: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = str(uuid4())
    monkeypatch.setattr(start, "_starts", itertools.count())
    monkeypatch.setenv("TRACKER_RUN_KEY", key)
    run = tracker.init("p", data=tmp_path, rank=0, capture=False)
    run.flush()
    run._journal.stage(b"on its way")
    subprocess.run(
        [sys.executable, "-c", ONE_OF_A_JOB, str(tmp_path), "1", end],
        env={**clean_environment(), "TRACKER_RUN_KEY": key},
        check=False,
        timeout=60,
    )
    with tracker.open(tmp_path) as library:
        (made,) = library.experiments.recent()
        assert made.status == "running"
    assert list(run._journal.staged.iterdir())
    assert run._journal.about()["ended"] is False
    run.finish()
    with tracker.open(tmp_path) as library:
        assert library.experiments.get(made.id).status == "complete"
        assert library.scalars.read(made.id, "loss@rank1").value.tolist() == [1.0]


@pytest.mark.slow
def test_what_a_child_logs_after_a_resumed_run_has_ended_belongs_to_it(tmp_path: Path) -> None:
    begun = tracker.init("p", data=tmp_path, capture=False)
    begun.finish("failed")
    run = tracker.init("p", data=tmp_path, resume=str(begun.id), capture=False)
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - not in this process
        os.read(ready, 1)
        run.log({"late": 1.0}, step=3)
        os._exit(0)
    run.finish()
    assert not run._journal.path.exists()
    os.write(go, b"x")
    os.waitpid(child, 0)
    assert run._journal.path.stat().st_mode & 0o777 == 0o700
    with tracker.open(tmp_path) as library:
        (made,) = library.experiments.recent()
        assert (made.id, made.status) == (begun.id, "complete")
        assert library.scalars.read(made.id, "late").value.tolist() == [1.0]


SLOW_START = """
import socket, sys, threading, time, tracker
from tracker.run import start

start.START_SECONDS = 0.3
listener = socket.create_server(("127.0.0.1", 0))

def hang_up_late():
    while True:
        connection, _ = listener.accept()
        time.sleep(0.6)
        connection.close()

threading.Thread(target=hang_up_late, daemon=True).start()
run = tracker.init("p", url=f"http://127.0.0.1:{listener.getsockname()[1]}")
run.log({"loss": 1.0})
time.sleep(1.5)
run.finish(timeout=0.1)
"""


def test_a_server_that_hangs_up_after_a_run_stopped_waiting_for_it_costs_no_traceback(tmp_path: Path) -> None:
    _, said = run_script(SLOW_START, tmp_path, TRACKER_DATA=str(tmp_path))
    assert "Traceback" not in said
    assert "values wait in" in said
