"""The uncommitted changes of tracked files as git tells them, without what may be secret."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from tracker.capture.captured import Deadline, LeftOut, Reason
from tracker.capture.confidential import has_key_block, is_secret_file
from tracker.capture.git import Git, NoAnswer

__all__ = ["Difference", "difference"]

_MOST_NAMES = 100_000
_MOST_HIDDEN = 200
_HEAD = b"diff --git "
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git knows it without having it


class Difference:
    """A diff, or why there is none.

    Attributes:
        text: as ``git apply`` takes it, but that bytes which are no UTF-8 are replaced; ``None`` when
            nothing differs or it cannot be told.
        is_whole: whether nothing was cut off.
        left_out: what differs and is not shown.
    """

    def __init__(self, text: str | None, *, is_whole: bool = True, left_out: Sequence[LeftOut] = ()) -> None:
        self.text = text
        self.is_whole = is_whole
        self.left_out = tuple(left_out)


def difference(git: Git, hidden: Sequence[str], most: int, deadline: Deadline) -> Difference:
    """How tracked files differ from the commit.

    Args:
        git: on the root of a work tree.
        hidden: paths that must not be shown, whatever they are called.
        most: bytes, at most.
        deadline: when it has to be done.
    """
    safe = git.without_filters()
    if safe is None or deadline.is_over:
        why = Reason.LATE if deadline.is_over else "a filter's name has an equals sign"
        return Difference(None, is_whole=False, left_out=[LeftOut("(diff)", why)])
    base = "HEAD" if safe.text("rev-parse", "--verify", "--quiet", "HEAD") else _EMPTY_TREE
    try:
        # Without renames, both names of a renamed file are told.
        names, _ = safe.names("diff", base, "--name-only", "-z", "--no-renames", *_PLAIN, most=_MOST_NAMES)
        paths = list(map(os.fsdecode, names))
        secret = [path for path in paths if path in set(hidden) or is_secret_file(path, is_tracked=True)]
        left_out = [LeftOut(path, f"{Reason.SECRET} (diff)") for path in secret]
        if len(secret) > _MOST_HIDDEN:
            return Difference(None, is_whole=False, left_out=left_out)
        excluded = [f":(exclude,literal,top){path}" for path in secret]
        found, is_whole = safe.beginning("diff", base, "--binary", *_PLAIN, "--", ":/", *excluded, most=most)
    except (NoAnswer, ValueError):
        return Difference(None, is_whole=False, left_out=[LeftOut("(diff)", "git does not tell it")])
    content = b"".join(_shown(found, is_whole=is_whole))
    text = content.decode("utf-8", errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return Difference(text or None, is_whole=is_whole, left_out=left_out)


_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty", "--src-prefix=a/",
          "--dst-prefix=b/")  # fmt: skip


def _shown(content: bytes, *, is_whole: bool) -> Iterator[bytes]:
    """The parts of a diff, a file each, without those that say nothing or hold a private key, and
    without the last when it was cut."""
    parts = _parts(content)
    for part in parts if is_whole else parts[:-1]:
        _, _, changes = part.partition(b"\n")
        if changes and not any(has_key_block(line[1:]) for line in changes.split(b"\n")):
            yield part


def _parts(content: bytes) -> list[bytes]:
    """Every line of a file's content begins with a sign, so a bare head begins another file."""
    if not content:
        return []
    pieces = content.split(b"\n" + _HEAD)
    first = [pieces[0] + b"\n"] if len(pieces) > 1 else [pieces[0]]
    rest = [_HEAD + piece + b"\n" for piece in pieces[1:-1]]
    return first + rest + ([_HEAD + pieces[-1]] if len(pieces) > 1 else [])
