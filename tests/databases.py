"""A PostgreSQL server for tests: the one that TEST_DATABASE_URL names, or a throw-away one."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

__all__ = ["empty_sqlite_file", "fresh_postgres_database", "throwaway_postgres"]


def _program(name: str) -> str | None:
    found = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    return shutil.which(name) or (max(found) if found else None)


def _as_server_user(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "nobody")  # PostgreSQL refuses to run as root
    return ["setpriv", "--reuid=nobody", "--clear-groups"]


@contextmanager
def throwaway_postgres(folder: Path) -> Iterator[str | None]:
    """Runs a server in `folder`; gives its URL, or ``None`` when PostgreSQL is not installed."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if not (initdb and postgres):
        yield None
        return
    prefix = _as_server_user(folder)
    data = folder / "data"
    subprocess.run(
        [*prefix, initdb, "-D", data, "-U", "tracker", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = ["-p", str(port), "-h", "127.0.0.1", "-k", "", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*prefix, postgres, "-D", data, *options], stderr=log, stdout=log, cwd="/")
    try:
        _wait_until_it_listens(port)
        yield f"postgresql://tracker@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_it_listens(port: int) -> None:
    async def knock() -> None:
        for _ in range(200):
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


async def _create(server: str, name: str, template: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()


def empty_sqlite_file(url: str) -> str:
    """The same URL, once its file is gone."""
    file = Path(url.partition(":///")[2])
    for path in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)
    return url
