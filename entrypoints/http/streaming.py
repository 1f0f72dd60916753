"""Bodies and answers that are too large to be held: they pass through piece by piece."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import falcon
import falcon.asgi
from falcon.media.multipart import MultipartParseError

from tracker.domain.errors import Invalid, Problem, TooLarge

__all__ = ["FORM_DATA", "ByteRange", "Streamed", "Upload", "asked_range", "attachment", "discard"]

FORM_DATA = "multipart/form-data"
_DISCARDED_AT_MOST = 64 * 2**20
_SLOWEST = 64 * 2**10  # bytes a second, once the seconds that every body has are over
_OVERHEAD = 2**16  # of a form around its file
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class Streamed:
    """An answer that is sent as it comes.

    Args:
        chunks: its bytes.
        length: how many there are, if that is known before.
    """

    def __init__(self, chunks: AsyncIterator[bytes], length: int | None = None) -> None:
        self.length = length
        self._chunks = chunks

        self._disconnect: Callable[[], Awaitable[object]] | None = None

    def until(self, disconnect: Callable[[], Awaitable[object]]) -> Self:
        """The same, which ends once `disconnect` returns: servers take what is sent to nobody without a word,
        and gigabytes would be read for it."""
        self._disconnect = disconnect
        return self

    async def __aiter__(self) -> AsyncIterator[bytes]:
        gone = None if self._disconnect is None else asyncio.ensure_future(self._disconnect())
        try:
            async for chunk in self._chunks:
                if gone is not None and gone.done():
                    break
                yield chunk
        finally:
            if gone is not None:
                gone.cancel()

    async def close(self) -> None:
        """Lets go of what the bytes came from; the server calls it, however the answer ended."""
        aclose = getattr(self._chunks, "aclose", None)
        if aclose is not None:
            await aclose()


class Upload:
    """The part ``file`` of a form that is on its way.

    Args:
        req: whose body it is.
        largest: how many bytes are taken.
        seconds: for which it may be under way, and 64 KiB/s longer.
    """

    takes = FORM_DATA
    setting = "TRACKER_MAX_BLOB"
    part = "file"

    def __init__(self, req: falcon.asgi.Request, largest: int, seconds: float) -> None:
        media = (req.content_type or "").partition(";")[0].strip().lower()
        if media != self.takes:
            raise falcon.HTTPUnsupportedMediaType(description=f"the body must be {self.takes}")
        self._req = req
        self._largest = largest
        self._seconds = seconds
        self._started = time.perf_counter()
        self._taken = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file.

        Raises:
            Invalid: the body is no form, or has no part ``file``.
            TooLarge: the file is larger than allowed.
            falcon.HTTPError: 408, it came too slowly.
        """
        self._check_length()
        try:
            is_there = False
            parts = aiter(await self._req.get_media())
            while (part := await self._next(parts)) is not None:
                if part.name != "file" or is_there:
                    continue  # the next step passes over it
                is_there = True
                async for piece in self._pieces(part.stream):
                    yield piece
        except (MultipartParseError, falcon.HTTPInvalidHeader, falcon.MediaNotFoundError) as error:
            problem = Problem(("body",), "is no multipart form", "form")
            raise Invalid("the body cannot be read as a multipart form", [problem]) from error
        if not is_there:
            problem = Problem(("body", "file"), "is missing", "missing")
            raise Invalid("file: the form has no such part", [problem])

    def _check_length(self) -> None:
        """Before anything is read, where the length is told."""
        if (self._req.content_length or 0) > self._largest + _OVERHEAD:
            raise self._too_large()

    async def _pieces(self, stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The bytes of a part or a body, as many as are taken, in the time that they have."""
        pieces = aiter(stream)
        while (piece := await self._next(pieces)) is not None:
            self._taken += len(piece)
            if self._taken > self._largest:
                raise self._too_large()
            yield piece

    async def _next(self, steps: AsyncIterator[Any]) -> Any:
        left = self._started + self._seconds + self._taken / _SLOWEST - time.perf_counter()
        try:
            async with asyncio.timeout(left):
                return await anext(steps, None)
        except TimeoutError:
            raise falcon.HTTPError(
                falcon.HTTP_408, description="the body came too slowly", headers={"Connection": "close"}
            ) from None

    def _too_large(self) -> TooLarge:
        return TooLarge(f"{self.part}: larger than {self._largest} bytes ({self.setting})")


async def discard(req: falcon.asgi.Request) -> None:
    """Takes what a client is still sending: it would be cut off in it, and never read the answer."""
    left = _DISCARDED_AT_MOST
    while left > 0 and (chunk := await req.stream.read(2**16)):
        left -= len(chunk)


class ByteRange(NamedTuple):
    """Which bytes of a whole: ``start <= i < stop``."""

    start: int
    stop: int


def asked_range(text: str | None, size: int) -> ByteRange | None:
    """What a ``Range`` header asks of `size` bytes; ``None`` = everything.

    RFC 9110, section 14.2: one range is answered; several, other units and what cannot be read are
    answered with the whole.

    Raises:
        falcon.HTTPRangeNotSatisfiable: none of the bytes are there.
    """
    match = _RANGE.fullmatch((text or "").strip())
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= stop:
        raise falcon.HTTPRangeNotSatisfiable(size, description=f"there are only {size} bytes")
    return ByteRange(start, stop)


def attachment(name: str) -> str:
    """The ``Content-Disposition`` of a file to keep, never to show (RFC 6266, with the name as RFC 8187)."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
