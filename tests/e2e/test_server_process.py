"""Real server processes: how they start, share work, meet a full disk, and end."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import ServerProcess, clean_environment

pytestmark = pytest.mark.slow  # processes of its own, for many seconds


def new_run(client: httpx.Client) -> str:
    """The id of a new experiment in a new project."""
    project = client.post("/api/projects", json={"name": "p"}).raise_for_status().json()
    body = {"projectId": project["id"], "name": "a"}
    return client.post("/api/experiments", json=body).raise_for_status().json()["id"]


def log(client: httpx.Client, run: str, step: int) -> httpx.Response:
    return client.post(f"/api/scalars/log/{run}", json={"scalars": {"loss": step}, "step": step})


def kept_steps(client: httpx.Client, run: str) -> list[int]:
    query = {"max_points": 100_000}
    (entry,) = client.get(f"/api/scalars/get/{run}", params=query).raise_for_status().json()["data"]
    return entry["scalars"]["loss"]["x"] if entry["scalars"] else []


def cli(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracker", *words, "--data", str(folder)],
        cwd=folder.parent, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_after_it_answered_what_it_accepted(tmp_path: Path, number: signal.Signals):
    body = b'{"scalars": {"loss": 0.25}, "step": 7}'
    with ServerProcess(tmp_path / "data") as server, server.client() as client:
        run = new_run(client)
        head = (
            f"POST /api/scalars/log/{run} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        address = (client.base_url.host, client.base_url.port)
        with socket.create_connection(address, timeout=30) as connection:
            connection.sendall(head.encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # a responder now waits for the body
            server.process.send_signal(number)
            while accepts(address):
                time.sleep(0.01)
            connection.sendall(body)
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        assert server.ended() == 0
        assert not [line for line in server.log if '"level":"error"' in line]
    with ServerProcess(tmp_path / "data") as server, server.client() as client:
        assert kept_steps(client, run) == [7]


def accepts(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def test_what_a_killed_server_acknowledged_is_there_after_a_restart(tmp_path: Path):
    acknowledged: list[int] = []
    with ServerProcess(tmp_path / "data") as server, server.client() as client:
        run = new_run(client)

        def write() -> None:
            with suppress(httpx.HTTPError):
                for step in range(100_000):
                    log(client, run, step).raise_for_status()
                    acknowledged.append(step)

        writer = threading.Thread(target=write)
        writer.start()
        while len(acknowledged) < 50:
            time.sleep(0.01)
        assert server.ended(signal.SIGKILL) == -signal.SIGKILL
        writer.join()
    with ServerProcess(tmp_path / "data") as server, server.client() as client:
        kept = kept_steps(client, run)
        assert kept[: len(acknowledged)] == acknowledged
        assert len(kept) <= len(acknowledged) + 1  # the one that was under way may be there too
        assert client.get(f"/api/experiments/{run}").status_code == 200


def test_several_workers_serve_one_folder_and_a_killed_one_is_replaced(tmp_path: Path):
    with ServerProcess(tmp_path / "data", "--workers", "3") as server, server.client() as client:
        run = new_run(client)
        address = str(client.base_url)

        def one(step: int) -> None:
            with httpx.Client(
                base_url=address, timeout=60
            ) as own:  # a connection each: any worker may take it
                log(own, run, step).raise_for_status()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(60)))
        with httpx.Client(base_url=address, timeout=60) as own:
            assert kept_steps(own, run) == list(range(60))
        victim = workers_of(server)[0]
        subprocess.run(["kill", "-KILL", str(victim)], check=True)
        while victim in workers_of(server) or len(workers_of(server)) < 3:
            time.sleep(0.1)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(60, 90)))
        assert server.ended(signal.SIGTERM) == 0
    with ServerProcess(tmp_path / "data") as server, server.client() as client:
        assert kept_steps(client, run) == list(range(90))


def workers_of(server: ServerProcess) -> list[int]:
    """Ids of the worker processes."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    spawned = [int(child) for child in children]
    return [child for child in spawned if b"spawn_main" in command_line(child)]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_processes_that_race_to_open_a_fresh_folder_all_find_it_ready(tmp_path: Path):
    data = tmp_path / "data"
    with (
        ServerProcess(data) as one,
        ServerProcess(data) as other,
        ServerProcess(data, "--workers", "2") as third,
    ):
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda name: cli(data, "project", "create", name), "abcd"))
        assert [done.returncode for done in made] == [0] * 4, [done.stderr for done in made]
        for server in (one, other, third):
            with server.client() as client:
                assert client.get("/api/health/ready").status_code == 200
                assert sorted(each["name"] for each in client.get("/api/projects").json()) == list("abcd")
            assert server.ended(signal.SIGTERM) == 0
    assert cli(data, "db", "check").returncode == 0


def test_a_full_disk_is_answered_503_and_loses_nothing_that_was_acknowledged(tmp_path: Path):
    with ServerProcess(tmp_path / "data") as server, server.client() as client:
        run = new_run(client)
        server.resize_files(1 << 20)
        text = {"description": "x" * 900}
        filled = fill(
            lambda: client.patch(f"/api/experiments/{run}", json={**text, "gitDiff": "y" * 100_000})
        )
        assert filled.status_code == 503 and filled.json()["code"] == "unavailable"
        logged = 0

        def log_many() -> httpx.Response:
            nonlocal logged
            rows = [{"scalars": {"loss": step / 7}, "step": step} for step in range(logged, logged + 2000)]
            answer = client.post(f"/api/scalars/log_batch/{run}", json={"scalars": rows})
            logged += 2000 if answer.is_success else 0
            return answer

        assert fill(log_many).status_code == 503
        assert client.get("/api/health").status_code == 200
        assert kept_steps(client, run) == list(range(logged))
        server.resize_files(1 << 30)
        assert log_many().status_code == 200
        assert (
            client.patch(f"/api/experiments/{run}", json={"description": "there is room"}).status_code == 200
        )
        assert kept_steps(client, run) == list(range(logged))
        assert server.ended(signal.SIGTERM) == 0


def fill(write) -> httpx.Response:
    """The first answer that is no success."""
    for _ in range(400):
        answer = write()
        if not answer.is_success:
            return answer
    raise AssertionError("the disk was never full")


def test_readiness_names_migrations_once_the_schema_was_moved_under_it(tmp_path: Path):
    data = tmp_path / "data"
    with ServerProcess(data) as server, server.client() as client:
        assert client.get("/api/health/ready").status_code == 200
        assert cli(data, "db", "downgrade").returncode == 0
        answer = client.get("/api/health/ready")
        assert answer.status_code == 503
        assert answer.json()["detail"].startswith("not ready: migrations: ")
        assert "tracker db upgrade" in answer.json()["detail"]
        assert client.get("/api/v1/datasets/").status_code == 503
        assert cli(data, "db", "upgrade").returncode == 0
        assert client.get("/api/health/ready").status_code == 200


def test_readiness_names_the_scalars_whose_folder_is_gone(tmp_path: Path):
    data = tmp_path / "data"
    with ServerProcess(data) as server, server.client() as client:
        (data / "scalars").write_text("a file in the place of the folder")
        answer = client.get("/api/health/ready")
        assert answer.status_code == 503 and answer.json()["detail"].startswith("not ready: scalars: ")


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_database_newer_than_the_code_is_refused_with_one_line(tmp_path: Path, workers: str):
    data = tmp_path / "data"
    assert cli(data, "db", "upgrade").returncode == 0
    with closing(sqlite3.connect(data / "tracker.db", isolation_level=None)) as database:
        database.execute("UPDATE db_metadata SET version = 99")
    with ServerProcess(data, "--workers", workers) as server:
        assert server.ended() == 3
        (told,) = [line for line in server.log if "schema 99" in line]
        assert "pip install --upgrade tracker" in told
        assert "Traceback" not in "".join(server.log)


def test_a_port_that_is_taken_is_told_in_one_line(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for workers in ("1", "2"):
            done = cli(tmp_path / "data", "server", "--port", port, "--workers", workers)
            assert done.returncode == 3
            assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
            assert len(done.stderr.splitlines()) == 1
