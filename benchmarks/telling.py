"""What the time of an answer tells a stranger: who has an account, and what exists.

Run: ``python benchmarks/telling.py [--reads 1000]``. One server that requires credentials, asked over HTTP
by turns for what is there and for what is not. Times are medians in milliseconds; the spread is the median
distance from the median, so a difference well below it tells nothing by a single try.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

from server_load import free_port, serving, uvicorn_command

from tracker.container import build, start, stop
from tracker.domain.identity.actor import Actor, local_actor
from tracker.settings import Settings

PEOPLE = 5
PASSWORD = "correct horse battery"
PAUSE = 0.03  # seconds, in which letters are written that were asked for


async def furnish(settings: Settings, count: int) -> tuple[list[str], str]:
    """People, experiments of one of them, and a session of another: their ids and that session's token."""
    container = build(settings)
    await start(container)
    container.signing_keys().ensure(container.clock().now())
    root = local_actor("benchmark")
    users = [
        await container.accounts().create(root, f"user{number}@example.org", PASSWORD)
        for number in range(PEOPLE)
    ]
    owner = Actor(user_id=users[0].id)
    project = await container.projects().create(owner, name="hidden")
    runs = [await container.experiments().create(owner, project.id, name="hidden") for _ in range(count)]
    session = await container.sessions().open(users[1], address="", how="benchmark")
    await stop(container)
    return [str(run.id) for run in runs], session


class Client:
    """A keep-alive connection; this folder's ``http.py`` hides the module that real clients need."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._answers = self._socket.makefile("rb")
        self._token = token

    def timed(self, status: int, method: str, path: str, media: str = "json", **fields: str) -> float:
        """Milliseconds until the answer, which must have this status."""
        body = (urlencode(fields) if media == "x-www-form-urlencoded" else json.dumps(fields)).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n"
        head += f"Content-Type: application/{media}\r\nContent-Length: {len(body)}\r\n\r\n"
        begun = time.perf_counter()
        self._socket.sendall(head.encode() + body)
        line = self._answers.readline()
        length = 0
        while (header := self._answers.readline().strip().lower()) != b"":
            name, _, value = header.partition(b":")
            length = int(value) if name == b"content-length" else length
        answer = self._answers.read(length)
        taken = (time.perf_counter() - begun) * 1000
        if int(line.split()[1]) != status:
            raise RuntimeError(f"{line!r} {answer!r}")
        return taken


def show(title: str, there: Sequence[float], missing: Sequence[float]) -> None:
    """Prints a row of the table."""
    one, other = statistics.median(there), statistics.median(missing)
    spread = statistics.median(abs(each - other) for each in missing)
    print(f"{title:<36}{one:>9.2f}{other:>9.2f}{one - other:>+9.2f}{spread:>9.2f}")


LOGIN, REGISTER, RESET = "/api/auth/jwt/login", "/api/auth/register", "/api/auth/forgot-password"


def of_accounts(client: Client) -> None:
    """Asks for accounts that are there and for some that are not, by turns."""
    form, wrong = "x-www-form-urlencoded", "not the password"
    cases = {
        "login with a wrong password": (
            9,
            lambda who: client.timed(400, "POST", LOGIN, form, username=who, password=wrong),
            lambda who: client.timed(400, "POST", LOGIN, form, username=who, password=wrong),
        ),
        "register": (
            8,
            lambda who: client.timed(400, "POST", REGISTER, email=who, password=PASSWORD),
            lambda who: client.timed(201, "POST", REGISTER, email=who, password=PASSWORD),
        ),
        "forgotten password": (
            5,
            lambda who: client.timed(202, "POST", RESET, email=who),
            lambda who: client.timed(202, "POST", RESET, email=who),
        ),
    }
    for title, (tries, known, unknown) in cases.items():  # as many as the limits allow
        there, missing = [], []
        for number in range(PEOPLE * tries):
            for who, ask, found in (
                (f"user{number % PEOPLE}", known, there),
                (f"nobody{uuid4().hex}", unknown, missing),
            ):
                time.sleep(PAUSE)
                found.append(ask(f"{who}@example.org"))
        show(title, there, missing)


def of_experiments(client: Client, hidden: Sequence[str]) -> None:
    """Asks for experiments that one may not see and for such that are not there, by turns."""
    nowhere = [str(uuid4()) for _ in hidden]
    for title, method, fields in (
        ("GET an experiment of others", "GET", {}),
        ("the same again", "GET", {}),
        ("PATCH it", "PATCH", {"name": "mine"}),
        ("DELETE it", "DELETE", {}),
    ):
        there, missing = [], []
        for one, other in zip(hidden, nowhere, strict=True):
            there.append(client.timed(404, method, f"/api/experiments/{one}", **fields))
            missing.append(client.timed(404, method, f"/api/experiments/{other}", **fields))
        show(title, there, missing)


def run(reads: int) -> None:
    """Measures everything and prints a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(database_url=f"sqlite:///{folder}/tracker.db", data=folder)
        hidden, session = asyncio.run(furnish(settings, reads))
        environ = {"DATABASE_URL": settings.database_url, "TRACKER_DATA": name, "TRACKER_AUTH": "required",
                   "TRACKER_REQUESTS_PER_MINUTE": "100000000"}  # fmt: skip
        port = free_port()
        with serving(uvicorn_command("entrypoints.http.asgi:app", port), folder, port, **environ):
            client = Client(port, session)
            print(f"{'':<36}{'there':>9}{'missing':>9}{'apart':>9}{'spread':>9}")
            of_accounts(client)
            of_experiments(client, hidden)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=1000)
    run(parser.parse_args().reads)
