"""Builds a captured tree again: a function of what it held and of a way to its bytes, without git."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tracker.capture.naming import path_bytes
from tracker.domain.errors import Conflict, Invalid, Unavailable

__all__ = ["Rebuilt", "SnapshotEntry", "Tree", "rebuild"]

_PIECE = 2**20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class SnapshotEntry(Protocol):
    """One file or link of a snapshot; see :class:`~tracker.capture.captured.CapturedFile`."""

    @property
    def path(self) -> str:
        """Relative."""

    @property
    def digest(self) -> str:
        """SHA-256 in hex."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def mode(self) -> int:
        """``0o755`` for what can be executed."""

    @property
    def link(self) -> bool:
        """Whether the content is the target of a symbolic link."""


@dataclass(frozen=True)
class Tree:
    """What a snapshot says that a tree held.

    Attributes:
        files: and links.
        folders: those with nothing in them.
        names: kept form of a path -> its bytes in base64, where they are not the same.
    """

    files: Sequence[SnapshotEntry]
    folders: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Sequence[SnapshotEntry], environment: Mapping[str, object]) -> Tree:
        """The tree of a snapshot and its environment.

        Raises:
            Invalid: what the environment says of the tree has another form.
        """
        told = environment.get("tree") or {}
        if not isinstance(told, Mapping):
            raise Invalid.field("tree", "must be an object")
        folders, names = told.get("folders", ()), told.get("names", {})
        if not isinstance(folders, Sequence) or not all(isinstance(each, str) for each in folders):
            raise Invalid.field("folders", "must be paths")
        if not isinstance(names, Mapping) or not all(isinstance(each, str) for each in names.values()):
            raise Invalid.field("names", "must be base64 by path")
        return cls(files, tuple(folders), names)


@dataclass(frozen=True)
class Rebuilt:
    """What was written.

    Attributes:
        files: how many, links too.
        size: of them in bytes.
    """

    files: int
    size: int


def rebuild(
    tree: Tree,
    fetch: Callable[[str, Path], None],
    to: Path,
    *,
    force: bool = False,
    advance: Callable[[int], None] = lambda count: None,
) -> Rebuilt:
    """Writes a tree into a folder, each file at once or not at all.

    Nothing is written outside of `to`: links are made last, and none is gone through, whether it is of
    the snapshot or was there.

    Args:
        tree: what to write.
        fetch: puts the content with a digest into a file.
        to: the folder, made when it is not there.
        force: also into a folder that has something in it; files of the tree then take the place of
            those of the same name, and others stay.
        advance: is told of each file that is done.

    Raises:
        Conflict: something is in the folder, or in the way of a file.
        Invalid: a path does not stay inside of the tree, or the content of a file is not what its
            digest says.
        Unavailable: something cannot be written.
    """
    entries = _checked(tree)
    folders = [_checked_path(path, tree.names) for path in tree.folders]
    _prepare(to, force=force)
    try:
        with _staging(to) as staging:
            contents = _Contents(fetch, staging, Counter(entry.digest for _, entry in entries))
            root = _Root(to)
            for path in folders:
                root.make_folder(path)
            # Links last: until then no folder can lead elsewhere.
            for path, entry in sorted(entries, key=lambda each: each[1].link):
                root.write(path, entry, contents.of(entry))
                advance(1)
    except OSError as error:
        raise Unavailable(f"{to} cannot be written to: {error.strerror or error}") from error
    return Rebuilt(len(entries), sum(entry.size for _, entry in entries))


def _checked(tree: Tree) -> list[tuple[bytes, SnapshotEntry]]:
    """The files with the bytes of their paths.

    Raises:
        Invalid: a path is not inside, two are the same, or one leads through a file or link.
    """
    entries = [(_checked_path(entry.path, tree.names), entry) for entry in tree.files]
    leaves = {path for path, _ in entries}
    if len(leaves) < len(entries):
        raise Invalid.field("files", "two files of the snapshot have the same path")
    inner = [*leaves, *(_checked_path(path, tree.names) + b"/x" for path in tree.folders)]
    for path in inner:
        parts = path.split(b"/")
        for depth in range(1, len(parts)):
            if b"/".join(parts[:depth]) in leaves:
                raise Invalid.field("files", f"{os.fsdecode(path)!r} leads through a file or link")
    return entries


def _checked_path(form: str, names: Mapping[str, str]) -> bytes:
    path = path_bytes(form, names)
    parts = path.split(b"/")
    if b"\0" in path or not {b"", b".", b".."}.isdisjoint(parts):
        raise Invalid.field("path", f"{form!r} does not stay inside of the tree")
    if any(part.lower() == b".git" for part in parts):
        # What git finds there, it obeys; and no capture has it.
        raise Invalid.field("path", f"{form!r} is inside of a repository's own folder")
    return path


def _prepare(to: Path, *, force: bool) -> None:
    try:
        to.mkdir(parents=True, exist_ok=True)
        is_empty = not any(to.iterdir())
    except FileExistsError as error:
        raise Conflict(f"{to} is a file; name a folder") from error
    except OSError as error:
        raise Unavailable(f"{to} cannot be made: {error.strerror or error}") from error
    if not is_empty and not force:
        raise Conflict(f"{to} is not empty; --force writes into it all the same")


@contextmanager
def _staging(to: Path) -> Iterator[Path]:
    """A folder for what comes, on the same disk."""
    folder = Path(tempfile.mkdtemp(prefix=".tracker-restore-", dir=to))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Contents:
    """Fetches each content once, and drops it after its last use."""

    def __init__(self, fetch: Callable[[str, Path], None], staging: Path, uses: Counter[str]) -> None:
        self._fetch = fetch
        self._staging = staging
        self._left = uses

    def of(self, entry: SnapshotEntry) -> Path:
        """A file with the content of `entry`, which may be moved away.

        Raises:
            Invalid: the digest or the size are not what came.
        """
        fetched = self._staging / "fetched"
        there = self._staging / f"content-{entry.digest}"
        if not there.exists():
            if len(entry.digest) != 64 or not entry.digest.isalnum():
                raise Invalid.field("digest", f"{entry.digest!r} is no SHA-256")
            self._fetch(entry.digest, fetched)
            if _digest(fetched) != entry.digest:
                raise Invalid.field("digest", f"the content of {entry.path!r} is not what its digest says")
            fetched.replace(there)
        if there.stat().st_size != entry.size:
            raise Invalid.field("size", f"the content of {entry.path!r} has not the size that is told")
        self._left[entry.digest] -= 1
        if not self._left[entry.digest]:
            return there
        copy = self._staging / "copy"
        shutil.copyfile(there, copy)
        return copy


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


class _Root:
    """The folder that is written to; every step in it is taken from a folder that is known to be one."""

    def __init__(self, to: Path) -> None:
        self._to = to.resolve()

    def make_folder(self, path: bytes) -> None:
        """Makes a folder and those around it."""
        with self._opened(path.split(b"/")):
            pass

    def write(self, path: bytes, entry: SnapshotEntry, content: Path) -> None:
        """Puts a file or link into its place, with one step that others see whole or not at all.

        Raises:
            Conflict: a folder is in its place, or a link or file in the place of a folder.
        """
        *folders, name = path.split(b"/")
        if entry.link:
            made = content.with_name("link")
            with suppress(FileNotFoundError):
                made.unlink()
            os.symlink(content.read_bytes(), os.fsencode(made))  # noqa: PTH211  (bytes)
            content.unlink()
            content = made
        else:
            self._give_mode(content, entry.mode)
        with self._opened(folders) as folder:
            try:
                os.rename(os.fsencode(content), name, dst_dir_fd=folder)
            except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
                raise Conflict(f"a folder is in the place of {entry.path!r}; move it away") from error

    @staticmethod
    def _give_mode(content: Path, mode: int) -> None:
        """Makes a file executable or not, and otherwise as the user's mask has new files."""
        plain = stat.S_IMODE(content.stat().st_mode) & 0o666
        content.chmod(plain | (plain & 0o444) >> 2 if mode & 0o100 else plain)

    @contextmanager
    def _opened(self, folders: Sequence[bytes]) -> Iterator[int]:
        descriptor = os.open(self._to, _FOLDER)
        try:
            for name in folders:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=descriptor)
                try:
                    inner = os.open(name, _FOLDER, dir_fd=descriptor)
                except OSError as error:
                    shown = os.fsdecode(b"/".join(folders))
                    raise Conflict(f"{os.fsdecode(name)!r} on the way to {shown!r} is no folder") from error
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)
