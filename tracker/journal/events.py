"""What a run says beside scalars: each kind of event, and how it reaches the store.

Every one of them may be applied twice with the same outcome, since a segment may be carried twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.areas import AsyncTracker
from tracker.domain.errors import Invalid
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId
from tracker.journal.folder import JournalFolder

__all__ = ["apply"]


async def apply(
    event: Mapping[str, Any], journal: JournalFolder, library: AsyncTracker, experiment_id: ExperimentId
) -> None:
    """Does to the experiment what an event says; one of a kind that this version does not know is left.

    Raises:
        TrackerError: as the areas do.
    """
    match event:
        case {"event": "metric", "name": name, "value": value, "step": step, "label": label}:
            await library.metrics.log(experiment_id, name, value, step=step, label=label)
        case {"event": "tags", "tags": tags}:
            await _add_tags(library, experiment_id, tags)
        case {"event": "params", "params": params}:
            await _add_params(library, experiment_id, params)
        case {"event": "progress", "percent": percent}:
            await library.experiments.edit(experiment_id, progress=percent)
        case {"event": "artifact"}:
            await _put_artifact(event, journal, library, experiment_id)
        case {"event": "end", "status": status}:
            await _end(event, library, experiment_id, Status(status))


async def _add_tags(library: AsyncTracker, experiment_id: ExperimentId, tags: list[str]) -> None:
    present = (await library.experiments.get(experiment_id)).tags
    new = tuple(tag for tag in dict.fromkeys(tags) if tag not in present)
    if new:
        await library.experiments.edit(experiment_id, tags=present + new)


async def _add_params(library: AsyncTracker, experiment_id: ExperimentId, params: dict[str, Any]) -> None:
    present = dict((await library.experiments.get(experiment_id)).params)
    if present | params != present:
        await library.experiments.edit(experiment_id, params=present | params)


async def _put_artifact(
    event: Mapping[str, Any], journal: JournalFolder, library: AsyncTracker, experiment_id: ExperimentId
) -> None:
    digest = event["digest"]
    staged = journal.staged / digest
    if await library.artifacts.missing([digest]):
        if not staged.exists():
            raise Invalid.field("name", f"the content of {event['name']} is not in {journal.staged} any more")
        await library.artifacts.upload(digest, staged)
    fields = {name: event[name] for name in ("digest", "size", "kind", "media_type", "step", "metadata")}
    await library.artifacts.put(experiment_id, event["name"], **fields)
    staged.unlink(missing_ok=True)


async def _end(
    event: Mapping[str, Any], library: AsyncTracker, experiment_id: ExperimentId, status: Status
) -> None:
    changes: dict[str, Any] = {"status": status}
    if status is Status.COMPLETE:
        changes["progress"] = 100.0
    else:
        changes |= {"end_kind": event.get("kind"), "end_reason": event.get("reason")}
    await library.experiments.edit(experiment_id, **changes)
