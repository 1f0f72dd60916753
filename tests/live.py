"""ASGI applications on real sockets, and services that fail in real ways."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import uvicorn

from entrypoints.http.scalars.app import create_scalars_app
from tracker.adapters.system.clock import SystemClock
from tracker.adapters.system.ids import UuidV7Generator
from tracker.ports.scalars import ScalarStore

__all__ = ["LiveApp", "LiveScalars"]


class _Prompt(uvicorn.Server):
    """Looks more often whether it should stop: hundreds of tests wait for it."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not await self.on_tick(1):
            await asyncio.sleep(0.02)


class LiveApp:
    """uvicorn in a thread; `url` is where it answers."""

    def __init__(self, app: Any, port: int = 0, **options: Any) -> None:
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, lifespan="on", log_config=None, ws="none", access_log=False,
            timeout_graceful_shutdown=20, **options,
        )  # fmt: skip
        self._server = _Prompt(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stops it and waits."""
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()


class LiveScalars(LiveApp):
    """A scalars service over a store."""

    def __init__(self, store: ScalarStore, *, key: str | None = None, port: int = 0) -> None:
        super().__init__(create_scalars_app(store, SystemClock(), UuidV7Generator(), key=key), port)
