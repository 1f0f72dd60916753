"""What makes later reads faster and files smaller."""

from __future__ import annotations

import time
from collections.abc import Callable

from tracker.adapters.scalars.embedded.project_file import ProjectFile
from tracker.adapters.scalars.embedded.rows import listed

__all__ = ["experiments_with_tails", "reclaim"]

_BATCHES_AT_ONCE = 20_000
_PAGES_AT_ONCE = 1000


def experiments_with_tails(file: ProjectFile) -> list[int]:
    """Keys of the experiments that have something to fold."""
    with file.reading() as connection:
        if connection is None:
            return []
        return [key for (key,) in connection.execute("SELECT DISTINCT experiment FROM tail")]


def reclaim(file: ProjectFile, deadline: float) -> None:
    """Forgets the batches of deleted experiments, gives free pages back and empties the log.

    Each step is short, so that appends go on between them.
    """
    _repeated(lambda: _forget_batches(file), deadline)
    _repeated(lambda: file.vacuum(_PAGES_AT_ONCE), deadline)
    file.checkpoint()


def _repeated(step: Callable[[], bool], deadline: float) -> None:
    """Takes steps as long as they ask for more and there is time."""
    while step() and time.monotonic() < deadline:
        pass


def _forget_batches(file: ProjectFile) -> bool:
    """Deletes ids of some batches of deleted experiments; whether there may be more."""
    with file.reading() as connection:
        if connection is None:
            return False
        gone = [key for (key,) in connection.execute("SELECT id FROM experiment WHERE deleted=1")]
        found = (
            connection.execute(
                "SELECT uuid, experiment FROM batch WHERE experiment IN (SELECT value FROM json_each(?))"
                " LIMIT ?",
                (listed(gone), _BATCHES_AT_ONCE),
            ).fetchall()
            if gone
            else []
        )
    if not gone:
        return False
    with file.writing() as writer:
        writer.connection.executemany("DELETE FROM batch WHERE uuid=? AND experiment=?", found)
        if len(found) < _BATCHES_AT_ONCE:
            # 2: nothing is left of them, so the next maintenance need not look.
            writer.connection.executemany("UPDATE experiment SET deleted=2 WHERE id=?", [(k,) for k in gone])
    return len(found) == _BATCHES_AT_ONCE
