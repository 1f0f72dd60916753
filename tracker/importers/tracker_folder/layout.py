"""The files of an export, and how they are told to be whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tracker.domain.errors import Invalid, Unavailable

__all__ = [
    "EXPERIMENTS",
    "FORMAT",
    "MANIFEST",
    "PROJECT",
    "VERSION",
    "blob_path",
    "digest_of",
    "json_of",
    "lines_of",
]

FORMAT = "tracker export"
VERSION = 1
MANIFEST, PROJECT, EXPERIMENTS = "manifest.json", "project.json", "experiments.jsonl"


def blob_path(folder: Path, digest: str) -> Path:
    """Where the bytes of a digest lie in an export."""
    return folder / "blobs" / digest[:2] / digest


def digest_of(path: Path) -> str:
    """The SHA-256 of a file.

    Raises:
        Unavailable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror or error}") from error


def json_of(path: Path) -> Mapping[str, Any]:
    """The object in a file.

    Raises:
        Invalid: it holds none.
        Unavailable: it cannot be read.
    """
    return _parsed(_read(path), str(path))


def lines_of(path: Path) -> Iterator[Mapping[str, Any]]:
    """The object on each line of a file.

    Raises:
        Invalid: a line holds none.
        Unavailable: it cannot be read.
    """
    for number, line in enumerate(_read(path).split("\n"), 1):
        if line.strip():
            yield _parsed(line, f"{path}, line {number}")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise Invalid.field("DIR", f"{path} is not UTF-8 text") from error


def _parsed(text: str, where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid.field("DIR", f"{where} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Invalid.field("DIR", f"{where} is no JSON object")
    return found
