"""A team's server on a real socket, with everything that it ever said."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import io
import json
import logging
import re
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.conftest import LiveServer
from tracker.settings import Settings

PASSWORDS = {name: f"{name}'s secret pass phrase" for name in ("admin", "ada", "eve")}


class Everything(logging.Handler):
    """Keeps every line of every logger, as text and with all its attributes."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {record.__dict__}")


@dataclass
class TeamServer:
    """A running server; `secrets` and `bodies` grow with every answer."""

    live: LiveServer
    folder: Path
    log: Everything
    secrets: set[str] = field(default_factory=set)
    bodies: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, who: str | None = None, **more: Any) -> httpx.Response:
        """A request by the session of `who`, or with the token that is given."""
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens.get(who, who)}"
        answer = httpx.request(method, self.live.url + path, headers=headers, timeout=30, **more)
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        if not answer.is_success:
            self.bodies.append(answer.text)
        return answer

    def login(self, name: str, password: str | None = None, **headers: str) -> httpx.Response:
        form = {"username": f"{name}@example.org", "password": password or PASSWORDS[name]}
        answer = self.ask("POST", "/api/auth/jwt/login", data=form, headers=headers)
        if answer.status_code == 200:
            self.secrets.add(answer.json()["access_token"])
        return answer

    def session(self, name: str) -> str:
        """A fresh session token."""
        return str(self.login(name).json()["access_token"])

    def pat(self, who: str, *scopes: str) -> str:
        """A fresh API token."""
        answer = self.ask("POST", "/api/api-tokens", who, json={"name": "t", "scopes": list(scopes)})
        assert answer.status_code == 201, answer.text
        self.secrets.add(answer.json()["token"])
        return str(answer.json()["token"])

    def register(self, name: str) -> str:
        """A new account, logged in; its id."""
        password = PASSWORDS.setdefault(name, f"{name}'s secret pass phrase")
        self.secrets.add(password)
        body = {"email": f"{name}@example.org", "password": password}
        answer = self.ask("POST", "/api/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        self.ids[name] = answer.json()["id"]
        self.tokens[name] = self.session(name)
        return self.ids[name]

    def raw(self, request: bytes, *, wait: float = 10) -> bytes:
        """What the server answers to exactly these bytes until it closes or falls silent."""
        with socket.create_connection(("127.0.0.1", self.live.port), timeout=wait) as connection:
            connection.sendall(request)
            received = b""
            with contextlib.suppress(TimeoutError):
                while chunk := connection.recv(65536):
                    received += chunk
        return received

    def signing_key(self) -> tuple[str, bytes]:
        """Name and secret of the key that signs."""
        key = json.loads((self.folder / "signing-keys.json").read_text())["keys"][0]
        return key["name"], base64.b64decode(key["secret"])

    def rows(self) -> str:
        """Everything in the audit log."""
        with contextlib.closing(sqlite3.connect(self.folder / "tracker.db")) as database:
            return repr(database.execute("SELECT * FROM audit").fetchall())


@contextlib.contextmanager
def team_server(folder: Path, **others: object) -> Iterator[TeamServer]:
    """A server with an administrator, made with the code that it printed, and two users."""
    log, printed = Everything(), io.StringIO()
    loggers = [logging.getLogger(name) for name in (None, "tracker", "uvicorn", "tracker.access")]
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(log)
    for logger in loggers[1:]:
        logger.setLevel(logging.DEBUG)
    with contextlib.redirect_stderr(printed):
        database = f"sqlite:///{folder}/tracker.db"
        live = LiveServer(
            Settings(data=folder, database_url=database, max_body_bytes=2**20, auth="required", **others)
        )
    try:
        server = TeamServer(live, folder, log, set(PASSWORDS.values()))
        code = re.search(r"^    (\S{40,})$", printed.getvalue(), re.MULTILINE)
        assert code is not None, printed.getvalue()
        server.secrets.add(code[1])
        body = {"code": code[1], "email": "admin@example.org", "password": PASSWORDS["admin"]}
        made = server.ask("POST", "/api/auth/setup", json=body)
        assert made.status_code == 201, made.text
        server.ids["admin"] = made.json()["id"]
        server.tokens["admin"] = server.session("admin")
        for name in ("ada", "eve"):
            server.register(name)
        yield server
    finally:
        live.stop()
        loggers[0].removeHandler(log)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def forged(header: dict[str, Any], claims: dict[str, Any], secret: bytes, digest: str = "sha256") -> str:
    """A token signed by hand, so that no library keeps us from saying what we want."""
    text = f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}"
    return f"{text}.{base64url(hmac.new(secret, text.encode(), getattr(hashlib, digest)).digest())}"
