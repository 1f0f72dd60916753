"""Forms whose file has other fields beside it, and bodies that are bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any

import falcon
import falcon.asgi
from falcon.media.multipart import MultipartParseError

from tracker.domain.errors import Invalid, Problem

from .media import OCTETS
from .streaming import Upload

__all__ = ["BodyUpload", "FormUpload"]

_MOST_FIELDS = 16
_LONGEST_FIELD = 4096


class FormUpload(Upload):
    """The part ``dataset`` of a form that is on its way, and the fields beside it.

    Fields are known from :meth:`opened` on if they come before the file; those behind it are read when all of
    the file has come, and only some are of use then.

    Args:
        req: whose body it is.
        largest: how many bytes are taken.
        seconds: for which it may be under way, and 64 KiB/s longer.
    """

    setting = "TRACKER_MAX_DATASET"
    part = "dataset"

    def __init__(self, req: falcon.asgi.Request, largest: int, seconds: float) -> None:
        super().__init__(req, largest, seconds)
        self.fields: dict[str, str] = {}
        self.filename = ""
        self._parts: AsyncIterator[Any] | None = None
        self._file: Any = None

    async def opened(self, known: Collection[str]) -> None:
        """Reads on to the file.

        Args:
            known: names of fields that may be there.

        Raises:
            Invalid: the body is no form, has no file, or another field.
            TooLarge: it is larger than allowed.
        """
        self._check_length()
        try:
            self._parts = aiter(await self._req.get_media())
            while (part := await self._next(self._parts)) is not None:
                if part.name == self.part:
                    self._file, self.filename = part, part.filename or ""
                    return
                await self._take(part, known)
        except _UNREADABLE as error:
            raise _no_form() from error
        raise _field(self.part, "the form has no such part", "missing")

    async def chunks_before(self, late: Collection[str]) -> AsyncIterator[bytes]:
        """The bytes of the file; then the fields behind it are read.

        Args:
            late: names of fields that may still come.

        Raises:
            Invalid: the rest of the body is no form, or has another field.
            TooLarge: the file is larger than allowed.
        """
        if self._parts is None:
            raise RuntimeError("the form is not opened")
        try:
            async for piece in self._pieces(self._file.stream):
                yield piece
            while (part := await self._next(self._parts)) is not None:
                await self._take(part, late)
        except _UNREADABLE as error:
            raise _no_form() from error

    async def _take(self, part: Any, known: Collection[str]) -> None:
        name = part.name or ""
        if name == self.part or name in self.fields:
            raise _field(name, "stands more than once", "repeated")
        if name not in known or len(self.fields) >= _MOST_FIELDS:
            raise _field(name[:100], f"is no field that can stand here; write it before {self.part}", "field")
        raw = await part.stream.read(_LONGEST_FIELD + 1)
        if len(raw) > _LONGEST_FIELD:
            raise _field(name, f"is longer than {_LONGEST_FIELD} bytes", "too_long")
        try:
            self.fields[name] = raw.decode()
        except UnicodeDecodeError as error:
            raise _field(name, "is not UTF-8 text", "text") from error


class BodyUpload(Upload):
    """A body of bytes that is on its way."""

    takes = OCTETS
    part = "body"

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes.

        Raises:
            TooLarge: there are more than allowed.
        """
        self._check_length()
        async for piece in self._pieces(self._req.stream):
            yield piece


_UNREADABLE = (MultipartParseError, falcon.HTTPInvalidHeader, falcon.MediaNotFoundError)


def _no_form() -> Invalid:
    problem = Problem(("body",), "is no multipart form", "form")
    return Invalid("the body cannot be read as a multipart form", [problem])


def _field(name: str, why: str, kind: str) -> Invalid:
    return Invalid(f"{name}: {why}", [Problem(("body", name), why, kind)])
