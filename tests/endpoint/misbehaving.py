"""A model endpoint that does, row by row, whatever endpoints do; and counts what it was asked.

What it does is named by words; ``429:2`` has a value after the colon. A row is its text: `plan` has of each
text what happens to its first, second, ... request, and after these it is answered; `default` is for all
other texts.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tracker.demo.endpoint import ChatEndpoint, Message, Question, Receive, Send, completion_of, send_json

__all__ = ["AbortableProtocol", "MisbehavingEndpoint", "upper"]


def upper(system: str, text: str) -> str:
    """The answer of the model that tests ask."""
    return text.upper()


class AbortableProtocol(HttpToolsProtocol):
    """Lets an application cut its connection, which ASGI has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class MisbehavingEndpoint(ChatEndpoint):
    """Serves the model ``small``.

    Args:
        answer: of the model.
        seconds: that an answer takes.
        key: that it wants; ``None`` = none.
        paid: a file to which each row that was paid for is added, so that a kill forgets none.
    """

    def __init__(
        self,
        answer: Callable[[str, str], str] = upper,
        *,
        seconds: float = 0.0,
        key: str | None = None,
        paid: str | None = None,
    ) -> None:
        super().__init__({"small": answer})
        self.seconds = seconds
        self.key = key
        self.plan: dict[str, list[str]] = {}
        self.default: list[str] = []
        self.asked: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.requests: list[Mapping[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._file = None if paid is None else os.open(paid, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def respond(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == "/counts":
            await send_json(send, 200, {"asked": self.asked, "paid": self.paid})
        elif scope["path"] == "/control":
            told = json.loads((await receive())["body"])
            for name in told.keys() & {"plan", "default", "seconds", "key"}:
                setattr(self, name, told[name])
            await send_json(send, 200, {})
        else:
            await super().respond(scope, receive, send)

    async def answer(self, scope: Message, question: Question, send: Send) -> None:
        time = self.asked[question.text]
        self.asked[question.text] += 1
        if len(self.requests) < 1000:
            self.requests.append(question.body)
            self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        planned = self.plan.get(question.text, self.default)
        word, _, value = (planned[time] if time < len(planned) else "ok").partition(":")
        if self.key is not None and (b"authorization", f"Bearer {self.key}".encode()) not in scope["headers"]:
            word = "401"
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.seconds:
                await asyncio.sleep(self.seconds)
            await _DOES.get(word, _status)(self, scope, question, send, value or word)
        finally:
            self.at_once -= 1

    def pay(self, question: Question) -> str:
        """The model works, and is paid for it."""
        self.paid[question.text] += 1
        if self._file is not None:
            os.write(self._file, (json.dumps(question.text) + "\n").encode())
        return self.models[question.model](question.system, question.text)


async def _ok(self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str) -> None:
    await send_json(send, 200, completion_of(question, self.pay(question)))


async def _slow(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    self.pay(question)
    await asyncio.sleep(float(value))
    await send_json(send, 200, completion_of(question, "late"))


async def _busy(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    """429, with a pause in seconds, or as the date in so many seconds (``d5``)."""
    if value.startswith("d"):
        value = format_datetime(datetime.now(UTC) + timedelta(seconds=float(value[1:])), usegmt=True)
    headers = {} if value == "429" else {"retry_after": value}
    await send_json(send, 429, {"error": {"message": "slow down"}}, **headers)


async def _status(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    given = next((v.decode() for n, v in scope["headers"] if n == b"authorization"), "no key")
    await send_json(send, int(value), {"error": {"message": f"HTTP {value} for {given}"}})


async def _redirect(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    await send_json(send, 307, {}, location="http://127.0.0.1:1/v1/chat/completions")


async def _cut(self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str) -> None:
    """In the middle of the body."""
    body = json.dumps(completion_of(question, self.pay(question))).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await asyncio.sleep(0.01)
    scope["transport"].abort()


async def _drop(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    """Before any answer."""
    scope["transport"].abort()


async def _body(
    send: Send, body: bytes, kind: bytes = b"application/json", *more: tuple[bytes, bytes]
) -> None:
    head = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def _malformed(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    self.pay(question)
    await _body(send, b'{"choices": [{"message": {"content": "half')


async def _html(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    await _body(send, b"<html><h1>Welcome to nginx!</h1></html>", b"text/html")


async def _huge(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    """Says nothing of its length."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(int(value) if value.isdigit() else 20):
        await send({"type": "http.response.body", "body": b" " * 1_000_000, "more_body": True})
    await send({"type": "http.response.body", "body": b"{}"})


async def _packed(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    await _body(send, b"\x1f\x8b", b"application/json", (b"content-encoding", b"gzip"))


async def _told(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    """The JSON after the colon, verbatim."""
    await _body(send, value.encode())


async def _wants_new_name(
    self: MisbehavingEndpoint, scope: Message, question: Question, send: Send, value: str
) -> None:
    if "max_tokens" in question.body:
        why = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        await send_json(send, 400, {"error": {"message": why, "param": "max_tokens"}})
    else:
        await _ok(self, scope, question, send, value)


_DOES: dict[str, Any] = {
    "ok": _ok, "slow": _slow, "429": _busy, "redirect": _redirect, "cut": _cut, "drop": _drop,
    "malformed": _malformed, "html": _html, "huge": _huge, "packed": _packed, "told": _told,
    "new_name": _wants_new_name,
}  # fmt: skip
