"""The desk of a worker on another machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tracker.adapters.desk.http import HttpDesk
from tracker.adapters.runners.handover import Handover, WorkerConfig
from tracker.domain.errors import Invalid
from tracker.ports.evaluation.desk import Desk

__all__ = ["desk"]


@asynccontextmanager
async def desk(config: WorkerConfig, handed_over: Handover) -> AsyncIterator[Desk]:
    """The desk at the address that the config names.

    Raises:
        Invalid: it names none.
    """
    if config.desk_url is None:
        raise Invalid.field("desk_url", "is missing: there is no desk to go to")
    opened = HttpDesk(config.desk_url, config.errand.job_id, config.errand.attempt)
    try:
        yield opened
    finally:
        await opened.close()
