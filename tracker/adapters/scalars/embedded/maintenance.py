"""What makes later reads faster and files smaller."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from tracker.adapters.scalars.embedded.group_commit import GroupCommit
from tracker.adapters.scalars.embedded.many_rows import listed
from tracker.adapters.scalars.embedded.project_file import ProjectFile
from tracker.domain.errors import NotFound, Unavailable
from tracker.domain.ids import ProjectId

__all__ = ["Upkeep"]

_BATCHES_AT_ONCE = 20_000
_PAGES_AT_ONCE = 1000
_IDLE_SECONDS = 60.0


class Upkeep:
    """Goes round the projects of a folder.

    Where time runs out the next round goes on, so that each project has its turn; one that nobody has
    written since its last turn is passed over.

    Args:
        folder: where the files are.
        opened: gives the file of a project, and who writes it.
    """

    def __init__(self, folder: Path, opened: Callable[[ProjectId], tuple[ProjectFile, GroupCommit]]) -> None:
        self._folder = folder
        self._opened = opened
        self._known: dict[Path, ProjectFile] = {}
        self._last_change: dict[Path, int] = {}
        self._next = folder
        self._stopped = False

    def stop(self) -> None:
        """Has a round that is under way end soon."""
        self._stopped = True

    def go_on(self, deadline: float) -> None:
        """Maintains projects until `deadline` (monotonic seconds) or until all had their turn.

        Raises:
            Unavailable: one of them could not be maintained; the others had their turn.
        """
        failed: Unavailable | None = None
        paths = sorted(self._folder.glob("*.db"))
        first = bisect_left(paths, self._next)
        for path in [*paths[first:], *paths[:first]]:
            project_id = _project_of(path)
            if project_id is None or _last_change(path) == self._last_change.get(path):
                continue  # not one of ours, or as its last turn left it
            self._next = path
            if self._is_over(deadline):
                break
            try:
                self._maintain(path, project_id, deadline)
            except NotFound:
                continue  # it was deleted meanwhile
            except Unavailable as error:
                failed = failed or error  # one damaged file must not keep the others from their turn
        for file in self._known.values():
            file.rest(_IDLE_SECONDS)
        if failed is not None:
            raise failed

    def _maintain(self, path: Path, project_id: ProjectId, deadline: float) -> None:
        file, commits = self._opened(project_id)
        self._known[path] = file
        for experiment in _experiments_with_tails(file):
            if self._is_over(deadline):
                return
            commits.fold(experiment)
        _reclaim(file, deadline)
        changed = _last_change(path)
        if not self._is_over(deadline) and not _experiments_with_tails(file):
            self._last_change[path] = changed

    def _is_over(self, deadline: float) -> bool:
        return self._stopped or time.monotonic() > deadline


def _project_of(path: Path) -> ProjectId | None:
    try:
        project_id = ProjectId(UUID(path.stem))
    except ValueError:
        return None
    return project_id if path.stem == str(project_id) else None


def _last_change(path: Path) -> int:
    """When the file or its log was last written, in nanoseconds."""
    found = 0
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(FileNotFoundError):
            found = max(found, file.stat().st_mtime_ns)
    return found


def _experiments_with_tails(file: ProjectFile) -> list[int]:
    """Keys of the experiments that have something to fold."""
    with file.reading() as connection:
        if connection is None:
            return []
        return [key for (key,) in connection.execute("SELECT DISTINCT experiment FROM tail")]


def _reclaim(file: ProjectFile, deadline: float) -> None:
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
