"""Models behind any endpoint that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from tracker.adapters.language_models.completions import completion, shown
from tracker.adapters.language_models.keys import checked_key, without_key
from tracker.adapters.language_models.lanes import transport_for
from tracker.domain.errors import Invalid
from tracker.domain.evaluation.generation import GenerationConfig
from tracker.domain.evaluation.jobs.retrying import Failure, failure_of_status
from tracker.domain.evaluation.providers import Endpoint
from tracker.domain.evaluation.secrets import PlainSecret
from tracker.ports.evaluation.language_model import Answer, Miss

__all__ = ["OpenAiModel", "Timeouts"]

_MOST_BYTES = 4_000_000
_OTHER_NAME = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_NOT_TAKEN = re.compile(r"unsupported|not supported|unrecognized|unknown|unexpected|not permitted|forbidden")
_LONG_KEY = 16
"""A key of fewer characters, such as EMPTY, may be a word of an answer."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long is waited, in seconds.

    Attributes:
        connect: for a connection.
        read: for the next bytes; an answer that is not streamed has none until all of it is written.
        total: for an answer, from its request to its last byte.
    """

    connect: float = 10.0
    read: float = 300.0
    total: float = 600.0


class OpenAiModel:
    """Keeps the port :class:`tracker.ports.evaluation.language_model.LanguageModel` over one pool of
    connections.

    The key goes to the endpoint's host in the header ``Authorization`` and nowhere else: redirects are not
    followed, and what an endpoint says of a key is cut out of what is told.

    Args:
        name: by which the endpoint knows the model.
        endpoint: where, and how it calls its parameters.
        key: of the endpoint; ``None`` where it wants none.
        connections: at most so many, which is how many answers may be asked for at once.
        timeouts: how long is waited.
        most_bytes: longest answer, as JSON.

    Raises:
        Invalid: the endpoint's URL is none, or the key cannot stand in a header.
    """

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        key: PlainSecret | None = None,
        *,
        connections: int = 1,
        timeouts: Timeouts | None = None,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._name = name
        self._endpoint = endpoint
        self._most_tokens = endpoint.most_tokens
        self._key = None if key is None else checked_key(key)
        self._url = _completions_of(endpoint.base_url)
        self._headers = self._head()
        self._most_bytes = most_bytes
        self._timeouts = timeouts or Timeouts()
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        waits = httpx.Timeout(self._timeouts.read, connect=self._timeouts.connect, pool=None)
        self._extensions = {"timeout": waits.as_dict()}
        self._http = httpx.AsyncClient(
            transport=transport_for(self._url, connections),
            limits=limits,
            timeout=waits,
            follow_redirects=False,
            verify=self._url.scheme == "https",
        )

    async def answer(self, system: str, text: str, config: GenerationConfig) -> Answer | Miss:
        """The model's answer.

        It is sent once; but an endpoint that refuses the name of the bound on tokens is asked again at once
        by its other name, and by that from then on. Such a refusal costs nothing.
        """
        name = self._most_tokens
        status, found = await self._asked(self._body(system, text, config, name))
        if isinstance(found, Miss) and status in (400, 422) and _wants_other_name(name, found.why):
            self._most_tokens = _OTHER_NAME[name]
            _, found = await self._asked(self._body(system, text, config, self._most_tokens))
        return found

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    def __repr__(self) -> str:
        return f"OpenAiModel({self._name!r}, {self._endpoint.base_url!r})"

    def _head(self) -> list[tuple[bytes, bytes]]:
        host = self._url.netloc
        head = [
            (b"Host", host),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),  # nothing is unpacked, so nothing grows
            (b"Content-Type", b"application/json"),
            (b"User-Agent", b"tracker"),
        ]
        return head if self._key is None else [*head, (b"Authorization", f"Bearer {self._key}".encode())]

    def _body(self, system: str, text: str, config: GenerationConfig, most_tokens: str) -> bytes:
        """The request; what has the protocol's own default value is left out, as not every endpoint knows
        it."""
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": text})
        told: dict[str, object] = {
            "model": self._name,
            "messages": messages,
            most_tokens: config.max_new_tokens,
            "temperature": config.temperature,
            "top_p": config.top_p,
        }
        if config.frequency_penalty:
            told["frequency_penalty"] = config.frequency_penalty
        if config.seed is not None:
            told[self._endpoint.seed] = config.seed
        if config.stop:
            told["stop"] = config.stop
        return json.dumps(told).encode()

    async def _asked(self, body: bytes) -> tuple[int, Answer | Miss]:
        """What came of one request, and its status; 0 where there is none."""
        request = httpx.Request(
            "POST",
            self._url,
            headers=[*self._headers, (b"Content-Length", str(len(body)).encode())],
            content=body,
            extensions=self._extensions,
        )
        try:
            async with asyncio.timeout(self._timeouts.total):
                response = await self._http.send(request, stream=True)
                try:
                    return response.status_code, await self._read(response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException) as error:
            return 0, Miss(Failure.TIMEOUT, self._no_answer(error))
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return 0, Miss(Failure.CONNECTION, self._no_answer(error))

    async def _read(self, response: httpx.Response) -> Answer | Miss:
        headers, status = response.headers, response.status_code
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._most_bytes:
                break
        if not 200 <= status < 300:
            return self._miss(status, bytes(body), _pause_asked(headers))
        if len(body) > self._most_bytes:
            return Miss(Failure.MALFORMED, f"the answer has more than {self._most_bytes:,} bytes")
        if (encoding := headers.get("content-encoding", "identity")) != "identity":
            why = f"the answer is packed ({self._told(encoding)}), which was not asked for"
            return Miss(Failure.MALFORMED, why)
        found = completion(bytes(body))
        if isinstance(found, Miss):
            return found._replace(why=self._told(found.why))
        return self._masked(found)

    def _masked(self, found: Answer) -> Answer:
        """An answer is shown to all who see the job; what repeats a request, headers and all, is no model."""
        key = self._key
        if key is None or len(key) < _LONG_KEY or key not in f"{found.text} {found.reasoning}":
            return found
        reasoning = None if found.reasoning is None else found.reasoning.replace(key, "(key)")
        return found._replace(text=found.text.replace(key, "(key)"), reasoning=reasoning)

    def _miss(self, status: int, body: bytes, asked: float | None) -> Miss:
        failure = failure_of_status(status)
        if failure is None:
            why = f"{self._place} redirects (HTTP {status}), which is not followed: correct base_url"
            return Miss(Failure.REFUSED, why)
        return Miss(failure, f"{self._place} answers HTTP {status}: {self._told(shown(body))}", asked)

    def _no_answer(self, error: Exception) -> str:
        why = self._told(shown(str(error).encode(errors="replace"))) if str(error) else type(error).__name__
        return f"{self._place} does not answer: {why}"

    @property
    def _place(self) -> str:
        return f"{self._url.scheme}://{self._url.netloc.decode()}"

    def _told(self, text: str) -> str:
        return text if self._key is None else without_key(text, self._key)


def _completions_of(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
        made = url.copy_with(path=url.path.rstrip("/") + "/chat/completions")
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise Invalid.field("base_url", f"{base_url!r} is no URL: {error}") from error
    if made.scheme not in ("http", "https") or not made.host:
        raise Invalid.field("base_url", f"{base_url!r} is no URL such as https://host/v1")
    return made


def _wants_other_name(name: str, why: str) -> bool:
    """Whether a refusal is of the parameter `name`."""
    if name == "max_tokens":
        return "max_completion_tokens" in why
    return name in why and _NOT_TAKEN.search(why.lower()) is not None


def _pause_asked(headers: httpx.Headers) -> float | None:
    """Seconds of ``Retry-After``, which has them or a date; of ``retry-after-ms``, which is finer."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000", which says that it is UTC
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
