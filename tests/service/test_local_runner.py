"""What local processes keep beside the contract of runners."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp
from uuid import UUID

import pytest

from tests.worker_programs import began, errand, naming, until, until_there
from tracker.adapters.runners.attempt_folder import AttemptFolder
from tracker.adapters.runners.handover import Handover, WorkerConfig
from tracker.adapters.runners.local import LocalRunner
from tracker.adapters.runners.processes import Process, is_still, listed, session_of
from tracker.adapters.system.processes import owner
from tracker.domain.errors import Unavailable
from tracker.domain.evaluation.jobs.deciding import Report, Sighting
from tracker.domain.evaluation.jobs.errand import Errand

pytestmark = pytest.mark.slow  # each starts processes

PLAY = "tests.worker_programs:play"
OVER = (Sighting.FINISHED, Sighting.REFUSED, Sighting.CRASHED, Sighting.UNREACHABLE)
# Another process of the installation, which starts what it is told and is killed.
_SERVER = """
import asyncio, os, sys
from tracker.adapters.runners.local import LocalRunner
from tracker.adapters.runners.handover import WorkerConfig
from pathlib import Path

errand = WorkerConfig.from_bytes(sys.stdin.buffer.read()).errand
runner = LocalRunner(Path(sys.argv[1]), slots=1, environment=os.environ, program="tests.worker_programs:play")
asyncio.run(runner.start(errand))
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(mkdtemp(prefix="work"))  # short: its name is in a handle
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
async def opening(tmp_path: Path, folder: Path) -> AsyncIterator[Callable[..., LocalRunner]]:
    """Opens runners over one data folder; what they began is ended after the test."""

    def opened(
        slots: int = 1,
        handover: Callable[[], Handover] = Handover,
        environment: Mapping[str, str] | None = None,
    ) -> LocalRunner:
        return LocalRunner(
            tmp_path / "data",
            slots=slots,
            handover=handover,
            environment=os.environ if environment is None else environment,
            program=PLAY,
        )

    yield opened
    for attempt in (tmp_path / "data" / "jobs").glob("*-*/*"):
        await opened().kill(UUID(attempt.parent.name), int(attempt.name))


def attempt_of(tmp_path: Path, which: Errand) -> AttemptFolder:
    return AttemptFolder(tmp_path / "data" / "jobs" / str(which.job_id) / str(which.attempt))


def start_elsewhere(tmp_path: Path, which: Errand) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(tmp_path / "data")],
        stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert process.stdin is not None
    with process.stdin:
        process.stdin.write(WorkerConfig(errand=which).to_bytes())
    return process


async def test_they_begin_in_the_order_of_their_arrival(
    opening: Callable[..., LocalRunner], folder: Path
) -> None:
    runner, other = opening(), opening()
    first = errand("until", folder)
    rest = [errand("finish", folder) for _ in range(5)]
    for one in (first, *rest):
        await (runner if one is first else other).start(one)
    (folder / "go").touch()
    for one in reversed(rest):
        await until(runner, one, Sighting.FINISHED)
    assert began(folder) == [f"{one.job_id}.1" for one in (first, *rest)]


async def test_two_processes_that_start_one_attempt_begin_it_once(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    one = errand("finish", folder)
    starters = [start_elsewhere(tmp_path, one) for _ in range(3)]
    await opening().start(one)
    assert [await asyncio.to_thread(starter.wait) for starter in starters] == [-signal.SIGKILL] * 3
    await until(opening(), one, Sighting.FINISHED)
    assert began(folder) == [f"{one.job_id}.1"]


async def test_workers_outlive_the_server_that_started_them(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    one = errand("until", folder)
    server = start_elsewhere(tmp_path, one)
    assert await asyncio.to_thread(server.wait) == -signal.SIGKILL
    await until_there(folder / "began")
    assert await opening().sight(one.job_id, 1) == Report(Sighting.ALIVE)
    (folder / "go").touch()
    await until(opening(), one, Sighting.FINISHED)


async def test_a_start_that_was_cut_off_before_it_queued_goes_on(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    runner = opening()
    first, cut_off = errand("until", folder), errand("finish", folder)
    for one in (first, cut_off):
        await runner.start(one)
    (tmp_path / "data" / "jobs" / "queue" / attempt_of(tmp_path, cut_off).text("ticket")).unlink()
    (folder / "go").touch()
    await until(runner, cut_off, Sighting.FINISHED)


async def test_a_start_that_was_cut_off_before_the_process_came_is_told(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    one = errand("finish", folder)
    attempt_of(tmp_path, one).make({"config.json": b"{}", "begun": b"", "ticket": b"0.x.1"})
    report = await opening().sight(one.job_id, 1)
    assert report == Report(Sighting.CRASHED, "its process did not come up; its log may say why")


async def test_a_config_that_cannot_be_read_is_refused(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    one = errand("finish", folder)
    attempt_of(tmp_path, one).make({"config.json": b"{", "ticket": f"1.{one.job_id}.1".encode()})
    report = await until(opening(), one, *OVER)
    assert report.sighting is Sighting.REFUSED
    assert "config.json cannot be used" in report.why


async def test_files_are_their_owner_s_alone(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    one = errand("finish", folder)
    await opening().start(one)
    await until(opening(), one, Sighting.FINISHED)
    path = attempt_of(tmp_path, one).path
    for place in (path, path.parent, path.parent.parent):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    for file in ("config.json", "process.json", "ended.json"):
        assert stat.S_IMODE((path / file).stat().st_mode) == 0o600


async def test_secrets_come_through_standard_input_and_show_nowhere(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    secret, key = "postgresql://a:pass-4711@host/db", "key-4712"
    handover = Handover(settings={"DATABASE_URL": secret}, environment={"A_KEY": key})
    environment = {**os.environ, "DATABASE_URL": secret, "AWS_SECRET_ACCESS_KEY": key, "LC_ALL": "C.UTF-8"}
    runner = opening(slots=2, handover=lambda: handover, environment=environment)
    told, sleeping = errand("handover", folder), errand("sleep", folder)
    for one in (told, sleeping):
        await runner.start(one)
    await until(runner, told, Sighting.FINISHED)
    await until(runner, sleeping, Sighting.ALIVE)
    assert (folder / "handover").read_text() == repr(({"DATABASE_URL": secret}, key))
    while (record := attempt_of(tmp_path, sleeping).read("process.json")) is None:
        await asyncio.sleep(0.05)
    for process in session_of(record, listed()) | {record["pid"]}:
        try:
            shown = Path(f"/proc/{process}/environ").read_bytes()
        except FileNotFoundError:  # a short-lived one of its session
            continue
        assert b"LC_ALL=C.UTF-8" in shown or not shown
        assert b"471" not in shown + Path(f"/proc/{process}/cmdline").read_bytes()
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or b"-471" not in file.read_bytes()


async def test_no_process_that_has_ended_stays_in_the_list(
    opening: Callable[..., LocalRunner], folder: Path
) -> None:
    one = errand("finish", folder)
    await opening().start(one)
    await until(opening(), one, Sighting.FINISHED)
    for _ in range(200):
        if not any(each.parent == os.getpid() and each.state == "Z" for each in listed().values()):
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("a process stays in the list")


async def test_where_the_watcher_is_killed_nothing_of_its_session_stays(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    one = errand("child", folder)
    await opening().start(one)
    await until_there(folder / "family")
    assert len(naming(str(folder))) == 1
    os.kill(attempt_of(tmp_path, one).read("process.json")["pid"], signal.SIGKILL)
    report = await until(opening(), one, *OVER)
    assert report.sighting is Sighting.CRASHED
    assert "gone without a word" in report.why
    assert naming(str(folder)) == set()


async def test_a_fork_that_outlived_its_watcher_is_seen_and_killed(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    one = errand("fork", folder)
    await opening().start(one)
    await until_there(folder / "family")
    os.kill(attempt_of(tmp_path, one).read("process.json")["pid"], signal.SIGKILL)
    left = int((folder / "family").read_text())
    assert await opening().sight(one.job_id, 1) == Report(Sighting.ALIVE)
    await opening().kill(one.job_id, 1)
    assert (await opening().sight(one.job_id, 1)).sighting is Sighting.CRASHED
    assert left not in listed() or listed()[left].state == "Z"


@pytest.mark.parametrize(
    ("verb", "sighting", "told"),
    [
        ("eat", Sighting.REFUSED, "out of memory: it may take 209715200 bytes"),
        ("spread", Sighting.CRASHED, "killed, out of memory: its processes took"),
    ],
)
async def test_memory_has_a_limit(
    opening: Callable[..., LocalRunner], folder: Path, verb: str, sighting: Sighting, told: str
) -> None:
    one = errand(verb, folder, memory_bytes=200 * 2**20)
    await opening().start(one)
    report = await until(opening(), one, *OVER)
    assert report.sighting is sighting
    assert told in report.why


async def test_told_to_end_it_ends_in_order(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    one = errand("sleep", folder)
    await opening().start(one)
    await until_there(folder / "began")
    os.kill(attempt_of(tmp_path, one).read("process.json")["pid"], signal.SIGTERM)
    report = await until(opening(), one, *OVER)
    assert report == Report(Sighting.CRASHED, "it was told to end (SIGTERM)")


async def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "data").write_text("a file")
    runner = LocalRunner(tmp_path / "data", slots=1, environment={}, program=PLAY)
    one = errand("finish", folder)
    for asked in (runner.check(), runner.start(one), runner.kill(one.job_id, 1)):
        with pytest.raises(Unavailable, match="the runner cannot use"):
            await asked
    assert (await runner.sight(one.job_id, 1)).sighting in (Sighting.UNKNOWN, Sighting.UNREACHABLE)


def test_another_process_of_the_same_number_is_told_from_it() -> None:
    me = owner()
    assert is_still(me, listed())
    for changed in (
        {"started": me["started"] - 1},
        {"boot": "another"},
        {"namespace": 1},
        {"pid": 2**22 + 1},
    ):
        assert not is_still({**me, **changed}, listed())
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as leader:
        its = {**me, "pid": leader.pid, "started": listed()[leader.pid].started}
        try:
            assert session_of(its, listed()) == {leader.pid}
            for changed in ({"started": its["started"] - 1}, {"boot": "another"}, {"namespace": 1}):
                assert session_of({**its, **changed}, listed()) == set()
        finally:
            leader.kill()
    assert session_of(its, listed()) == set()


def test_a_session_from_outside_of_the_container_is_nobodys() -> None:
    inside = Process(2**22 + 1, 1, 0, "S", 1)
    assert session_of({**owner(), "pid": 0, "started": 1}, {inside.pid: inside}) == set()


async def test_jobs_are_known_until_they_are_forgotten_which_takes_the_end_of_their_attempts(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path
) -> None:
    runner = opening()
    assert await runner.known() == frozenset()
    one = errand("until", folder)
    await runner.start(one)
    await until_there(folder / "began")
    assert await opening().known() == {one.job_id}
    await runner.forget(one.job_id)
    assert await runner.sight(one.job_id, 1) == Report(Sighting.ALIVE)
    await runner.kill(one.job_id, 1)
    await runner.forget(one.job_id)
    assert await runner.known() == frozenset()
    assert not attempt_of(tmp_path, one).path.parent.exists()


@pytest.mark.parametrize("end", ["by itself", "killed", "its watcher killed"])
async def test_temporary_files_go_however_an_attempt_ends(
    opening: Callable[..., LocalRunner], folder: Path, tmp_path: Path, end: str
) -> None:
    runner, one = opening(), errand("litter", folder)
    await runner.start(one)
    await until_there(folder / "litter")
    files = [Path(line) for line in (folder / "litter").read_text().splitlines()]
    assert len(files) == 2 and all(each.exists() for each in files)
    if end == "by itself":
        (folder / "go").touch()
    elif end == "killed":
        await runner.kill(one.job_id, 1)
    else:
        process = attempt_of(tmp_path, one).read("process.json")
        assert process is not None
        os.kill(process["pid"], signal.SIGKILL)
    await until(runner, one, *OVER)
    assert not any(each.exists() or each.parent.exists() for each in files)
