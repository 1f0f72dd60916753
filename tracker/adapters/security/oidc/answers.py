"""What the provider answers over HTTP: bounded in time and size, and JSON or nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any, NamedTuple

import httpx

from tracker.domain.errors import Unavailable
from tracker.trust import authorities

__all__ = ["Answer", "ProviderHttp", "is_confidential", "is_loopback"]

_LONGEST_BYTES = 2**20  # documents of the largest providers have a few kilobytes
_OVERLOADED = (408, 429)


class Answer(NamedTuple):
    """An answer that the provider meant: success, or a refusal (4xx)."""

    url: str
    status: int
    body: bytes

    @property
    def is_refusal(self) -> bool:
        """The provider says no."""
        return self.status >= 400

    def json_object(self) -> Mapping[str, Any]:
        """The body.

        Raises:
            Unavailable: it is not a JSON object.
        """
        try:
            told = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"{self.url} answers something that is not JSON") from error
        if not isinstance(told, dict):
            raise Unavailable(f"{self.url} answers something that is not a JSON object")
        return told


class ProviderHttp:
    """One pool of connections to a provider.

    Args:
        timeout: seconds for one answer, from connecting to its last byte.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        # What the provider sets for one person may not come back with another.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._http = httpx.AsyncClient(
            timeout=timeout, headers={"Accept": "application/json"}, cookies=no_cookies, verify=authorities()
        )

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, content: str | None = None
    ) -> Answer:
        """Sends one request; redirects are not followed, since none of these addresses may have one.

        Raises:
            Unavailable: no answer in time, or none that the provider meant (3xx, 5xx, too busy, too long).
        """
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.stream(method, url, headers=headers, content=content) as response,
            ):
                answer = Answer(url, response.status_code, await _bounded_body(response))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            why = str(error) or type(error).__name__
            raise Unavailable(f"the identity provider does not answer at {url}: {why}") from error
        if not (200 <= answer.status < 300 or 400 <= answer.status < 500) or answer.status in _OVERLOADED:
            raise Unavailable(f"the identity provider answers {answer.status} at {url}")
        return answer

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()


async def _bounded_body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LONGEST_BYTES:
            raise Unavailable(f"{response.url} answers more than {_LONGEST_BYTES} bytes")
    return bytes(body)


def is_confidential(url: object, *, beside_us: bool) -> bool:
    """Whether nobody can listen on the way to `url`: https, or plain http that stays on this machine.

    Args:
        url: what should be an address.
        beside_us: the provider is on this machine. One that is not has no business on it.
    """
    try:
        address = httpx.URL(str(url))
    except (httpx.InvalidURL, ValueError):
        return False
    if address.scheme == "http":
        return beside_us and is_loopback(address.host)
    return address.scheme == "https" and bool(address.host)


def is_loopback(host: str) -> bool:
    """Whether packets to `host` do not leave this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
