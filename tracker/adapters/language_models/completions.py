"""What endpoints answer to a chat completion: an answer, or why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tracker.domain.evaluation.jobs.retrying import Failure, failure_of_status
from tracker.ports.evaluation.language_model import Answer, Miss

__all__ = ["completion", "shown", "without_thoughts"]

_OPEN, _CLOSE = "<think>", "</think>"
_LONGEST_SHOWN = 500
_MOST_TOKENS = 2**53


def completion(body: bytes) -> Answer | Miss:
    """The answer in the body of a 200."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Miss(Failure.MALFORMED, f"the answer is not JSON ({type(error).__name__}): {shown(body)}")
    if not isinstance(told, dict):
        return Miss(Failure.MALFORMED, f"the answer is no JSON object: {shown(body)}")
    choices = told.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return _without_choice(told, body)
    message = choice.get("message")
    if not isinstance(message, dict):
        return Miss(Failure.MALFORMED, f"the answer has no message: {shown(body)}")
    return _of_message(message, choice.get("finish_reason"), told.get("usage"), body)


def _without_choice(told: Mapping[str, Any], body: bytes) -> Miss:
    """Brokers tell errors of the model behind them with a status of 200."""
    error = told.get("error")
    if not error:
        return Miss(Failure.MALFORMED, f"the answer has no choices: {shown(body)}")
    code = error.get("code") if isinstance(error, dict) else None
    failure = failure_of_status(code) if isinstance(code, int) and 400 <= code < 600 else None
    return Miss(failure or Failure.SERVER, f"the endpoint answers an error: {shown(body)}")


def _of_message(message: Mapping[str, Any], finish: Any, usage: Any, body: bytes) -> Answer | Miss:
    text, thoughts = _parts(message.get("content"))
    reasoning = thoughts or _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    if text is not None and reasoning is None:
        text, reasoning = without_thoughts(text)
    if not text and (why := _why_nothing(message, finish, reasoning)):
        return Miss(Failure.REFUSED, why)
    if text is None:
        return Miss(Failure.MALFORMED, f"the answer has no content: {shown(body)}")
    if not _is_text(text + (reasoning or "")):
        why = "the answer has a NUL character or half of a surrogate pair, which no file of text can keep"
        return Miss(Failure.MALFORMED, why)
    tokens = usage if isinstance(usage, dict) else {}
    details = tokens.get("completion_tokens_details")
    thought = details.get("reasoning_tokens") if isinstance(details, dict) else None
    given, written = _count(tokens.get("prompt_tokens")), _count(tokens.get("completion_tokens"))
    return Answer(text, reasoning, given, written, _count(thought))


def _why_nothing(message: Mapping[str, Any], finish: Any, reasoning: str | None) -> str | None:
    """Why an answer is empty, where trying again would not help."""
    if refusal := _text(message.get("refusal")):
        return f"the model refuses: {refusal[:_LONGEST_SHOWN]}"
    if finish == "length":
        spent = " for its reasoning" if reasoning else ""
        return f"max_new_tokens were spent{spent} before the answer began; allow more"
    if finish == "content_filter":
        return "the endpoint's content filter let no answer pass"
    if message.get("tool_calls"):
        return "the model calls a tool instead of answering"
    return None


def _parts(content: Any) -> tuple[str | None, str | None]:
    """Text and thoughts of a message's content, which is a text or a list of typed parts."""
    if not isinstance(content, list):
        return (content if isinstance(content, str) else None), None
    parts = [part for part in content if isinstance(part, dict)]
    texts = [part["text"] for part in parts if part.get("type") == "text" and _text(part.get("text"))]
    thoughts = [_parts(part.get("thinking"))[0] for part in parts if part.get("type") == "thinking"]
    return ("".join(texts) if parts else None), "".join(filter(None, thoughts)) or None


def without_thoughts(text: str) -> tuple[str, str | None]:
    """A text and the thoughts before it, between ``<think>`` and ``</think>``.

    Some templates write the first mark into the prompt, so that an answer has the second alone. Without
    marks a text is left exactly as it is.
    """
    opened = text.lstrip().startswith(_OPEN)
    thoughts, closed, rest = text.partition(_CLOSE)
    if not opened and (not closed or _OPEN in thoughts):
        return text, None
    thoughts = thoughts.lstrip().removeprefix(_OPEN).strip()
    return rest.lstrip(), thoughts or None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else None


def _is_text(text: str) -> bool:
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(body: bytes) -> str:
    """The beginning of a body, for a person: the message of an error where it is one as OpenAI tells it."""
    text = body[: 4 * _LONGEST_SHOWN].decode(errors="replace")
    if len(body) <= 100_000:
        try:
            told = json.loads(body)
            error = told.get("error", told.get("detail", told.get("message")))
            error = error.get("message") if isinstance(error, dict) else error
            text = error if isinstance(error, str) and error else text
        except (ValueError, RecursionError, AttributeError):
            pass
    plain = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return plain[:_LONGEST_SHOWN] + ("…" if len(plain) > _LONGEST_SHOWN else "") or "(nothing)"
