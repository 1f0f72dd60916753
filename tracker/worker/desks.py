"""Which desk a worker goes to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from tracker.adapters.runners.handover import Handover, WorkerConfig
from tracker.ports.evaluation.desk import Desk

__all__ = ["desk_for"]


@asynccontextmanager
async def desk_for(config: WorkerConfig, handed_over: Handover) -> AsyncIterator[Desk]:
    """The desk of an attempt, open for the block: over HTTP, or over the installation's own database.

    Raises:
        Invalid: what was handed over does not make an installation.
        Unavailable: it does not answer.
    """
    # Late: the one needs no database, the other no HTTP.
    name = "tracker.worker.direct" if config.desk_url is None else "tracker.worker.remote"
    async with import_module(name).desk(config, handed_over) as desk:
        yield desk
