"""A real server on a real socket, over a folder of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

import tracker
from entrypoints.http.app import create_app
from tracker.container import build
from tracker.settings import Settings


class LiveServer:
    """uvicorn in a thread; `url` is where it answers."""

    def __init__(self, settings: Settings) -> None:
        config = uvicorn.Config(
            create_app(build(settings)), host="127.0.0.1", port=0, lifespan="on", log_config=None, ws="none",
            access_log=False, proxy_headers=False, timeout_graceful_shutdown=20,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def request_stop(self) -> None:
        """What SIGTERM does."""
        self._server.should_exit = True

    def stop(self) -> None:
        """Stops it and waits."""
        self.request_stop()
        self._thread.join(30)
        assert not self._thread.is_alive()


PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class TeamServer:
    """A server that lets nobody in without credentials.

    Attributes:
        url: where it answers.
        data: its folder.
        admin: e-mail of its administrator, whose password is :data:`PASSWORD`.
        session: a session token of theirs.
    """

    url: str
    data: Path
    admin: str
    session: str


ServerFactory = Callable[..., LiveServer]


def folder_settings(folder: Path, **others: object) -> Settings:
    return Settings(
        data=folder, database_url=f"sqlite:///{folder}/tracker.db", max_body_bytes=2**20, **others
    )


@pytest.fixture
def start_server() -> Iterator[ServerFactory]:
    """Starts servers over a folder, and stops them after the test."""
    running: list[LiveServer] = []

    def start(folder: Path, **others: object) -> LiveServer:
        running.append(LiveServer(folder_settings(folder, **others)))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for tests that do not look at each other's projects."""
    live = LiveServer(
        folder_settings(tmp_path_factory.mktemp("server"), allowed_origins=("https://ui.example",))
    )
    yield live
    live.stop()


@pytest.fixture(scope="session")
def team_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamServer]:
    """One server with an administrator, for tests that do not look at each other's things."""
    folder = tmp_path_factory.mktemp("team")
    with tracker.open(folder) as library:
        admin = library.users.create("root@example.org", PASSWORD, is_superuser=True).email
    live = LiveServer(folder_settings(folder, auth="required"))
    login = {"username": admin, "password": PASSWORD}
    session = httpx.post(f"{live.url}/api/auth/jwt/login", data=login).json()["access_token"]
    yield TeamServer(live.url, folder, admin, session)
    live.stop()


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    """A client of the shared server."""
    with httpx.Client(base_url=server.url, timeout=30) as http:
        yield http


@pytest.fixture
def project(client: httpx.Client) -> dict[str, object]:
    """A fresh project."""
    return client.post("/api/projects", json={"name": "digits"}).json()


@pytest.fixture
def experiment(client: httpx.Client, project: dict[str, object]) -> dict[str, object]:
    """A fresh experiment in it."""
    body = {"projectId": project["id"], "name": "1_baseline", "features": {"optimizer": {"lr": 0.1}}}
    return client.post("/api/experiments", json=body).json()
