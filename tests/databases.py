"""A PostgreSQL server for tests: the one that TEST_DATABASE_URL names, or a throw-away one.

``python -m tests.databases COMMAND...`` runs a command beside a throw-away server that
TEST_DATABASE_URL names.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from tests.temporary import use_memory

__all__ = [
    "GIVEN",
    "PostgresServer",
    "drop_database",
    "empty_sqlite_file",
    "fresh_postgres_database",
    "own_postgres",
    "throwaway_postgres",
]


def _given() -> str:
    url = os.environ.get("TEST_DATABASE_URL", "")
    if url and not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("TEST_DATABASE_URL must be sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    return url


GIVEN = _given()
"""The database that TEST_DATABASE_URL names; empty for the default ones."""


def _program(name: str) -> str | None:
    found = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    return shutil.which(name) or (max(found) if found else None)


def _as_server_user(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "nobody")  # PostgreSQL refuses to run as root
    return ["setpriv", "--reuid=nobody", "--clear-groups"]


class PostgresServer:
    """A server of its own in `folder`, which can be stopped, killed and started again.

    Args:
        folder: empty.
        initdb, postgres: the programs.
        fsync: whether what is committed outlives a power cut; tests need not wait for it.
    """

    def __init__(self, folder: Path, initdb: str, postgres: str, *, fsync: bool = False) -> None:
        self._folder, self._postgres, self._fsync = folder, postgres, fsync
        self._prefix = _as_server_user(folder)
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run(
            [*self._prefix, initdb, "-D", folder / "data", "-U", "tracker", "-A", "trust", "-E", "UTF8",
             "--locale=C", "-N"],
            check=True,
            capture_output=True,
            cwd="/",
        )  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.url = f"postgresql://tracker@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Returns when it answers."""
        options = ["-p", str(self._port), "-h", "127.0.0.1", "-k", "", "-c", f"fsync={self._fsync}"]
        command = [*self._prefix, self._postgres, "-D", str(self._folder / "data"), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, stdout=log, cwd="/", start_new_session=True)
        _wait_until_it_listens(self._port)

    def stop(self, by: signal.Signals = signal.SIGINT) -> None:
        """Ends it: SIGINT ends every session first, SIGQUIT and SIGKILL are crashes."""
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(30)
            self._process = None


@contextmanager
def own_postgres(folder: Path, *, fsync: bool = False) -> Iterator[PostgresServer | None]:
    """A running server in `folder`; ``None`` when PostgreSQL is not installed."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if not (initdb and postgres):
        yield None
        return
    server = PostgresServer(folder, initdb, postgres, fsync=fsync)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def throwaway_postgres(folder: Path) -> Iterator[str | None]:
    """Runs a server in `folder`; gives its URL, or ``None`` when PostgreSQL is not installed."""
    with own_postgres(folder) as server:
        yield None if server is None else server.url


def _wait_until_it_listens(port: int) -> None:
    async def knock() -> None:
        for _ in range(400):
            try:
                connection = await asyncpg.connect(f"postgresql://tracker@127.0.0.1:{port}/postgres")
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
            else:
                return await connection.close()
        raise TimeoutError("PostgreSQL did not start")

    asyncio.run(knock())


def fresh_postgres_database(server: str, name: str, template: str = "template1") -> str:
    """The URL of a new database on `server`, a copy of `template`."""
    asyncio.run(_create(server, name, template))
    return f"{server.rpartition('/')[0]}/{name}"


def drop_database(server: str, url: str) -> None:
    """Removes a database from `server`, whoever is still connected."""
    asyncio.run(_drop(server, url.rpartition("/")[2]))


async def _drop(server: str, name: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def _create(server: str, name: str, template: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        # To copy its files is cheaper than to log each of its pages. Before 15 there is no other way.
        strategy = "STRATEGY file_copy" if connection.get_server_version().major >= 15 else ""
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {strategy}')
    finally:
        await connection.close()


def empty_sqlite_file(url: str) -> str:
    """The same URL, once its file is gone; parallel processes of pytest have a file each."""
    url += os.environ.get("PYTEST_XDIST_WORKER", "")
    file = Path(url.partition(":///")[2])
    for path in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)
    return url


def main() -> int:
    """The exit code of the command that stands in the arguments."""
    use_memory()
    with TemporaryDirectory(prefix="tracker-postgres-") as folder, throwaway_postgres(Path(folder)) as url:
        if url is None:
            sys.exit("PostgreSQL is not installed (initdb and postgres)")
        return subprocess.run(
            sys.argv[1:], env={**os.environ, "TEST_DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
