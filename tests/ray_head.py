"""A Ray head of its own, on this machine alone."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import httpx

__all__ = ["RayHead", "ray_head", "ray_program"]

_ROOT = Path(__file__).resolve().parents[1]


def ray_program() -> Path | None:
    """The program ``ray`` of this environment; ``None`` where it is not installed."""
    found = Path(sys.executable).with_name("ray")
    return found if found.exists() else None


class RayHead:
    """A head that runs.

    Attributes:
        url: of its dashboard.
        token: that it asks for.
    """

    def __init__(self, url: str, token: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.token = token
        self._process = process

    def kill(self) -> None:
        """Ends all of its processes at once."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._process.wait(20)


@contextmanager
def ray_head(cpus: int) -> Iterator[RayHead]:
    """A head with so many processors, whose token is asked of everybody."""
    program = ray_program()
    assert program is not None
    folder = mkdtemp(prefix="ray")  # short: sockets are in it
    port, dashboard, *others = _free_ports(12)
    token = "t" + os.urandom(24).hex()
    names = (
        "node-manager-port", "object-manager-port", "runtime-env-agent-port", "dashboard-agent-grpc-port",
        "dashboard-agent-listen-port", "metrics-export-port", "ray-client-server-port",
    )  # fmt: skip
    command = [
        program, "start", "--head", "--block", f"--num-cpus={cpus}", "--node-ip-address=127.0.0.1",
        f"--port={port}", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}",
        *(f"--{name}={number}" for name, number in zip(names, others, strict=False)),
        f"--temp-dir={folder}", "--disable-usage-stats", "--include-dashboard=true",
        f"--object-store-memory={80 * 2**20}",
    ]  # fmt: skip
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TRACKER_"))},
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(_ROOT),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_DISABLE_DOCKER_CPU_WARNING": "1",
    }
    with Path(folder, "head.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=folder
        )
    head = RayHead(f"http://127.0.0.1:{dashboard}", token, process)
    try:
        _wait_until_it_answers(head, process, Path(folder, "head.log"))
        yield head
    finally:
        head.kill()
        _kill_rest(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_it_answers(head: RayHead, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            # A job can be taken when the agent of the head has come up, which is last.
            answer = httpx.get(f"{head.url}/api/jobs/", headers={"Authorization": f"Bearer {head.token}"})
            if answer.is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"Ray did not start: {log.read_text()}")


def _kill_rest(folder: str) -> None:
    """Processes of Ray that lead sessions of their own name its folder."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and folder.encode() in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
