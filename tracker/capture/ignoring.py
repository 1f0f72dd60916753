"""Ignore files (the patterns of ``gitignore(5)``), and kinds of things that nobody wants back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "IgnoreRules",
    "is_tracker_data",
    "is_tracker_database",
    "is_unwanted_file",
    "is_unwanted_folder",
    "regex_of",
]

_FOLDERS = frozenset(
    {".venv", "node_modules", "__pycache__", "__pypackages__", ".mypy_cache", ".pytest_cache", ".ruff_cache",
     ".tox", ".nox", ".ipynb_checkpoints", ".eggs", ".hypothesis", ".cache", ".hg", ".svn", ".bzr"}
)  # fmt: skip
_FILES = re.compile("|".join(map(translate, ("*.pyc", "*.pyo", ".DS_Store", "Thumbs.db", "*.swp"))))
_DATABASE = re.compile(r"(?P<database>.*\.db)(?:\.lock|-wal|-shm|-journal)?", re.DOTALL)
_LARGEST_IGNORE_FILE = 2**20


def is_unwanted_folder(folder: str) -> bool:
    """Whether a folder holds what can be made again: an environment, a cache, another tool's history."""
    return (
        os.path.basename(folder) in _FOLDERS  # noqa: PTH119  (names need not be text)
        or os.path.lexists(os.path.join(folder, "pyvenv.cfg"))  # noqa: PTH118
        or os.path.lexists(os.path.join(folder, "conda-meta"))  # noqa: PTH118
    )


def is_tracker_data(folder: str) -> bool:
    """Whether tracker keeps its data in this folder."""
    return os.path.lexists(os.path.join(folder, "tracker.db")) or _has_store(folder)  # noqa: PTH118


def _has_store(folder: str) -> bool:
    try:
        with os.scandir(os.path.join(folder, "scalars")) as entries:  # noqa: PTH118
            return any(entry.name.endswith(".db.lock") for entry in entries)
    except OSError:
        return False


def is_tracker_database(file: str) -> bool:
    """Whether this is a database that tracker has made, or lies beside one: it keeps a lock beside each."""
    match = _DATABASE.fullmatch(file)
    if match is None:
        return False
    database = match["database"]
    return os.path.basename(database) == "tracker.db" or os.path.lexists(f"{database}.lock")  # noqa: PTH119


def is_unwanted_file(name: str) -> bool:
    """Whether a file of this name can be made again."""
    return _FILES.match(name) is not None


class _Pattern(NamedTuple):
    regex: re.Pattern[str]
    excludes: bool
    only_folders: bool


class IgnoreRules:
    """What the ignore files of a tree say of its paths.

    Args:
        root: the tree.
        names: of the ignore files; patterns of later ones count more.
    """

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._root = root
        self._names = names
        self._patterns: dict[str, tuple[_Pattern, ...]] = {}
        self._excluded: dict[str, bool] = {"": False}

    def verdict(self, path: str, *, is_folder: bool) -> bool | None:
        """What the last pattern that fits says: ``True`` leave out, ``False`` keep; ``None``: none fits.

        The folders around it are not looked at.
        """
        parts = path.split("/")
        for depth in range(len(parts) - 1, -1, -1):
            inner = "/".join(parts[depth:])
            for pattern in reversed(self._patterns_in("/".join(parts[:depth]))):
                if (is_folder or not pattern.only_folders) and pattern.regex.fullmatch(inner):
                    return pattern.excludes
        return None

    def excludes(self, path: str) -> bool:
        """Whether a file is left out, itself or with a folder around it."""
        return self._excludes_folder(path.rpartition("/")[0]) or bool(self.verdict(path, is_folder=False))

    def _excludes_folder(self, folder: str) -> bool:
        found = self._excluded.get(folder)
        if found is None:
            outer = self._excludes_folder(folder.rpartition("/")[0])
            found = self._excluded[folder] = outer or bool(self.verdict(folder, is_folder=True))
        return found

    def _patterns_in(self, folder: str) -> tuple[_Pattern, ...]:
        found = self._patterns.get(folder)
        if found is None:
            lines = (line for name in self._names for line in self._lines(folder, name))
            found = self._patterns[folder] = tuple(_parsed(lines))
        return found

    def _lines(self, folder: str, name: str) -> list[str]:
        try:
            with (self._root / folder / name).open("rb") as file:
                content = file.read(_LARGEST_IGNORE_FILE)
        except OSError:
            return []
        return [os.fsdecode(line.removesuffix(b"\r")) for line in content.split(b"\n")]


def _parsed(lines: Iterable[str]) -> Iterable[_Pattern]:
    for line in lines:
        text = line
        while text.endswith(" ") and not text.endswith("\\ "):
            text = text[:-1]
        if not text or text.startswith("#"):
            continue
        excludes = not text.startswith("!")
        text = text if excludes else text[1:]
        only_folders = text.endswith("/")
        text = text.removesuffix("/")
        regex = regex_of(text) if text else None
        if regex is not None:
            yield _Pattern(regex, excludes, only_folders)


def regex_of(pattern: str) -> re.Pattern[str] | None:
    """The paths for which one pattern holds, as a regular expression over the whole path.

    ``None`` where it holds for none, as one with a bracket or backslash that leads to nothing.
    """
    anchored = "/" in pattern
    pattern = re.sub(r"\*{3,}", "**", pattern.removeprefix("/"))
    if pattern == "**":
        return re.compile(".+", re.DOTALL)
    pieces = [] if anchored else ["(?:.*/)?"]
    position = 0
    while position < len(pattern):
        piece, position = _piece(pattern, position)
        if piece is None:
            return None
        pieces.append(piece)
    try:
        return re.compile("".join(pieces), re.DOTALL)
    except re.error:
        return None


def _piece(pattern: str, at: int) -> tuple[str | None, int]:
    """The expression for what stands at a place, and where the rest begins."""
    rest = pattern[at:]
    starts_part = at == 0 or pattern[at - 1] == "/"
    if rest.startswith("**/") and starts_part:
        return "(?:.*/)?", at + 3
    if rest == "**" and starts_part and at:
        return ".+", at + 2
    match rest[0]:
        case "*":
            return "[^/]*", at + len(rest) - len(rest.lstrip("*"))
        case "?":
            return "[^/]", at + 1
        case "[":
            return _bracket(pattern, at)
        case "\\":
            return (re.escape(rest[1]), at + 2) if len(rest) > 1 else (None, at + 1)
    return re.escape(rest[0]), at + 1


def _bracket(pattern: str, at: int) -> tuple[str | None, int]:
    negated = pattern[at + 1 : at + 2] in ("!", "^")
    start = at + 1 + negated
    end = pattern.find("]", start + 1)
    if end < 0:
        return None, len(pattern)
    inside = re.sub(r"([\\\[&|~^])", r"\\\1", pattern[start:end])
    return f"(?!/)[{'^' if negated else ''}{inside}]", end + 1
