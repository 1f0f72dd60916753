"""Captures in a process of its own, so that a training loop never waits for this interpreter's lock.

A capture in a thread takes its turns with the training: for a second or so, one call in a hundred of
``log()`` then waits for half a millisecond, and some for five.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tracker.capture.captured import Captured, Limits
from tracker.capture.capturing import capture
from tracker.capture.command import Started, seeds

__all__ = ["capture_apart", "main"]

_PROGRAM = (
    "import json, sys\n"
    "told = json.load(sys.stdin)\n"
    "sys.path[:] = told['path']\n"
    "from tracker.capture.apart import main\n"
    "main(told)\n"
)
_SECONDS_MORE = 15.0
_NICE = 10


def capture_apart(
    staging: Path,
    *,
    environ: Mapping[str, str],
    started: Started,
    folder: Path | None = None,
    limits: Limits | None = None,
    excluded: Sequence[Path] = (),
) -> Captured:
    """What :func:`~tracker.capture.capture` gives, made by another process; where none can be started, by
    this one.

    The other process goes on when this one ends; what it captured is found by
    :meth:`~tracker.capture.captured.Captured.load`.

    Args:
        staging: an empty folder on a disk with room for what is kept.
        environ: the process's environment.
        started: how the process was started.
        folder: by default the one of the script.
        limits: how much is kept, and for how long it may take.
        excluded: data folders and databases of tracker, of which nothing is kept.

    Raises:
        OSError: `staging` cannot be written to.
    """
    limits = limits or Limits()
    told = {
        "path": [*sys.path, str(Path(__file__).parents[2])],
        "staging": str(staging),
        "started": _plain(started),
        "folder": None if folder is None else str(folder),
        "limits": asdict(limits),
        "excluded": [str(path.absolute()) for path in excluded],
        "environ": dict(environ),  # through a pipe, which nobody else can read
        "seeds": seeds(environ),
    }
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        subprocess.run(  # noqa: S603  (a list, and no shell)
            [sys.executable, "-S", "-c", _PROGRAM], input=json.dumps(told).encode("ascii"), env=environ,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limits.seconds + _SECONDS_MORE,
            check=True, start_new_session=True,  # an interrupt is meant for the training
        )  # fmt: skip
        found = Captured.load(staging)
        if found is not None:
            return found
    return capture(
        folder, limits=limits, environ=environ, started=started, excluded=excluded, staging=staging
    )  # fmt: skip


def main(told: Mapping[str, Any]) -> None:
    """What the other process does: as it is told, and more politely than what else runs."""
    with suppress(OSError):
        os.nice(_NICE)
    capture(
        None if told["folder"] is None else Path(told["folder"]),
        limits=Limits(**told["limits"]),
        environ=told["environ"],
        started=_started(told["started"]),
        excluded=[Path(path) for path in told["excluded"]],
        staging=Path(told["staging"]),
        seeded=told["seeds"],
    )


def _plain(started: Started) -> dict[str, Any]:
    return {
        "arguments": started.arguments,
        "words": started.words,
        "folder": str(started.folder),
        "file": None if started.file is None else str(started.file),
        "module": started.module,
        "prefix": str(started.prefix),
    }


def _started(told: Mapping[str, Any]) -> Started:
    return Started(
        arguments=tuple(told["arguments"]),
        words=tuple(told["words"]),
        folder=Path(told["folder"]),
        file=None if told["file"] is None else Path(told["file"]),
        module=told["module"],
        prefix=Path(told["prefix"]),
    )
