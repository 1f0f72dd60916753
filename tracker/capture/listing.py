"""What belongs to a tree without git: paths of files and links, and folders that are empty.

Paths are text as :func:`os.fsdecode` gives it, relative to the tree, with ``/`` between folders.
"""

from __future__ import annotations

import os
from pathlib import Path

from tracker.capture.captured import Reason
from tracker.capture.choosing import Bounds, Chooser, Listing, Search
from tracker.capture.ignoring import IgnoreRules

__all__ = ["TRACKER_IGNORE", "entries_of", "list_folder", "walk"]

TRACKER_IGNORE = ".trackerignore"


def list_folder(root: Path, bounds: Bounds, script: Path | None = None) -> Listing:
    """All of a tree that ignore files and common sense do not leave out; of a crowded one the script."""
    listing = Listing(root)
    chooser = Chooser(listing, IgnoreRules(root, (".gitignore", TRACKER_IGNORE)), bounds.excluded)
    if not bounds.is_crowded:
        walk(Search(listing, chooser, bounds), "")
        return listing
    listing.leave_out("./", Reason.CROWDED)
    if script is not None and script.is_relative_to(root):
        path = script.relative_to(root).as_posix()
        listing.files += [path] if chooser.keeps_file(path, is_tracked=False) else []
    return listing


def walk(search: Search, top: str) -> None:
    """Adds what is under the folder `top` of the tree."""
    listing, chooser = search.found, search.chooser
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            entries = entries_of(listing.root, folder)
        except OSError:
            listing.leave_out(f"{folder}/", Reason.UNREADABLE)
            continue
        if not entries and folder:
            listing.folders.append(folder)
        inner = []
        for path, is_folder in entries:
            if is_folder:
                inner += [path] if chooser.keeps_folder(path) else []
            elif chooser.keeps_file(path, is_tracked=False):
                listing.files.append(path)
        waiting += reversed(inner)
        if waiting and (len(listing.files) > search.bounds.limits.files or search.bounds.deadline.is_over):
            for path in waiting:
                listing.leave_out(f"{path}/", search.bounds.why_not_all)
            return


def entries_of(root: Path, folder: str) -> list[tuple[str, bool]]:
    """Paths in a folder, in order, and which are folders themselves; links are not."""
    with os.scandir(os.path.join(root, folder)) as found:  # noqa: PTH118  (names need not be text)
        prefix = f"{folder}/" if folder else ""
        return sorted((f"{prefix}{entry.name}", entry.is_dir(follow_symlinks=False)) for entry in found)
