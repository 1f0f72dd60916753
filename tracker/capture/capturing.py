"""Captures a tree and its surroundings; may run in a thread beside the training."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tracker.capture.captured import Captured, Deadline, LeftOut, Limits, Reason
from tracker.capture.choosing import Bounds, Listing
from tracker.capture.command import Started, command, seeds, variables
from tracker.capture.confidential import without_password
from tracker.capture.copying import copy_files
from tracker.capture.difference import Difference, difference
from tracker.capture.git import Git, NoAnswer
from tracker.capture.hardware import hardware, system
from tracker.capture.listing import list_folder
from tracker.capture.naming import Names
from tracker.capture.packages import packages, python
from tracker.capture.work_tree import list_work_tree

__all__ = ["capture"]

_SECONDS_TO_FIND = 10.0
_MOST_LEFT_OUT = 1_000


def capture(
    folder: Path | None = None,
    *,
    limit: int | None = None,
    limits: Limits | None = None,
    environ: Mapping[str, str],
    started: Started | None = None,
    seeded: Mapping[str, str] | None = None,
    excluded: Sequence[Path] = (),
    staging: Path | None = None,
) -> Captured:
    """Captures the work tree that `folder` is in, or `folder` itself where there is no git.

    Nothing is changed in the tree, and nothing is run that its configuration names. Whatever cannot be
    read is left out and said to be; nothing is raised for it.

    Args:
        folder: by default the one of the script.
        limit: bytes of one file, instead of those of `limits`.
        limits: how much is kept, and for how long it may take.
        environ: the process's environment; what may be told of it is told.
        started: how the process was started, where the working folder may have changed since.
        seeded: seeds, where another process captures.
        excluded: data folders and databases of tracker, of which nothing is kept.
        staging: an empty folder on a disk with room for what is kept, outside of the tree or in a data
            folder's ``journal``; by default a temporary one.

    Raises:
        OSError: `staging` cannot be written to.
    """
    limits = replace(limits or Limits(), **({} if limit is None else {"file": limit}))
    started = Started.now() if started is None else started
    deadline = Deadline(limits.seconds)
    staging = Path(tempfile.mkdtemp(prefix="tracker-capture-")) if staging is None else staging
    near = (started.tree if folder is None else folder).resolve()
    git, root = _work_tree(near, folder or started.plain_tree, environ, limits)
    names = Names()
    data = tuple(path.resolve() for path in excluded)
    bounds = Bounds(limits, deadline, data, is_crowded=_is_crowded(root, environ))
    listing = _ordered(_listing(git, root, bounds, started), near)
    files = copy_files(listing, names, staging, limits, deadline)
    told = Difference(None) if git is None else difference(git, _secrets(listing), limits.diff, deadline)
    left_out = [LeftOut(names.kept(each.path), each.reason) for each in (*listing.left_out, *told.left_out)]
    captured = Captured(
        files=tuple(sorted(files, key=lambda each: each[0].path)),
        environment={
            "version": 1,
            "git": None if git is None else _git_facts(git, listing, told),
            "tree": _tree(listing, names),
            "left_out": _shown(left_out),
            "command": command(started, root),
            **_surroundings(root, environ, seeded),
        },
        left_out=tuple(left_out),
        diff=told.text,
        staging=staging,
    )
    captured.save()
    return captured


def _work_tree(
    folder: Path, without: Path, environ: Mapping[str, str], limits: Limits
) -> tuple[Git | None, Path]:
    """Git on the root of the tree that `folder` is in, and the root; without git, the other folder."""
    git = Git(folder, environ, Deadline(min(_SECONDS_TO_FIND, limits.seconds)))
    top = git.text("rev-parse", "--show-toplevel")
    root = None if not top else Path(top)
    # A repository may name another place as its tree, which is then not what runs.
    if root is None or not folder.is_relative_to(root):
        return None, without.resolve()
    return Git(root, environ, Deadline(limits.seconds)), root


def _is_crowded(root: Path, environ: Mapping[str, str]) -> bool:
    """Whether a folder is that of somebody's everything, as a home, or of everybody's."""
    home = Path(environ.get("HOME") or "/").resolve()
    return home.is_relative_to(root) or root == Path(tempfile.gettempdir()).resolve()


def _listing(git: Git | None, root: Path, bounds: Bounds, started: Started) -> Listing:
    if git is not None:
        try:
            return list_work_tree(git, root, bounds)
        except NoAnswer:
            pass
    return list_folder(root, bounds, started.file)


def _ordered(listing: Listing, folder: Path) -> Listing:
    """Has the files around the script kept before others, should there be too many."""
    near = folder.relative_to(listing.root).as_posix()
    prefix = "" if near == "." else f"{near}/"
    listing.files.sort(key=lambda path: not path.startswith(prefix))
    return listing


def _secrets(listing: Listing) -> list[str]:
    return [each.path for each in listing.left_out if each.reason == Reason.SECRET]


def _git_facts(git: Git, listing: Listing, told: Difference) -> dict[str, Any]:
    branch = git.text("symbolic-ref", "--quiet", "--short", "HEAD")
    name = git.text("config", "--get", f"branch.{branch}.remote") if branch else None
    remote = git.text("config", "--get", f"remote.{name or 'origin'}.url")
    return {
        "commit": git.text("rev-parse", "--verify", "--quiet", "HEAD") or None,
        "branch": _text(branch),
        "remote": _text(without_password(remote) if remote else None),
        "dirty": told.text is not None or not told.is_whole,
        "diff_is_whole": told.is_whole,
        "inside": {path: commit for path, commit in sorted(listing.commits.items()) if path.isprintable()},
    }


def _tree(listing: Listing, names: Names) -> dict[str, Any]:
    folders = [names.kept(path) for path in sorted(listing.folders)]
    return {"folders": folders, "names": dict(names.escaped)}


def _surroundings(root: Path, environ: Mapping[str, str], seeded: Mapping[str, str] | None) -> dict[str, Any]:
    return {
        "seeds": seeds(environ) if seeded is None else dict(seeded),
        "variables": variables(environ),
        "python": python(),
        **packages(root),
        "system": system(),
        "hardware": hardware(environ),
    }


def _shown(left_out: Sequence[LeftOut]) -> dict[str, Any]:
    return {
        "count": len(left_out),
        "first": [{"path": each.path, "reason": each.reason} for each in left_out[:_MOST_LEFT_OUT]],
    }


def _text(text: str | None) -> str | None:
    return None if not text else text.encode("utf-8", errors="replace").decode()
