"""Carries a capture into the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from tracker.areas import AsyncTracker
from tracker.capture.captured import Captured
from tracker.domain.artifacts.snapshot import Manifest, Snapshot, SnapshotFile
from tracker.domain.ids import ExperimentId
from tracker.domain.json_tree import same

__all__ = ["send"]

_ASKED_AT_ONCE = 1_000


async def send(library: AsyncTracker, experiment_id: ExperimentId, captured: Captured) -> Snapshot:
    """Uploads what the library has not got yet, and then takes the snapshot.

    When it fails or is stopped, the next call goes on where it was: contents are there or not, and the
    snapshot is taken once, however often it is sent.

    Args:
        library: to send to.
        experiment_id: of the run.
        captured: what ran.

    Raises:
        NotFound: there is no such experiment.
        Forbidden: one may not log artifacts to it.
        Unavailable: the library, or a store behind it, does not answer.
        Invalid: a file of the capture is not there any more.
    """
    files = [SnapshotFile(**asdict(file)) for file, _ in captured.files]
    taken = await _taken(library, experiment_id, files, captured)
    if taken is not None:
        return taken
    sources = {file.digest: source for file, source in captured.files}
    digests = list(sources)
    for start in range(0, len(digests), _ASKED_AT_ONCE):
        missing = await library.artifacts.missing(digests[start : start + _ASKED_AT_ONCE])
        await library.artifacts.upload_many({digest: sources[digest] for digest in missing})
    if captured.diff != (await library.experiments.get(experiment_id)).git_diff:
        await library.experiments.edit(experiment_id, git_diff=captured.diff)
    # Last, so that a snapshot that is there says that all of it is.
    return await library.artifacts.snapshot(experiment_id, files, environment=captured.environment)


async def _taken(
    library: AsyncTracker, experiment_id: ExperimentId, files: Sequence[SnapshotFile], captured: Captured
) -> Snapshot | None:
    """The snapshot of an earlier call, if it came so far."""
    wanted = Manifest(files=tuple(files)).text
    for snapshot in await library.artifacts.snapshots(experiment_id):
        if same(snapshot.environment, captured.environment) and snapshot.manifest.text == wanted:
            return snapshot
    return None
