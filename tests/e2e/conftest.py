"""A real server on a real socket, over a folder and a database of its own."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

import tracker
from entrypoints.http.app import create_app
from tests.databases import GIVEN, drop_database, fresh_postgres_database
from tracker.adapters.sql import migrations
from tracker.container import build
from tracker.settings import Settings
from tracker.trust import trust_for


class LiveServer:
    """uvicorn in a thread; `url` is where it answers, `data` its folder."""

    def __init__(self, settings: Settings) -> None:
        self.data = settings.data
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


class Databases:
    """The database of each folder: SQLite in it, or one on the server that TEST_DATABASE_URL names."""

    def __init__(self) -> None:
        self._made: dict[Path, str] = {}

    def settings(self, folder: Path, **others: object) -> Settings:
        """Settings of a server over `folder`."""
        if folder not in self._made:
            self._made[folder] = self._new(folder)
        own = {"data": folder, "database_url": self._made[folder], "max_body_bytes": 2**20}
        return Settings(**{**own, **others})

    def drop(self) -> None:
        """Removes those on the server."""
        for url in self._made.values():
            if GIVEN.startswith("postgres"):
                drop_database(GIVEN, url)

    def _new(self, folder: Path) -> str:
        if not GIVEN.startswith("postgres"):
            return f"sqlite:///{folder}/tracker.db"
        url = fresh_postgres_database(GIVEN, f"t_{uuid.uuid4().hex[:12]}")
        migrations.upgrade(url)
        return url


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The databases of all servers."""
    made = Databases()
    yield made
    made.drop()


@pytest.fixture
def start_server(databases: Databases) -> Iterator[ServerFactory]:
    """Starts servers over a folder, and stops them after the test."""
    running: list[LiveServer] = []

    def start(folder: Path, **others: object) -> LiveServer:
        running.append(LiveServer(databases.settings(folder, **others)))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for tests that do not look at each other's projects."""
    origins = ("https://ui.example",)
    live = LiveServer(databases.settings(tmp_path_factory.mktemp("server"), allowed_origins=origins))
    yield live
    live.stop()


@pytest.fixture(scope="session")
def team_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamServer]:
    """One server with an administrator, for tests that do not look at each other's things."""
    folder = tmp_path_factory.mktemp("team")
    with tracker.open(folder) as library:
        admin = library.users.create("root@example.org", PASSWORD, is_superuser=True).email
    url = f"sqlite:///{folder}/tracker.db"
    live = LiveServer(Settings(data=folder, database_url=url, max_body_bytes=2**20, auth="required"))
    login = {"username": admin, "password": PASSWORD}
    session = httpx.post(f"{live.url}/api/auth/jwt/login", data=login).json()["access_token"]
    yield TeamServer(live.url, folder, admin, session)
    live.stop()


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    """A client of the shared server."""
    with httpx.Client(base_url=server.url, timeout=30, verify=trust_for(server.url)) as http:
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
