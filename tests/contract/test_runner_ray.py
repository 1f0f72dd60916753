"""What the Ray runner keeps beside the contract: tokens, what Ray shows, and a head that is gone."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
import pytest

from tests.ray_head import RayHead, ray_head, ray_program
from tests.worker_programs import began, errand, until, until_there
from tracker.adapters.runners.packages import package, tracker_package
from tracker.adapters.runners.ray import RayRunner
from tracker.domain.errors import Unavailable
from tracker.domain.evaluation.jobs.deciding import Report, Sighting

PLAY = "tests.worker_programs:play"


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(mkdtemp(prefix="work"))  # short: its name is in a handle
    yield made
    shutil.rmtree(made, ignore_errors=True)


def ray(url: str, token: str | None = None) -> RayRunner:
    return RayRunner(url, desk_url="http://127.0.0.1:1", token=token, program=PLAY)


def everything(head: RayHead) -> tuple[list[dict[str, Any]], str]:
    """What Ray tells of its jobs, and all of it with their logs as a text."""
    headers = {"Authorization": f"Bearer {head.token}"}
    jobs = httpx.get(f"{head.url}/api/jobs/", headers=headers).json()
    told = json.dumps(jobs)
    for job in jobs:
        if job["submission_id"]:
            told += httpx.get(f"{head.url}/api/jobs/{job['submission_id']}/logs", headers=headers).text
    return jobs, told


def test_a_package_is_called_by_what_is_in_it() -> None:
    one = package({"a": b"1", "b/c": b"2"})
    assert one == package({"b/c": b"2", "a": b"1"})
    assert one.name != package({"a": b"1", "b/c": b"3"}).name
    assert one.uri == f"gcs://{one.name}"
    assert b"tracker/worker/__main__.py" in tracker_package().content


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
@pytest.mark.slow
async def test_a_head_that_does_not_answer_is_out_of_reach(folder: Path, silent: bool) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=5) as server:
        port = server.getsockname()[1]
        if not silent:
            server.close()
        runner = ray(f"http://127.0.0.1:{port}")
        one = errand("finish", folder)
        report = await runner.sight(one.job_id, 1)
        assert report.sighting is Sighting.UNREACHABLE
        assert f"127.0.0.1:{port} does not answer" in report.why
        if not silent:
            for asked in (runner.check(), runner.start(one), runner.kill(one.job_id, 1)):
                with pytest.raises(Unavailable, match="does not answer"):
                    await asked
            await runner.forget(one.job_id)
        await runner.close()
        await runner.close()


async def test_another_server_than_ray_is_out_of_reach(folder: Path) -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(hello, "127.0.0.1", 0) as server:
        runner = ray(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(Unavailable, match="no Ray dashboard"):
            await runner.check()
        assert (await runner.sight(errand("finish", folder).job_id, 1)).sighting is Sighting.UNREACHABLE
        await runner.close()


async def test_a_password_in_the_address_of_a_head_is_told_nowhere(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        runner = ray(f"http://me:hunter2@127.0.0.1:{taken.getsockname()[1]}/")
        one = errand("finish", folder)
        with pytest.raises(Unavailable) as caught:
            await runner.check()
        report = await runner.sight(one.job_id, 1)
        assert "127.0.0.1" in report.why and "hunter2" not in report.why + caught.value.detail
        await runner.close()


@pytest.mark.skipif(ray_program() is None, reason="Ray is not installed (make ray)")
async def test_a_head_of_its_own(folder: Path) -> None:
    """One head for all of it, since one takes ten seconds to come up."""
    with ray_head(1) as head:
        runner = ray(head.url, head.token)
        await _a_wrong_token_is_told(head)
        await _nothing_secret_is_shown(runner, head, folder)
        await _a_waiting_one_that_is_killed_never_begins(runner, folder)
        await _a_head_that_is_killed_is_out_of_reach(runner, head, folder)
        await runner.close()


async def _a_wrong_token_is_told(head: RayHead) -> None:
    for token in (None, "another"):
        stranger = ray(head.url, token)
        with pytest.raises(Unavailable, match="does not take RAY_TOKEN"):
            await stranger.check()
        await stranger.close()


async def _nothing_secret_is_shown(runner: RayRunner, head: RayHead, folder: Path) -> None:
    one = errand("finish", folder, memory_bytes=2**30)
    await runner.start(one)
    await until(runner, one, Sighting.FINISHED)
    jobs, told = everything(head)
    assert str(one.job_id) in told
    assert one.handle.split()[-1] not in told
    assert head.token not in told
    job = next(job for job in jobs if str(one.job_id) in str(job["submission_id"]))
    assert job["entrypoint"] == "exec python -P -m tracker.worker config.json"
    assert "env_vars" not in job["runtime_env"]


async def _a_waiting_one_that_is_killed_never_begins(runner: RayRunner, folder: Path) -> None:
    first, waiting = errand("until", folder), errand("finish", folder)
    await runner.start(first)
    await until(runner, first, Sighting.ALIVE)
    await runner.start(waiting)
    await runner.kill(waiting.job_id, 1)
    killed = Report(Sighting.CRASHED, "it was killed before it began")
    assert await runner.sight(waiting.job_id, 1) == killed
    await runner.start(waiting)
    (folder / "go").touch()
    await until(runner, first, Sighting.FINISHED)
    last = errand("finish", folder)
    await runner.start(last)
    await until(runner, last, Sighting.FINISHED)
    assert (await runner.sight(waiting.job_id, 1)).sighting is Sighting.CRASHED
    assert f"{waiting.job_id}.1" not in began(folder)
    (folder / "go").unlink()


async def _a_head_that_is_killed_is_out_of_reach(runner: RayRunner, head: RayHead, folder: Path) -> None:
    one = errand("sleep", folder)
    (folder / "began").unlink()
    await runner.start(one)
    await until_there(folder / "began")
    worker = int((folder / "began").read_text().split()[1])
    head.kill()
    assert (await runner.sight(one.job_id, 1)).sighting is Sighting.UNREACHABLE
    with pytest.raises(Unavailable):
        await runner.start(errand("finish", folder))
    # Ray lets no entrypoint outlive the process that watches it.
    for _ in range(600):
        if not Path(f"/proc/{worker}").exists():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the worker outlived the cluster")
