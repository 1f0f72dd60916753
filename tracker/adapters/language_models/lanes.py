"""Connections to one endpoint, without the search that a shared pool makes through all of them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from urllib.request import getproxies

import httpx

from tracker.trust import trust_for

__all__ = ["transport_for"]


def transport_for(url: httpx.URL, connections: int) -> httpx.AsyncBaseTransport | None:
    """The transport for requests to `url`; ``None`` where a proxy stands between, which httpx knows of.

    Args:
        url: of the endpoint.
        connections: at most so many.
    """
    if find_spec("sniffio") is None:
        # httpcore looks for it ten times a request, in all folders, unless it is known not to be there.
        sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
    return None if getproxies() else _Lanes(url, connections)


class _Lanes(httpx.AsyncBaseTransport):
    """Pools of one connection each. One pool of 64 looks at all of them twice a request: that takes longer
    than the request."""

    def __init__(self, url: httpx.URL, connections: int) -> None:
        self._verify = trust_for(url)  # one for all lanes
        self._limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self._all: list[httpx.AsyncHTTPTransport] = []
        self._free: list[httpx.AsyncHTTPTransport] = []
        self._slots = asyncio.Semaphore(connections)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends by the lane that was free last; its connection is the least likely to be stale."""
        await self._slots.acquire()
        lane = self._free.pop() if self._free else self._added()
        try:
            response = await lane.handle_async_request(request)
        except BaseException:
            self._release(lane)
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Stream(response.stream, self, lane)
        return response

    async def aclose(self) -> None:
        """Closes the connections."""
        for lane in self._all:
            await lane.aclose()

    def _added(self) -> httpx.AsyncHTTPTransport:
        lane = httpx.AsyncHTTPTransport(verify=self._verify, limits=self._limits, trust_env=False)
        self._all.append(lane)
        return lane

    def _release(self, lane: httpx.AsyncHTTPTransport) -> None:
        self._free.append(lane)
        self._slots.release()


class _Stream(httpx.AsyncByteStream):
    """A body whose end sets its lane free."""

    def __init__(self, stream: httpx.AsyncByteStream, lanes: _Lanes, lane: httpx.AsyncHTTPTransport) -> None:
        self._stream = stream
        self._lanes = lanes
        self._lane: httpx.AsyncHTTPTransport | None = lane

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece

    async def aclose(self) -> None:
        """Closes the body; twice sets nothing free twice."""
        lane, self._lane = self._lane, None
        if lane is not None:
            try:
                await self._stream.aclose()
            finally:
                self._lanes._release(lane)
