"""File names: what an upload says, made harmless."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from tracker.domain.errors import Invalid

__all__ = ["FileKind", "file_kind", "sanitised"]

_LONGEST = 200
_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Devices of Windows, whatever follows the first dot.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)", re.IGNORECASE)


class FileKind(StrEnum):
    """How a dataset's file is written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_KINDS = {
    ".csv": FileKind.CSV,
    ".jsonl": FileKind.JSONL,
    ".ndjson": FileKind.JSONL,
    ".parquet": FileKind.PARQUET,
}


def file_kind(filename: str, default: FileKind | None = FileKind.CSV) -> FileKind:
    """How a file of this name is written, by its ending.

    Args:
        filename: sanitised or not.
        default: of a name without an ending that is known; ``None`` refuses it.

    Raises:
        Invalid: the ending is not known and there is no `default`.
    """
    for ending, kind in _KINDS.items():
        if filename.lower().endswith(ending):
            return kind
    if default is None:
        raise Invalid.field("dataset", f"the file's name must end with one of {', '.join(_KINDS)}")
    return default


def sanitised(filename: str) -> str:
    """A name that is safe in any folder, header or terminal, and still says what `filename` did.

    Folders of either slash are dropped; control, bidirectional and unassigned characters and surrogates
    are too; what Windows forbids becomes ``_``; leading and trailing dots and spaces go; at most 200 bytes
    stay, of which the ending is one. Sanitising again changes nothing.
    """
    name = re.split(r"[/\\]", filename)[-1]
    name = "".join(char for char in name if unicodedata.category(char)[0] != "C")
    name = unicodedata.normalize("NFC", name)
    name = _FORBIDDEN.sub("_", " ".join(name.split())).strip(". ")
    if _DEVICES.match(name):
        name = f"_{name}"
    return _shortened(name) or "dataset"


def _shortened(name: str) -> str:
    if len(name.encode()) <= _LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > 10:
        stem, dot, ending = name, "", ""
    room = _LONGEST - len(f"{dot}{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + ending
