"""Where what a worker prints goes, so that it fills no disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

__all__ = ["LogFile", "Output", "Passing"]

_MOST = 2 * 2**20  # bytes of a file, of which there are two


class Output(Protocol):
    """Takes what was printed."""

    def write(self, piece: bytes) -> None:
        """Keeps it, or the last of it."""


class LogFile:
    """``worker.log`` and, before it, ``worker.log.1``: the last that was printed.

    Args:
        path: of the first.
        most: bytes of each.
    """

    def __init__(self, path: Path, most: int = _MOST) -> None:
        self._path = path
        self._most = most

    def write(self, piece: bytes) -> None:
        """Keeps it; of more than fits, the end."""
        try:
            with self._path.open("ab") as file:
                file.write(piece)
                size = file.tell()
            if size > self._most:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError:  # a full disk is no reason to end the work
            return


class Passing:
    """The standard output, up to so many bytes: who reads it keeps it all.

    Args:
        most: bytes.
    """

    def __init__(self, most: int = 2 * _MOST) -> None:
        self._left = most

    def write(self, piece: bytes) -> None:
        """Passes it on; of more than may be, the beginning."""
        if self._left > 0:
            self._left -= len(piece)
            _print(piece if self._left >= 0 else piece[: self._left] + b"\n... (the rest is left out)\n")

    def last(self, line: str) -> None:
        """One more line, whatever there was before."""
        _print(b"\n" + line.encode() + b"\n")


def _print(piece: bytes) -> None:
    while piece:
        try:
            piece = piece[os.write(1, piece) :]
        except OSError:
            return
