"""Names that stay inside of the folder they are unpacked into, on every system."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from tracker.domain.text import storable

__all__ = ["LONGEST_NAME", "ArtifactName", "SnapshotPath", "check_tree", "safe"]

LONGEST_NAME = 500
LONGEST_PATH = 4096

_DRIVE = re.compile(r"[A-Za-z]:")
_NOWHERE = frozenset({"", ".", ".."})


def safe(path: str) -> str:
    """Refuses a path that could lead out of the folder it is meant for.

    Raises:
        PydanticCustomError: it is absolute, has a drive letter, a backslash, an empty part, ``.`` or
            ``..``, or text that cannot be kept.
    """
    storable(path)
    if "\\" in path:
        raise PydanticCustomError("path_backslash", "a path has slashes, no backslashes")
    if _DRIVE.match(path):
        raise PydanticCustomError("path_drive", "a path must not begin with a drive letter")
    if not _NOWHERE.isdisjoint(path.split("/")):
        raise PydanticCustomError(
            "path_unsafe", "a path must be relative, without empty parts, '.' and '..', such as src/train.py"
        )
    return path


ArtifactName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), AfterValidator(safe)]
SnapshotPath = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PATH), AfterValidator(safe)]


def check_tree(paths: Collection[str]) -> None:
    """Lets pass paths that can stand beside each other.

    Raises:
        PydanticCustomError: one stands twice, or is a file and, for another one, a folder: unpacked,
            a link could then lead what is below it to anywhere.
    """
    files = set(paths)
    if len(files) != len(paths):
        raise PydanticCustomError("paths_unique", "the same path stands twice")
    for path in files:
        end = path.rfind("/")
        while end > 0:
            if path[:end] in files:
                raise PydanticCustomError(
                    "path_file_and_folder", "'{path}' is a file and a folder", {"path": path[:end]}
                )
            end = path.rfind("/", 0, end)
