from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.ray_head import RayHead, ray_head, ray_program
from tests.worker_programs import began, errand, naming, until, until_there
from tracker.adapters.runners.local import LocalRunner
from tracker.adapters.runners.ray import RayRunner
from tracker.domain.evaluation.jobs.deciding import Report, Sighting
from tracker.domain.evaluation.jobs.errand import Errand
from tracker.ports.evaluation.runner import JobRunner

pytestmark = pytest.mark.slow  # each starts processes; make ray runs them on both

SLOTS = 2
OVER = (Sighting.FINISHED, Sighting.REFUSED, Sighting.CRASHED, Sighting.UNREACHABLE)
PLAY = "tests.worker_programs:play"


@pytest.fixture(scope="module")
def head() -> Iterator[RayHead]:
    if ray_program() is None:
        pytest.skip("Ray is not installed (make ray)")
    with ray_head(SLOTS) as running:
        yield running


@pytest.fixture(params=["local", "ray"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], JobRunner]:
    """Opens a runner, as each process of an installation does."""
    if request.param == "local":
        return lambda: LocalRunner(tmp_path / "data", slots=SLOTS, environment=os.environ, program=PLAY)
    head: RayHead = request.getfixturevalue("head")
    return lambda: RayRunner(head.url, desk_url="http://127.0.0.1:1", token=head.token, program=PLAY)


@pytest.fixture
async def runner(opening: Callable[[], JobRunner]) -> AsyncIterator[JobRunner]:
    opened = Remembering(opening())
    yield opened
    await asyncio.gather(*(opened.kill(each.job_id, each.attempt) for each in opened.started))
    for each in opened.started:
        await until(opened, each, *OVER)
    await opened.close()


class Remembering:
    """A runner whose attempts are killed when the test is over."""

    def __init__(self, runner: JobRunner) -> None:
        self.inner = runner
        self.started: list[Errand] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    async def start(self, errand: Errand) -> None:
        self.started.append(errand)
        await self.inner.start(errand)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(mkdtemp(prefix="work"))  # short: its name is in a handle
    yield made
    shutil.rmtree(made, ignore_errors=True)


class TestJobRunner:
    """What every adapter of the runner port keeps."""

    async def test_an_attempt_runs_and_its_end_is_told(self, runner: JobRunner, folder: Path) -> None:
        await runner.check()
        one = errand("finish", folder)
        assert (await runner.sight(one.job_id, 1)).sighting is Sighting.UNKNOWN
        await runner.start(one)
        await until(runner, one, Sighting.FINISHED)
        assert "the program began" in await runner.logs(one.job_id, 1)
        assert began(folder) == [f"{one.job_id}.1"]

    async def test_starting_it_twice_or_at_once_begins_it_once(self, runner: JobRunner, folder: Path) -> None:
        one = errand("finish", folder)
        await asyncio.gather(*(runner.start(one) for _ in range(4)))
        await until(runner, one, Sighting.FINISHED)
        await runner.start(one)
        again = one.evolve(handle=errand("refuse", folder).handle)
        await runner.start(again)
        assert (await runner.sight(one.job_id, 1)).sighting is Sighting.FINISHED
        assert began(folder) == [f"{one.job_id}.1"]

    async def test_each_attempt_of_a_job_is_one_of_its_own(self, runner: JobRunner, folder: Path) -> None:
        first = errand("exit", folder)
        await runner.start(first)
        await until(runner, first, Sighting.CRASHED)
        second = errand("finish", folder, job=first.job_id, attempt=2)
        await runner.start(second)
        await until(runner, second, Sighting.FINISHED)
        assert (await runner.sight(first.job_id, 1)).sighting is Sighting.CRASHED

    async def test_one_that_refuses_says_why(self, runner: JobRunner, folder: Path) -> None:
        one = errand("refuse", folder)
        await runner.start(one)
        report = await until(runner, one, *OVER)
        assert report == Report(Sighting.REFUSED, "the key was refused: “401”")

    async def test_a_bug_is_refused_in_a_line_with_its_traceback_in_the_log(
        self, runner: JobRunner, folder: Path
    ) -> None:
        one = errand("break", folder)
        await runner.start(one)
        report = await until(runner, one, *OVER)
        assert report == Report(Sighting.REFUSED, "the worker broke down: RuntimeError: a bug")
        logs = await runner.logs(one.job_id, 1)
        assert "Traceback" in logs
        assert "with more lines" in logs

    @pytest.mark.parametrize(("verb", "told"), [("exit", "exit code 7"), ("die", "SIGKILL")])
    async def test_one_that_breaks_down_has_crashed(
        self, runner: JobRunner, folder: Path, verb: str, told: str
    ) -> None:
        one = errand(verb, folder)
        await runner.start(one)
        report = await until(runner, one, *OVER)
        assert report.sighting is Sighting.CRASHED
        assert told in report.why

    async def test_one_that_runs_for_too_long_ends_itself(self, runner: JobRunner, folder: Path) -> None:
        one = errand("family", folder, seconds=4.0)
        await runner.start(one)
        report = await until(runner, one, *OVER)
        assert (report.sighting, report.why) == (Sighting.CRASHED, "it ran for longer than 4 s")
        assert naming(str(folder)) == set()

    async def test_killing_ends_all_that_it_started(self, runner: JobRunner, folder: Path) -> None:
        one = errand("family", folder)
        await runner.start(one)
        await until_there(folder / "family")
        assert (await runner.sight(one.job_id, 1)).sighting is Sighting.ALIVE
        assert len(naming(str(folder))) >= 3
        await runner.kill(one.job_id, 1)
        assert (await until(runner, one, *OVER)).sighting is Sighting.CRASHED
        assert naming(str(folder)) == set()
        await runner.kill(one.job_id, 1)

    async def test_one_that_was_killed_before_it_came_is_not_begun(
        self, runner: JobRunner, folder: Path
    ) -> None:
        one = errand("finish", folder)
        await runner.kill(one.job_id, 1)
        await runner.start(one)
        report = await until(runner, one, *OVER)
        assert report == Report(Sighting.CRASHED, "it was killed before it began")
        assert began(folder) == []

    async def test_killing_one_that_has_ended_changes_nothing(self, runner: JobRunner, folder: Path) -> None:
        one = errand("finish", folder)
        await runner.start(one)
        await until(runner, one, Sighting.FINISHED)
        await runner.kill(one.job_id, 1)
        assert (await runner.sight(one.job_id, 1)).sighting is Sighting.FINISHED

    async def test_no_more_run_than_there_are_slots(self, runner: JobRunner, folder: Path) -> None:
        first = [errand("until", folder) for _ in range(SLOTS)]
        for one in first:
            await runner.start(one)
        for one in first:
            await until(runner, one, Sighting.ALIVE)
        waiting, unwanted = errand("finish", folder), errand("finish", folder)
        for one in (waiting, unwanted):
            await runner.start(one)
            assert (await runner.sight(one.job_id, 1)).sighting is Sighting.QUEUED
        await runner.kill(unwanted.job_id, 1)
        assert (await runner.sight(unwanted.job_id, 1)).sighting is Sighting.CRASHED
        assert (await runner.sight(waiting.job_id, 1)).sighting is Sighting.QUEUED
        (folder / "go").touch()
        await until(runner, waiting, Sighting.FINISHED)
        assert f"{unwanted.job_id}.1" not in began(folder)

    async def test_what_is_killed_frees_its_slot(self, runner: JobRunner, folder: Path) -> None:
        first = [errand("sleep", folder) for _ in range(SLOTS)]
        for one in first:
            await runner.start(one)
            await until(runner, one, Sighting.ALIVE)
        waiting = errand("finish", folder)
        await runner.start(waiting)
        for one in first:
            await runner.kill(one.job_id, 1)
        await until(runner, waiting, Sighting.FINISHED)

    async def test_a_log_has_an_end_that_can_be_read(self, runner: JobRunner, folder: Path) -> None:
        one = errand("loud", folder)
        await runner.start(one)
        await until(runner, one, Sighting.FINISHED)
        assert len(await runner.logs(one.job_id, 1)) <= 1_000_000
        assert len(await runner.logs(one.job_id, 1, most=100)) == 100
        assert len(await runner.logs(one.job_id, 1, most=50_000_000)) < 6_000_000
        assert await runner.logs(one.job_id, 1, most=0) == ""
        assert await runner.logs(one.job_id, 99) == ""

    async def test_what_is_forgotten_is_not_known(self, runner: JobRunner, folder: Path) -> None:
        one, other = errand("finish", folder), errand("finish", folder)
        for each in (one, other):
            await runner.start(each)
            await until(runner, each, Sighting.FINISHED)
        await runner.forget(one.job_id)
        assert (await runner.sight(one.job_id, 1)).sighting is Sighting.UNKNOWN
        assert await runner.logs(one.job_id, 1) == ""
        assert (await runner.sight(other.job_id, 1)).sighting is Sighting.FINISHED
        await runner.forget(one.job_id)

    async def test_no_handle_is_in_an_environment_or_a_command_line_or_a_log(
        self, runner: JobRunner, folder: Path
    ) -> None:
        one = errand("sleep", folder)
        random = one.handle.split()[-1].encode()
        await runner.start(one)
        await until_there(folder / "began")
        seen = 0
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            for name in ("environ", "cmdline"):
                try:
                    assert random not in (entry / name).read_bytes(), entry
                    seen += 1
                except OSError:
                    continue
        assert seen > 4
        assert random.decode() not in await runner.logs(one.job_id, 1)

    async def test_another_of_the_installation_sees_and_kills_it(
        self, runner: JobRunner, opening: Callable[[], JobRunner], folder: Path
    ) -> None:
        other = opening()
        one = errand("sleep", folder)
        await runner.start(one)
        await until(other, one, Sighting.ALIVE)
        await until_there(folder / "began")
        await other.start(one)
        await other.kill(one.job_id, 1)
        await other.close()
        assert (await until(runner, one, *OVER)).sighting is Sighting.CRASHED
        assert len(began(folder)) == 1
