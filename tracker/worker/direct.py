"""The desk of a worker that uses the installation's own database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tracker.adapters.runners.handover import Handover, WorkerConfig
from tracker.container import build, closed, opened_desk
from tracker.ports.evaluation.desk import Desk
from tracker.settings import Settings

__all__ = ["desk"]


@asynccontextmanager
async def desk(config: WorkerConfig, handed_over: Handover) -> AsyncIterator[Desk]:
    """The desk over the database of the settings that were handed over.

    Raises:
        Invalid: they cannot be used.
        SchemaMismatch: the database is of another version of tracker.
        Unavailable: it does not answer.
    """
    container = build(Settings.load(environ=handed_over.settings))
    try:
        yield await opened_desk(container, config.errand.job_id, config.errand.attempt)
    finally:
        await closed(container)
