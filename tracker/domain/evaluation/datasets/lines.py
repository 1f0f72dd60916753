"""Lines out of chunks of bytes, without ever holding more than one row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracker.domain.errors import TooLarge
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.refusal import refused

__all__ = ["Lines"]

_BOM = b"\xef\xbb\xbf"
_FOREIGN_BOMS = (b"\xff\xfe", b"\xfe\xff")


class Lines:
    """The lines of a file of text in UTF-8, each with the line end it has.

    Only a line feed ends a line: a quoted CSV field may hold any other separator that ``str.splitlines``
    knows. A byte order mark at the start is passed over.

    Attributes:
        row: being read, from 1; 0 is a CSV file's header.
    """

    def __init__(self, chunks: Iterable[bytes], limits: Limits) -> None:
        self.row = 0
        self._chunks = iter(chunks)
        self._limits = limits
        self._row_bytes = 0
        self._file_bytes = 0
        self._found = self._cut()

    def begin_row(self) -> None:
        """What follows belongs to another row, whose size is counted anew."""
        self._row_bytes = 0

    def following(self) -> str | None:
        """The next line; ``None`` when there is none.

        Raises:
            Invalid: it is not UTF-8, has a NUL character, or makes its row larger than allowed.
            TooLarge: the file is larger than allowed.
        """
        line = next(self._found, None)
        if line is None:
            return None
        self._row_bytes += len(line)
        self._check_row(0)
        if b"\x00" in line:
            raise refused("has a NUL character; remove it, or save the file as UTF-8 text", row=self.row)
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            raise refused(
                f"is not UTF-8 text (byte 0x{line[error.start]:02x}); save the file as UTF-8", row=self.row
            ) from error

    def _cut(self) -> Iterator[bytes]:
        """The lines of all chunks. A line in the making is a list of parts, so that long ones are joined
        once."""
        parts: list[bytes] = []
        held = 0
        for chunk in self._begun():
            start = 0
            while (end := chunk.find(b"\n", start)) >= 0:
                parts.append(chunk[start : end + 1])
                yield b"".join(parts)
                parts.clear()
                start, held = end + 1, 0
            if start < len(chunk):
                parts.append(chunk[start:])
                held += len(chunk) - start
                self._check_row(held)
        if parts:
            yield b"".join(parts)

    def _begun(self) -> Iterator[bytes]:
        """The chunks, less a byte order mark."""
        head = b""
        for chunk in self._counted():
            head += chunk
            if len(head) >= len(_BOM):
                break
        if head.startswith(_FOREIGN_BOMS):
            raise refused("the file is UTF-16 text; save it as UTF-8")
        yield head.removeprefix(_BOM)
        yield from self._counted()

    def _counted(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._file_bytes += len(chunk)
            if self._file_bytes > self._limits.file_bytes:
                raise TooLarge(f"dataset: has more than the {self._limits.file_bytes:,} bytes allowed")
            yield chunk

    def _check_row(self, coming: int) -> None:
        if self._row_bytes + coming > self._limits.row_bytes:
            raise refused(f"has more than the {self._limits.row_bytes:,} bytes allowed", row=self.row)
