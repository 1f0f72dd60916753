"""A small endpoint that speaks OpenAI's chat completions, for models that are functions."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

__all__ = ["ChatEndpoint", "Question", "completion_of", "send_json"]

Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_LONGEST_BYTES = 20_000_000


class Question(NamedTuple):
    """What is asked.

    Attributes:
        model: by name.
        system: what it is told before.
        text: what it is given.
        body: the whole request.
    """

    model: str
    system: str
    text: str
    body: Mapping[str, Any]


class ChatEndpoint:
    """A bare ASGI application: ``POST .../chat/completions`` and ``GET .../models``.

    Args:
        models: by name, what each answers to a system prompt and a text.
    """

    def __init__(self, models: Mapping[str, Callable[[str, str], str]]) -> None:
        self.models = dict(models)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request, or lives through the application's lifespan."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self.respond(scope, receive, send)

    async def respond(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["method"] == "GET" and scope["path"].endswith("/models"):
            listed = [{"id": name, "object": "model"} for name in self.models]
            await send_json(send, 200, {"object": "list", "data": listed})
        elif scope["method"] == "POST" and scope["path"].endswith("/chat/completions"):
            question = _question(await _body(receive))
            if question is None:
                await _refuse(send, 400, "the body must be a JSON object with model and messages")
            elif question.model not in self.models:
                await _refuse(send, 404, f"the model {question.model!r} does not exist")
            else:
                await self.answer(scope, question, send)
        else:
            await _refuse(send, 404, "there is nothing here")

    async def answer(self, scope: Message, question: Question, send: Send) -> None:
        """Answers one question."""
        text = self.models[question.model](question.system, question.text)
        await send_json(send, 200, completion_of(question, text))


def completion_of(question: Question, text: str, **message: Any) -> Message:
    """The body of an answer; tokens are words.

    Args:
        question: that is answered.
        text: the answer.
        message: more fields of the message.
    """
    given = len(question.system.split()) + len(question.text.split())
    written = len(text.split())
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "model": question.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": given,
            "completion_tokens": written,
            "total_tokens": given + written,
        },
    }


async def send_json(send: Send, status: int, body: object, **headers: str) -> None:
    """One whole response."""
    content = json.dumps(body).encode()
    head = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    head += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": content})


async def _refuse(send: Send, status: int, why: str) -> None:
    await send_json(send, status, {"error": {"message": why, "type": "invalid_request_error"}})


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if not message.get("more_body") or length > _LONGEST_BYTES:
            return b"".join(parts)


def _question(body: bytes) -> Question | None:
    try:
        told = json.loads(body)
        messages = told["messages"]
        system = "".join(each["content"] for each in messages if each["role"] == "system")
        text = next(each["content"] for each in reversed(messages) if each["role"] == "user")
        return Question(str(told["model"]), system, text, told)
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration, RecursionError):
        return None


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
