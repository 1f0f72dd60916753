"""Copies files while it hashes them, so that what is kept is exactly what was hashed."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from tracker.capture.captured import BLOBS, CapturedFile, Deadline, Limits, Reason
from tracker.capture.choosing import Listing
from tracker.capture.confidential import has_key_block
from tracker.capture.naming import Names

__all__ = ["copy_files"]

_PIECE = 2**20
_PART = "part"
_TRIES = 3
_EXECUTABLE = 0o100


class _Refused(Exception):
    """Why a file is left out."""


@dataclass
class _Copies:
    """Where copies go, and how much there is of them."""

    folder: Path
    limits: Limits
    deadline: Deadline
    total: int = 0
    made: list[tuple[CapturedFile, Path]] = field(default_factory=list)


def copy_files(
    listing: Listing, names: Names, staging: Path, limits: Limits, deadline: Deadline
) -> list[tuple[CapturedFile, Path]]:
    """Copies the files of a listing; what cannot be is noted in it as left out.

    Args:
        listing: of a tree.
        names: gives paths the form in which they are kept.
        staging: gets the bytes, each content once, under its digest.
        limits: how much is kept.
        deadline: when it has to be done.
    """
    copies = _Copies(staging / BLOBS, limits, deadline)
    copies.folder.mkdir(parents=True, exist_ok=True)
    for done, path in enumerate(listing.files):
        is_late = deadline.is_over
        if is_late or len(copies.made) >= limits.files:
            why = Reason.LATE if is_late else Reason.TOO_MANY
            listing.leave_out(f"({len(listing.files) - done} files, from {path} on)", why)
            break
        try:
            _copy(Path(os.path.join(listing.root, path)), names.kept(path), copies)  # noqa: PTH118
        except FileNotFoundError:
            continue  # deleted since it was listed: as if it had never been
        except _Refused as refusal:
            listing.leave_out(path, str(refusal))
        except OSError:
            listing.leave_out(path, Reason.UNREADABLE)
    (copies.folder / _PART).unlink(missing_ok=True)
    return copies.made


def _copy(source: Path, path: str, copies: _Copies) -> None:
    status = source.lstat()
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(os.fsencode(source))  # noqa: PTH115  (bytes)
        _keep_bytes(target, path, copies)
        return
    if not stat.S_ISREG(status.st_mode):
        raise _Refused(Reason.SPECIAL)
    _require_room(status.st_size, copies)
    for _ in range(_TRIES):
        written = copies.folder / _PART
        before, digest, size, after = _hashed_copy(source, written, copies)
        if _is_same(before, after):
            mode = 0o755 if after.st_mode & _EXECUTABLE else 0o644
            kept = copies.folder / digest
            written.replace(kept)
            copies.total += size
            copies.made.append((CapturedFile(path, digest, size, mode, link=False), kept))
            return
    raise _Refused(Reason.CHANGING)


def _keep_bytes(content: bytes, path: str, copies: _Copies) -> None:
    _require_room(len(content), copies)
    digest = hashlib.sha256(content).hexdigest()
    kept = copies.folder / digest
    with kept.open("wb", buffering=0) as copy:
        _write(copy, content)
    copies.total += len(content)
    copies.made.append((CapturedFile(path, digest, len(content), 0o644, link=True), kept))


def _require_room(size: int, copies: _Copies) -> None:
    if size > copies.limits.file:
        raise _Refused(Reason.TOO_LARGE)
    if copies.total + size > copies.limits.total:
        raise _Refused(Reason.FULL)


def _hashed_copy(
    source: Path, written: Path, copies: _Copies
) -> tuple[os.stat_result, str, int, os.stat_result]:
    """Copies one file: its status before and after, and the digest and size of what was copied."""
    # A file may have become a pipe, which would block, or a link since it was looked at.
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file, written.open("wb", buffering=0) as copy:  # noqa: PTH123
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise _Refused(Reason.SPECIAL)
        digest, size = hashlib.sha256(), 0
        while piece := file.read(_PIECE):
            if not size and has_key_block(piece[:256]):
                raise _Refused(Reason.SECRET)
            size += len(piece)
            _require_room(size, copies)
            if copies.deadline.is_over:
                raise _Refused(Reason.LATE)
            digest.update(piece)
            _write(copy, piece)
        return before, digest.hexdigest(), size, os.fstat(descriptor)


def _write(copy: FileIO, piece: bytes) -> None:
    rest = memoryview(piece)
    try:
        while rest:
            rest = rest[copy.write(rest) :]
    except OSError as error:
        raise _Refused(f"cannot be copied: {error.strerror}") from error


def _is_same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns, before.st_mode) == (
        after.st_size, after.st_mtime_ns, after.st_mode,
    )  # fmt: skip
