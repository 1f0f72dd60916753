"""What a server does once, between opening everything and its first request."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from entrypoints.http.app import create_app
from entrypoints.http.scalars.app import create_scalars_app
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.system.clock import SystemClock
from tracker.adapters.system.ids import UuidV7Generator
from tracker.container import build
from tracker.settings import Settings

ROOT = Path(__file__).parents[2]


def tracker(folder: Path, at_start: Callable[[], object]) -> Any:
    return create_app(build(Settings(data=folder, database_url=f"sqlite:///{folder}/a.db")), at_start)


def scalars_service(folder: Path, at_start: Callable[[], object]) -> Any:
    return create_scalars_app(MemoryScalarStore(), SystemClock(), UuidV7Generator(), at_start=at_start)


@pytest.mark.parametrize("made", [tracker, scalars_service])
async def test_it_is_called_when_all_is_open_and_nobody_is_answered_yet(
    tmp_path: Path, made: Callable[[Path, Callable[[], object]], Any]
) -> None:
    events: list[str] = []
    app = made(tmp_path, lambda: events.append("called"))
    told = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> dict[str, str]:
        return {"type": next(told)}

    async def send(event: dict[str, str]) -> None:
        events.append(event["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}, receive, send)
    assert events == ["called", "lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize(
    "made", ["entrypoints.http.server.create_configured_app()", "entrypoints.http.asgi.app"]
)
@pytest.mark.slow
def test_a_server_process_settles_its_garbage(tmp_path: Path, made: str) -> None:
    """In a process of its own: it takes over the logging of the one it is in."""
    program = (
        "import entrypoints.http.asgi, entrypoints.http.server, entrypoints.http.garbage\n"
        f"assert {made}._at_start is entrypoints.http.garbage.spare_what_stays"
    )
    environ = {**os.environ, "TRACKER_DATA": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environ, timeout=60, check=True)
