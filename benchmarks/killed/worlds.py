"""The places that runs are killed in: a folder, and servers that are away in every way there is."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

import tracker
from benchmarks.killed.front import Front, free_port

ROOT = Path(__file__).resolve().parents[2]
ADMIN, PASSWORD = "root@example.org", "correct horse battery"


def environment(**variables: str) -> dict[str, str]:
    """The environment without settings of tracker but these."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TRACKER_")}
    kept.pop("DATABASE_URL", None)
    return {**kept, "PYTHONPATH": str(ROOT), "TRACKER_SILENT": "1", "TRACKER_CAPTURE": "off", **variables}


class World:
    """A place to log to; this one is a folder.

    Args:
        folder: a new one; everything happens in it.
        chance: decides what happens when.
    """

    kind = "folder"

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.chance = chance
        self.words: list[str] = []  # before the command of a training script

    def variables(self) -> dict[str, str]:
        """What the environment of a training script says."""
        return {"TRACKER_DATA": str(self.data), "DATABASE_URL": f"sqlite:///{self.data}/tracker.db"}

    def disturb(self) -> None:
        """Something happens, a few times a second while a script runs."""

    def heal(self) -> None:
        """Everything works again."""

    def close(self) -> None:
        """Ends what runs."""

    def sync(self) -> str:
        """Carries what was left behind; what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "tracker", "sync"], env=environment(**self.variables()),
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        return f"{done.returncode} {done.stdout}{done.stderr}"

    def open(self) -> tracker.Tracker:
        """The library, to look."""
        return tracker.open(self.data)


class FullDisk(World):
    """A folder on a small disk that others fill and clear."""

    kind = "full disk"

    def __init__(self, folder: Path, chance: random.Random) -> None:
        super().__init__(folder, chance)
        self.data.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(self.data)]
        self.is_mounted = not subprocess.run(mount, capture_output=True, check=False).returncode
        if not self.is_mounted:
            raise NotImplementedError("a small disk needs root")

    def disturb(self) -> None:
        filler = self.data / "filler"
        if filler.exists() and self.chance.random() < 0.5:
            filler.unlink()
            return
        try:
            with filler.open("ab", buffering=0) as file:
                while file.write(b"\0" * 4096):
                    pass
        except OSError:
            return

    def heal(self) -> None:
        (self.data / "filler").unlink(missing_ok=True)
        subprocess.run(["mount", "-o", "remount,size=512m", str(self.data)], check=True)

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.data)], check=False)


class BackwardClock(World):
    """A folder, and a wall clock that somebody sets back and forth (``clock.c``; needs a C compiler)."""

    kind = "clock set back"

    def __init__(self, folder: Path, chance: random.Random) -> None:
        super().__init__(folder, chance)
        self.library, self.offset = folder / "clock.so", folder / "offset"
        source = Path(__file__).with_name("clock.c")
        compiler = shutil.which("cc")
        if compiler is None:
            raise NotImplementedError("needs a C compiler")
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-o", str(self.library), str(source), "-ldl"], check=True
        )
        self.offset.write_bytes(bytes(8))

    def variables(self) -> dict[str, str]:
        return {**super().variables(), "LD_PRELOAD": str(self.library), "CLOCK_OFFSET": str(self.offset)}

    def disturb(self) -> None:
        seconds = self.chance.choice((0, -5, -3600, -86400, 3600))
        with self.offset.open("r+b", buffering=0) as file:
            file.write((seconds * 10**9).to_bytes(8, "little", signed=True))


class Network(World):
    """A server, and a network in front of it that fails in one way."""

    kind = "server"
    modes: tuple[str, ...] = ("pass",)
    auth = "local"

    def __init__(self, folder: Path, chance: random.Random) -> None:
        super().__init__(folder, chance)
        self.target = free_port()
        self.home = folder / "server"
        self.home.mkdir(exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None
        self.front = Front(self.target).__enter__()
        self.token: str | None = None
        self.start()

    def start(self) -> None:
        """Starts the server, unless it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            return
        command = [
            sys.executable,
            "-m",
            "tracker",
            "--data",
            str(self.home),
            "server",
            "--port",
            str(self.target),
        ]
        home = {"DATABASE_URL": f"sqlite:///{self.home}/tracker.db"}
        variables = environment(TRACKER_LOG_LEVEL="error", TRACKER_AUTH=self.auth, **home)
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)

    def wait(self) -> None:
        """Until it listens."""
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.target), timeout=5).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError((self.folder / "server.log").read_text())

    def variables(self) -> dict[str, str]:
        found = {**super().variables(), "TRACKER_URL": f"http://127.0.0.1:{self.front.port}"}
        return found if self.token is None else {**found, "TRACKER_TOKEN": self.token}

    def disturb(self) -> None:
        self.front.turn(self.chance.choice(self.modes))

    def heal(self) -> None:
        self.start()
        self.wait()
        self.front.turn("pass")

    def close(self) -> None:
        self.front.__exit__()
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)

    def open(self) -> tracker.Tracker:
        return tracker.open(url=f"http://127.0.0.1:{self.target}", token=self.token)


class Refused(Network):
    """Connections are refused."""

    kind = "refused"
    modes = ("pass", "refuse", "refuse")


class BlackHole(Network):
    """Connections are accepted, or freeze, and nothing comes back."""

    kind = "black hole"
    modes = ("pass", "hole", "hole")


class Broken(Network):
    """The server answers 500, or does what it is asked for and its answer is lost."""

    kind = "500 and cut"
    modes = ("pass", "500", "cut", "cut")


class Killed(Network):
    """The server is killed, stopped and started again."""

    kind = "server killed"

    def disturb(self) -> None:
        assert self.process is not None
        what = self.chance.random()
        if self.process.poll() is not None:
            self.start()
        elif what < 0.4:
            self.process.kill()
            self.process.wait(60)  # one that is still dying looks as if it ran
        elif what < 0.5:
            self.process.send_signal(signal.SIGSTOP)
        else:
            self.process.send_signal(signal.SIGCONT)


class Revoked(Network):
    """The token that a script logs with is revoked while it runs; there is another one afterwards."""

    kind = "token revoked"
    auth = "required"

    def __init__(self, folder: Path, chance: random.Random) -> None:
        with tracker.open(folder / "server") as library:
            library.users.create(ADMIN, PASSWORD, is_superuser=True)
        super().__init__(folder, chance)
        self.wait()
        self.session = self._log_in()
        self._renew()

    def _log_in(self) -> str:
        form = urllib.parse.urlencode({"username": ADMIN, "password": PASSWORD})
        head = "POST /api/auth/jwt/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        kind = "Content-Type: application/x-www-form-urlencoded\r\n"
        with socket.create_connection(("127.0.0.1", self.target), timeout=30) as connection:
            connection.sendall(f"{head}{kind}Content-Length: {len(form)}\r\n\r\n{form}".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return str(json.loads(answer.partition(b"\r\n\r\n")[2])["access_token"])

    def _admin(self) -> tracker.Tracker:
        return tracker.open(url=f"http://127.0.0.1:{self.target}", token=self.session)

    def _renew(self) -> None:
        with self._admin() as library:
            made: Any = library.tokens.create("killed", scopes=["*"], expires_in_days=2)
        self.token, self.token_id = made.token, made.id

    def disturb(self) -> None:
        if self.token_id is not None and self.chance.random() < 0.4:
            with self._admin() as library:
                library.tokens.revoke(self.token_id)
            self.token_id = None

    def heal(self) -> None:
        super().heal()
        if self.token_id is None:
            self._renew()


WORLDS: tuple[type[World], ...] = (
    World, Network, World, Killed, World, Refused, World, BlackHole, World, Broken, World, Revoked,
    World, BackwardClock, World, FullDisk,
)  # fmt: skip
