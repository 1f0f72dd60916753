"""Paths as plain text, whatever bytes they are made of, and back."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Mapping

from tracker.domain.errors import Invalid

__all__ = ["Names", "path_bytes"]

_LONGEST = 1000


class Names:
    """Gives each path a form that every store keeps, and remembers which are not the path itself.

    A name may hold bytes that are no UTF-8, a new line, or a backslash, which stores and other
    systems refuse. Such a character becomes ``%XX``, for people to read; what counts is
    :attr:`escaped`.
    """

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}
        self._folders: set[str] = set()
        self._escaped: dict[str, str] = {}

    @property
    def escaped(self) -> Mapping[str, str]:
        """Kept form -> the path's bytes in base64, for those that are not the same."""
        return self._escaped

    def kept(self, path: str) -> str:
        """The form in which a path is kept: the same whenever it is asked for, another for each path."""
        form = path if _is_plain(path) else _readable(path)
        if not self._taken.keys().isdisjoint(_around(form)):  # what another file is called
            form = form.replace("/", "%2F")
        while form in self._folders or self._taken.get(form, path) != path:
            form += "~"
        self._taken[form] = path
        self._folders.update(_around(form))
        if form != path:
            self._escaped[form] = base64.b64encode(os.fsencode(path)).decode()
        return form


def path_bytes(form: str, escaped: Mapping[str, str]) -> bytes:
    """The path that was kept as `form`.

    Raises:
        Invalid: `escaped` has no base64 for it.
    """
    if form not in escaped:
        return os.fsencode(form)
    try:
        return base64.b64decode(escaped[form], validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise Invalid.field("names", f"{form!r} has a name that is no base64") from error


def _around(form: str) -> Iterator[str]:
    end = form.rfind("/")
    while end > 0:
        yield form[:end]
        end = form.rfind("/", 0, end)


def _is_plain(path: str) -> bool:
    return len(path) <= _LONGEST and "\\" not in path and path.isprintable() and not _has_drive(path)


def _readable(path: str) -> str:
    escaped = "".join(
        part
        if part.isprintable() and part not in "\\%"
        else "".join(f"%{byte:02X}" for byte in os.fsencode(part))
        for part in path
    )
    if _has_drive(escaped):
        escaped = escaped.replace(":", "%3A", 1)
    return escaped[:_LONGEST].rstrip("/")


def _has_drive(path: str) -> bool:
    """Whether another system would look for it on a drive of its own."""
    return path[:1].isalpha() and path[1:2] == ":"
