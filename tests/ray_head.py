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
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import httpx

__all__ = ["RayHead", "free_ports", "ray_head", "ray_program"]

_ROOT = Path(__file__).resolve().parents[1]
_PORTS = (
    "node-manager-port", "object-manager-port", "runtime-env-agent-port", "dashboard-agent-grpc-port",
    "dashboard-agent-listen-port", "metrics-export-port", "ray-client-server-port",
)  # fmt: skip


def ray_program() -> Path | None:
    """The program ``ray`` of this environment; ``None`` where it is not installed."""
    found = Path(sys.executable).with_name("ray")
    return found if found.exists() else None


class RayHead:
    """A head on this machine, which can be killed and started again at the same address.

    Args:
        cpus: processors that it has to give away.

    Attributes:
        folder: where it keeps its files.
        url: of its dashboard.
        token: that it asks everybody for.
    """

    def __init__(self, cpus: int) -> None:
        program = ray_program()
        assert program is not None
        self.folder = Path(mkdtemp(prefix="ray"))  # short: sockets are in it
        port, dashboard, *others = free_ports(2 + len(_PORTS))
        self.url = f"http://127.0.0.1:{dashboard}"
        self.token = "t" + os.urandom(24).hex()
        self._process: subprocess.Popen[bytes] | None = None
        self._command = [
            program, "start", "--head", "--block", f"--num-cpus={cpus}", "--node-ip-address=127.0.0.1",
            f"--port={port}", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}",
            *(f"--{name}={number}" for name, number in zip(_PORTS, others, strict=True)),
            f"--temp-dir={self.folder}", "--disable-usage-stats", "--include-dashboard=true",
            f"--object-store-memory={80 * 2**20}",
        ]  # fmt: skip
        self._environment = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TRACKER_"))
            },
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(_ROOT),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token,
            "RAY_DISABLE_DOCKER_CPU_WARNING": "1",
        }

    def start(self) -> None:
        """Returns when it takes jobs."""
        log = self.folder / "head.log"
        with log.open("wb") as written:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=written, stderr=written,
                start_new_session=True, cwd=self.folder,
            )  # fmt: skip
        for _ in range(600):
            assert self._process.poll() is None, log.read_text()
            try:
                # A job can be taken when the agent of the head has come up, which is last.
                headers = {"Authorization": f"Bearer {self.token}"}
                if httpx.get(f"{self.url}/api/jobs/", headers=headers).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise TimeoutError(f"Ray did not start: {log.read_text()}")

    def kill(self) -> None:
        """Ends all of its processes at once; those that watch jobs notice by themselves."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)

    def remove(self) -> None:
        """Kills whatever is left of it, and its files."""
        self.kill()
        _kill_rest(str(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def ray_head(cpus: int) -> Iterator[RayHead]:
    """A head that runs."""
    head = RayHead(cpus)
    try:
        head.start()
        yield head
    finally:
        head.remove()


def _kill_rest(folder: str) -> None:
    """Processes of Ray that lead sessions of their own name its folder."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and folder.encode() in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
