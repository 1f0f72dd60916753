"""Requests a second and p99 of the server's hot paths, beside a bare Falcon app in the same run.

Run: ``python benchmarks/http.py [--seconds 3] [--rounds 3]``. Every server has a process of its own,
and so has the load: 16 keep-alive connections over raw sockets. PostgreSQL joins when ``initdb`` is
installed. Each number is the median of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from server_load import BARE, ROOT, created, free_port, measured, request_bytes, serving, uvicorn_command

from tracker.container import build, start, stop
from tracker.domain.identity.actions import ALL_ACTIONS
from tracker.domain.identity.actor import Actor, local_actor
from tracker.domain.identity.roles import Role
from tracker.settings import Settings

CONNECTIONS = 16
Case = tuple[str, int, list[bytes]]
"""What is asked, of which port, on each connection."""


def cases(port: int, team: str | None, tokens: list[str | None]) -> list[Case]:
    """The hot paths of a running server, each connection with a token and an experiment of its own."""
    new_project = {"name": "benchmark", "settings": {"namingPattern": ""}, "teamId": team}
    project = created(port, "/api/projects", new_project, tokens[0])
    features = {"optimizer": {"name": "adam", "lr": 0.001}, "width": 64}
    new = {"projectId": project, "name": "run", "features": features, "tags": ["a"]}
    runs = [created(port, "/api/experiments", new, token) for token in tokens]
    scalars = {"scalars": {f"train/loss_{k}": k * 0.37 for k in range(20)}, "step": 1}
    pairs = list(zip(runs, tokens, strict=True))
    return [
        (
            "GET experiment",
            port,
            [request_bytes("GET", f"/api/experiments/{run}", token=token) for run, token in pairs],
        ),
        (
            "POST scalars/log x20",
            port,
            [request_bytes("POST", f"/api/scalars/log/{run}", scalars, token) for run, token in pairs],
        ),
        (
            "POST experiment",
            port,
            [request_bytes("POST", "/api/experiments", new, token) for token in tokens],
        ),
    ]


async def people(settings: Settings, kind: str) -> tuple[str, list[str | None]]:
    """A team with a member for each connection, and what each of them shows: a session or an API token."""
    container = build(settings)
    await start(container)
    container.signing_keys().ensure(container.clock().now())
    owner = local_actor("benchmark")
    team = await container.teams().create(owner, "research")
    tokens: list[str | None] = []
    for number in range(CONNECTIONS):
        user = await container.accounts().create(owner, f"user{number}@example.org", None)
        await container.teams().add_member(owner, team.id, Role.MEMBER, user_id=user.id)
        if kind == "session":
            tokens.append(await container.sessions().open(user, address="", how="benchmark"))
        else:
            of_user = Actor(user_id=user.id)
            _, plain = await container.api_tokens().create(of_user, "benchmark", scopes=ALL_ACTIONS)
            tokens.append(plain)
    await stop(container)
    return str(team.id), tokens


@contextmanager
def postgres() -> Iterator[str | None]:
    """The URL of a throw-away cluster, or ``None`` where PostgreSQL is not installed."""
    # Debian keeps them out of the way of the commands that people type.
    places = os.pathsep.join([os.environ["PATH"], *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])
    initdb, postgres_program = shutil.which("initdb", path=places), shutil.which("postgres", path=places)
    if not initdb or not postgres_program:
        yield None
        return
    with tempfile.TemporaryDirectory() as home:
        as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(home, "nobody")
            as_user = ["setpriv", "--reuid=nobody", "--clear-groups"]
        data, port = f"{home}/data", free_port()
        create = [*as_user, initdb, "-D", data, "-U", "tracker", "-A", "trust", "--locale=C", "-E", "UTF8"]
        subprocess.run(create, check=True, capture_output=True, cwd="/")
        options = ["-D", data, "-p", str(port), "-k", "", "-h", "127.0.0.1"]
        process = subprocess.Popen([*as_user, postgres_program, *options], stderr=subprocess.DEVNULL, cwd="/")
        try:
            time.sleep(3)
            yield f"postgresql://tracker@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def bare(folder: Path) -> Iterator[list[Case]]:
    """What a Falcon app that does nothing is asked."""
    folder.mkdir()
    (folder / "bare.py").write_text(BARE)
    port = free_port()
    with serving(uvicorn_command("bare:app", port), folder, port):
        yield [("GET /", port, [request_bytes("GET", "/")] * CONNECTIONS)]


@contextmanager
def tracker(url: str, folder: Path, shown: str | None = None) -> Iterator[list[Case]]:
    """What a server over its own folder is asked; with `shown` it requires credentials."""
    folder.mkdir()
    environ = {"DATABASE_URL": url, "TRACKER_DATA": str(folder)}
    if not url.startswith("sqlite"):
        upgrade = [sys.executable, "-m", "tracker", "db", "upgrade"]
        subprocess.run(upgrade, cwd=ROOT, env={**os.environ, **environ}, check=True)
    team, tokens = None, [None] * CONNECTIONS
    if shown is not None:
        environ |= {"TRACKER_AUTH": "required", "TRACKER_REQUESTS_PER_MINUTE": "100000000"}
        team, tokens = asyncio.run(people(Settings(database_url=url, data=folder), shown))
    port = free_port()
    with serving(uvicorn_command("entrypoints.http.asgi:app", port), folder, port, **environ):
        yield cases(port, team, tokens)


def run(seconds: float, rounds: int) -> None:
    """Measures everything and prints a table.

    All servers are there at once and take turns in every round: one after another, what the machine
    does meanwhile would look like a difference between them.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        servers = {"bare falcon": stack.enter_context(bare(folder / "bare"))}
        for title, shown in (("sqlite", None), ("sqlite, session", "session"), ("sqlite, token", "token")):
            url = f"sqlite:///{folder}/{title}.db"
            servers[title] = stack.enter_context(tracker(url, folder / title, shown))
        postgres_url = stack.enter_context(postgres())
        if postgres_url is not None:
            servers["postgres"] = stack.enter_context(tracker(postgres_url, folder / "postgres"))
        asked = [(server, *case) for server, found in servers.items() for case in found]
        asked.sort(key=lambda case: case[1])  # the same request of all servers, one soon after the other
        taken: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for _ in range(rounds):
            for server, title, port, requests in asked:
                taken.setdefault((server, title), []).append(measured(port, requests, seconds, 1))
        show(taken)


def show(taken: Mapping[tuple[str, str], Sequence[tuple[float, float]]]) -> None:
    """Prints the medians of the rounds, and their ratio to the bare app's."""
    print(f"{'server':<16}{'request':<24}{'req/s':>8}{'p99 ms':>9}{'of bare':>9}")
    rates = {key: statistics.median(rate for rate, _ in found) for key, found in taken.items()}
    for (server, title), found in taken.items():
        p99 = statistics.median(each for _, each in found)
        rate = rates[server, title]
        share = rate / rates["bare falcon", "GET /"]
        print(f"{server:<16}{title:<24}{rate:>8.0f}{p99:>9.1f}{share:>9.0%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    run(given.seconds, given.rounds)
