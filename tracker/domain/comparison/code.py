"""What a unified diff touches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tracker.domain.ids import ExperimentId

__all__ = ["CodeState", "FileChange", "code_state", "files_of"]

_HUNK = re.compile(r"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_NOWHERE = "/dev/null"


class FileChange(NamedTuple):
    """What a diff does to one file.

    Attributes:
        path: of the file as it is afterwards; of a deleted one, as it was.
        added, removed: lines.
    """

    path: str
    added: int
    removed: int


class CodeState(NamedTuple):
    """The uncommitted changes that an experiment ran with.

    Attributes:
        is_known: whether it kept any.
        same: whether they are those of the baseline; ``None`` where one of the two kept none.
        files: what they touch, by path.
    """

    experiment_id: ExperimentId
    is_known: bool
    same: bool | None
    files: tuple[FileChange, ...]


def code_state(experiment_id: ExperimentId, patch: str | None, baseline: str | None) -> CodeState:
    """What is known of an experiment's code.

    Args:
        experiment_id: whose.
        patch: its git diff.
        baseline: that of the baseline.
    """
    same = None if patch is None or baseline is None else patch == baseline
    return CodeState(experiment_id, patch is not None, same, () if patch is None else files_of(patch))


def files_of(patch: str) -> tuple[FileChange, ...]:
    """The files that a unified diff touches, by path.

    Lines are counted by the lengths that hunks announce, so that a removed line ``-- x`` is none of the
    headers. A file that stands in it twice is one; text that is no diff touches nothing.
    """
    counts: dict[str, tuple[int, int]] = {}
    for path, added, removed in _changes(patch):
        before = counts.get(path, (0, 0))
        counts[path] = (before[0] + added, before[1] + removed)
    return tuple(FileChange(path, *counts[path]) for path in sorted(counts))


def _changes(patch: str) -> Iterator[FileChange]:
    """A row for each header and each line that counts."""
    path = old_path = ""
    old = new = 0
    for line in patch.split("\n"):
        if old > 0 or new > 0:
            kind = line[:1]
            if kind == "\\":  # "No newline at end of file" is no line of the file
                continue
            old -= kind != "+"
            new -= kind != "-"
            if path and kind in ("+", "-"):
                yield FileChange(path, int(kind == "+"), int(kind == "-"))
        elif line.startswith("diff --git "):
            path = _of_header(line.removeprefix("diff --git ").rstrip("\r"))
            if path:
                yield FileChange(path, 0, 0)
        elif line.startswith("--- "):
            old_path = _name(line[4:], "a/")
        elif line.startswith("+++ "):
            path = _name(line[4:], "b/")
            path = old_path if path == _NOWHERE else path
        elif hunk := _HUNK.match(line):
            old, new = (1 if length is None else int(length) for length in hunk.groups())


def _of_header(names: str) -> str:
    """The name in ``a/NAME b/NAME``; the second one where they differ, as after a rename."""
    middle = len(names) // 2
    if names[middle : middle + 1] == " " and not names.startswith('"'):
        first, second = names[:middle], names[middle + 1 :]
        if first[2:] == second[2:]:
            return _name(second, "b/")
    if names.endswith('"'):
        return _name(names[names.rfind(' "') + 1 :], "b/")
    return _name(names[names.rfind(" b/") + 1 :], "b/")


def _name(text: str, prefix: str) -> str:
    """A name as a header has it: perhaps quoted as in C, with a time behind a tab, below ``a/`` or ``b/``."""
    text = text.rstrip("\r").partition("\t")[0]
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        text = _unquoted(text[1:-1])
    return text.removeprefix(prefix)


def _unquoted(text: str) -> str:
    """Git writes bytes beyond ASCII in octal."""
    raw = bytearray()
    at = 0
    for match in _ESCAPE.finditer(text):
        raw += text[at : match.start()].encode("utf-8", "replace")
        code = match[1]
        raw += bytes([int(code, 8) & 255]) if len(code) == 3 else _ESCAPED.get(code, code).encode()
        at = match.end()
    return (raw + text[at:].encode("utf-8", "replace")).decode("utf-8", "replace")
