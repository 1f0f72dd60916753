"""The endpoint as a server: in a thread of the test, or in a process that can be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.endpoint.misbehaving import AbortableProtocol, MisbehavingEndpoint
from tests.live import LiveApp

__all__ = ["EndpointProcess", "LiveEndpoint"]

_ROOT = Path(__file__).parents[2]


class LiveEndpoint(LiveApp):
    """In a thread; `endpoint` is told what to do and says what it was asked.

    Args:
        options: of :class:`MisbehavingEndpoint`.
    """

    def __init__(self, **options: Any) -> None:
        self.endpoint = MisbehavingEndpoint(**options)
        super().__init__(self.endpoint, http=AbortableProtocol)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"


class EndpointProcess:
    """In a process of its own, which listens on one port, however often it is killed and started again.

    Args:
        paid: a file that says, a line each, which rows were paid for.
        seconds: that an answer takes.
        key: that it wants.
    """

    def __init__(self, paid: Path | None = None, *, seconds: float = 0.001, key: str | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self._command = [
            sys.executable,
            "-m",
            "tests.endpoint",
            str(self.port),
            str(seconds),
            str(paid or ""),
        ]
        self._command += [] if key is None else [key]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it listens."""
        self._process = subprocess.Popen(
            self._command, cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT)}
        )
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError("the endpoint did not start") from None
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("the endpoint did not start")

    def kill(self) -> None:
        """At once, whatever it does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(20)

    stop = kill

    def __enter__(self) -> EndpointProcess:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
