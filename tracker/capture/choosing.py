"""Which of the things in a tree are kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracker.capture.captured import Deadline, LeftOut, Limits, Reason
from tracker.capture.confidential import is_secret_file
from tracker.capture.ignoring import (
    IgnoreRules,
    is_tracker_data,
    is_tracker_database,
    is_unwanted_file,
    is_unwanted_folder,
)

__all__ = ["Bounds", "Chooser", "Listing", "Search"]

_FOLDERS_OF_TRACKER = ("blobs", "journal", "scalars")


@dataclass
class Listing:
    """What was found in a tree.

    Attributes:
        root: the tree.
        files: files and links, in the order in which they are to be kept.
        folders: empty ones.
        left_out: what is not to be kept.
        commits: of the repositories inside, by path.
    """

    root: Path
    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    commits: dict[str, str] = field(default_factory=dict)

    def leave_out(self, path: str, reason: str) -> None:
        """Notes that something is not kept."""
        self.left_out.append(LeftOut(path, reason))


class Chooser:
    """Says of each path whether it is kept; notes in a listing what is not.

    Args:
        listing: of the tree.
        rules: the user's ignore files.
        excluded: absolute paths where tracker keeps its data. Of a folder only that is left out, since
            people keep their own things in one named ``data``, too.
    """

    def __init__(self, listing: Listing, rules: IgnoreRules, excluded: Sequence[Path]) -> None:
        self._listing = listing
        self._rules = rules
        inside = [path for path in excluded if path.is_relative_to(listing.root)]
        paths = {path.relative_to(listing.root).as_posix(): path.is_dir() for path in inside}
        self._databases = tuple(path for path, is_folder in paths.items() if not is_folder)
        self._has_data = {"" if path == "." else path: True for path, is_folder in paths.items() if is_folder}
        self._real_folders: dict[str, bool] = {"": True}

    def keeps_file(self, path: str, *, is_tracked: bool) -> bool:
        """Whether a file or link belongs into the capture, by what it is called."""
        name = path.rpartition("/")[2]
        if name == ".git":
            return False
        wanted = self._rules.verdict(path, is_folder=False)
        if not is_tracked and self._is_database(path):
            reason = Reason.DATA
        elif self._rules.excludes(path):
            reason = Reason.IGNORED
        elif wanted is None and is_secret_file(path, is_tracked=is_tracked):
            reason = Reason.SECRET
        elif wanted is None and not is_tracked and is_unwanted_file(name):
            reason = Reason.KIND
        else:
            return True
        self._listing.leave_out(path, reason)
        return False

    def keeps_folder(self, path: str) -> bool:
        """Whether one goes into a folder that git does not track."""
        around, _, name = path.rpartition("/")
        if name == ".git":
            return False
        absolute = os.path.join(self._listing.root, path)  # noqa: PTH118  (names need not be text)
        wanted = self._rules.verdict(path, is_folder=True)
        if name in _FOLDERS_OF_TRACKER and self._is_data_folder(around):
            reason = Reason.DATA
        elif wanted:
            reason = Reason.IGNORED
        elif wanted is None and is_unwanted_folder(absolute):
            reason = Reason.KIND
        else:
            return True
        self._listing.leave_out(f"{path}/", reason)
        return False

    def is_below_links(self, path: str) -> bool:
        """Whether a folder around `path` is a link now: then it leads elsewhere."""
        return not self._is_real(path.rpartition("/")[0])

    def _is_real(self, folder: str) -> bool:
        found = self._real_folders.get(folder)
        if found is None:
            absolute = os.path.join(self._listing.root, folder)  # noqa: PTH118
            try:
                is_folder = stat.S_ISDIR(os.lstat(absolute).st_mode)
            except OSError:
                is_folder = False
            found = self._real_folders[folder] = is_folder and self._is_real(folder.rpartition("/")[0])
        return found

    def _is_data_folder(self, folder: str) -> bool:
        found = self._has_data.get(folder)
        if found is None:
            found = self._has_data[folder] = is_tracker_data(os.path.join(self._listing.root, folder))  # noqa: PTH118
        return found

    def _is_database(self, path: str) -> bool:
        return (bool(self._databases) and path.startswith(self._databases)) or is_tracker_database(
            os.path.join(self._listing.root, path)  # noqa: PTH118
        )


@dataclass(frozen=True)
class Bounds:
    """How far a look through a tree goes.

    Attributes:
        limits: how much is kept.
        deadline: when it ends.
        excluded: absolute paths where tracker keeps its data.
        is_crowded: whether the tree is a home or the like, of which only what surely belongs to the run is
            kept.
    """

    limits: Limits
    deadline: Deadline
    excluded: tuple[Path, ...] = ()
    is_crowded: bool = False

    @property
    def why_not_all(self) -> str:
        """Why a search stopped before its end."""
        return Reason.LATE if self.deadline.is_over else Reason.TOO_MANY


@dataclass(frozen=True)
class Search:
    """One look through a tree: what it has found so far, what it takes, and how far it goes."""

    found: Listing
    chooser: Chooser
    bounds: Bounds
