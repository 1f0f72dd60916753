"""What a run printed, on its way from the journal to the store."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tracker.areas import AsyncTracker
from tracker.domain.ids import ExperimentId
from tracker.journal.folder import JournalFolder

__all__ = ["carry_console"]


async def carry_console(journal: JournalFolder, library: AsyncTracker, experiment_id: ExperimentId) -> None:
    """Keeps the files of a console that nobody writes to any more as artifacts, and removes them.

    Raises:
        TrackerError: the store does not take them now; those that are left stay.
        OSError: the folder cannot be read.
    """
    for file in sorted(journal.console.glob("*.log")):
        digest, size = _hashed(file)
        if await library.artifacts.missing([digest]):
            await library.artifacts.upload(digest, file)
        await library.artifacts.put(
            experiment_id,
            f"console/{file.name}",
            digest=digest,
            size=size,
            kind="console",
            media_type="text/plain; charset=utf-8",
        )
        file.unlink()


def _hashed(file: Path) -> tuple[str, int]:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest(), file.stat().st_size
