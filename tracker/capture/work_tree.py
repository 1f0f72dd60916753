"""What belongs to a git work tree, as it is on disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.capture.captured import Reason
from tracker.capture.choosing import Bounds, Chooser, Listing, Search
from tracker.capture.git import Git, NoAnswer
from tracker.capture.ignoring import IgnoreRules
from tracker.capture.listing import TRACKER_IGNORE, entries_of, walk

__all__ = ["list_work_tree"]

_DEEPEST_NESTING = 8
_MOST_EMPTY_FOLDERS = 2_000
_MOST_NAMES = 200_000


def list_work_tree(git: Git, root: Path, bounds: Bounds) -> Listing:
    """A work tree as it is on disk: what git tracks, what it would let one add, and the same for
    repositories inside.

    Raises:
        NoAnswer: git does not tell what it tracks.
    """
    listing = Listing(root)
    chooser = Chooser(listing, IgnoreRules(root, (TRACKER_IGNORE,)), bounds.excluded)
    _list_repository(_Place(git, "", 0), Search(listing, chooser, bounds))
    return listing


@dataclass(frozen=True)
class _Place:
    """A repository, where it is in the tree, and how many are around it."""

    git: Git
    prefix: str
    depth: int


def _list_repository(place: _Place, search: Search) -> None:
    # Far more than is kept, since which files are near the script is asked later. All stages of a
    # conflict come, and what is under a link that was a folder; the disk tells what is there.
    tracked, has_all = place.git.names("ls-files", "-z", "--cached", "--stage", most=_MOST_NAMES)
    if not has_all:
        search.found.leave_out(place.prefix or "./", search.bounds.why_not_all)
    inner = _take_tracked(place, tracked, search)
    if search.bounds.is_crowded:
        search.found.leave_out("./", Reason.CROWDED)
    else:
        inner += _take_others(place, search)
        _note_empty_folders(place, tracked, search)
    for path in dict.fromkeys(inner):
        _list_inner(place, path, search)


def _take_tracked(place: _Place, names: Sequence[bytes], search: Search) -> list[str]:
    """Takes what is tracked and there; gives the repositories inside."""
    listing, chooser = search.found, search.chooser
    inner: list[str] = []
    seen: set[str] = set()
    for entry in names:
        head, _, name = entry.partition(b"\t")
        path = place.prefix + os.fsdecode(name)
        if path in seen:
            continue
        seen.add(path)
        try:
            mode = os.lstat(os.path.join(listing.root, path)).st_mode  # noqa: PTH118
        except OSError:
            continue  # deleted
        if chooser.is_below_links(path):
            continue
        if stat.S_ISDIR(mode):
            inner += [path] if head.startswith(b"160000") else []
        elif chooser.keeps_file(path, is_tracked=True):
            listing.files.append(path)
    return inner


def _take_others(place: _Place, search: Search) -> list[str]:
    """Takes what one could add; gives the repositories inside."""
    names, has_all = place.git.names("ls-files", "-z", "--others", "--exclude-standard", most=_MOST_NAMES)
    if not has_all:
        search.found.leave_out(place.prefix or "./", search.bounds.why_not_all)
    inner: list[str] = []
    folders: dict[str, bool] = {}
    for name in names:
        path = place.prefix + os.fsdecode(name)
        if path.endswith("/"):
            inner.append(path.removesuffix("/"))
        elif _is_wanted(path, place.prefix, folders, search.chooser):
            search.found.files.append(path)
    return inner


def _is_wanted(path: str, prefix: str, folders: dict[str, bool], chooser: Chooser) -> bool:
    return _keeps_around(path, prefix, folders, chooser) and chooser.keeps_file(path, is_tracked=False)


def _keeps_around(path: str, prefix: str, known: dict[str, bool], chooser: Chooser) -> bool:
    """Whether the folders around an untracked file are wanted."""
    folder = path.rpartition("/")[0]
    if len(folder) <= len(prefix.removesuffix("/")):
        return True
    found = known.get(folder)
    if found is None:
        found = known[folder] = _keeps_around(folder, prefix, known, chooser) and chooser.keeps_folder(folder)
    return found


def _list_inner(outer: _Place, path: str, search: Search) -> None:
    """A submodule, or a repository that somebody put there."""
    folder = search.found.root / path
    if search.chooser.is_below_links(f"{path}/x") or not search.chooser.keeps_folder(path):
        return
    git = outer.git.at(folder)
    top = git.text("rev-parse", "--show-toplevel")
    if outer.depth < _DEEPEST_NESTING and top is not None and Path(top) == folder:
        try:
            _list_repository(_Place(git, f"{path}/", outer.depth + 1), search)
        except NoAnswer:
            pass
        else:
            search.found.commits[path] = git.text("rev-parse", "--verify", "--quiet", "HEAD") or ""
            return
    walk(search, path)


def _note_empty_folders(place: _Place, tracked: Sequence[bytes], search: Search) -> None:
    """Folders without anything in them, unless git ignores them."""
    listing, chooser = search.found, search.chooser
    try:
        found, _ = place.git.names(
            "ls-files", "-z", "--others", "--exclude-standard", "--directory", most=_MOST_NAMES
        )
    except NoAnswer:
        return
    tops = {place.prefix + os.fsdecode(name[:-1]) for name in found if name.endswith(b"/")}
    # A folder whose tracked files are all deleted is not named above.
    tops |= set(_left_behind(place, tracked, listing.root))
    candidates = dict.fromkeys(
        path for top in sorted(tops) if not chooser.is_below_links(f"{top}/x")
        for path in _empty_folders(listing.root, top)
    )  # fmt: skip
    wanted = [path for path in candidates if chooser.keeps_folder(path)]
    listing.folders += _not_ignored(place, wanted)


def _left_behind(place: _Place, tracked: Sequence[bytes], root: Path) -> Iterator[str]:
    folders: set[bytes] = set()
    for name in tracked:
        folder = name.partition(b"\t")[2].rpartition(b"/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition(b"/")[0]
    for folder in sorted(folders):
        path = place.prefix + os.fsdecode(folder)
        try:
            with os.scandir(os.path.join(root, path)) as entries:  # noqa: PTH118
                is_empty = not any(entry.name for entry in entries)
        except OSError:
            continue
        if is_empty:
            yield path


def _empty_folders(root: Path, top: str) -> Iterator[str]:
    """Folders under `top`, itself included, that hold nothing; repositories are not gone into."""
    waiting, looked = [top], 0
    while waiting and looked < _MOST_EMPTY_FOLDERS:
        folder = waiting.pop()
        looked += 1
        try:
            entries = entries_of(root, folder)
        except OSError:
            continue
        if not entries:
            yield folder
        if not any(path.endswith("/.git") for path, _ in entries):
            waiting += (path for path, is_folder in entries if is_folder)


def _not_ignored(place: _Place, folders: Sequence[str]) -> list[str]:
    if not folders:
        return []
    asked = b"".join(os.fsencode(path.removeprefix(place.prefix)) + b"/\0" for path in folders)
    try:
        answer = place.git.answer("check-ignore", "-z", "--stdin", stdin=asked)
    except NoAnswer:
        return list(folders)  # git says with exit code 1 that it ignores none
    ignored = {place.prefix + os.fsdecode(name.removesuffix(b"/")) for name in answer.split(b"\0") if name}
    return [path for path in folders if path not in ignored]
