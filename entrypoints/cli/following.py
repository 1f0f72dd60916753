"""Waits for workflows, and shows how far they are."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.errors import TrackerError

from .evaluation_api import EvaluationApi
from .progress import progress

__all__ = ["Workflows", "followed"]

Workflows = list[dict[str, Any]]
_SECONDS = 0.3
_STOPPING_SECONDS = 30.0
_ENDED = frozenset({"succeeded", "failed", "stopped"})


def followed(api: EvaluationApi, ids: Sequence[str], rows: int) -> Workflows:
    """The workflows once all of them have ended; on Ctrl-C their jobs are stopped first.

    Args:
        api: where they are; those of a folder are looked after here.
        ids: which.
        rows: that their models have to answer, together.
    """
    try:
        with progress("evaluating", rows, "rows") as advance:
            shown = 0
            while True:
                api.look()
                found = _seen(api, ids)
                done = sum(map(_answered, found))
                advance(done - shown)
                shown = done
                if all(each["status"] in _ENDED for each in found):
                    return found
                time.sleep(_SECONDS)
    except BaseException:
        with contextlib.suppress(TrackerError):
            _stop(api, ids)
        raise


def _seen(api: EvaluationApi, ids: Sequence[str]) -> Workflows:
    return [api.get(f"/workflows/{each}") for each in ids]


def _answered(workflow: Mapping[str, Any]) -> int:
    return sum(job["rows_done"] for job in workflow["jobs"] if job["job_type"] == "inference")


def _stop(api: EvaluationApi, ids: Sequence[str]) -> None:
    """Ends their jobs and sees to it that they have ended."""
    until = time.monotonic() + _STOPPING_SECONDS
    while time.monotonic() < until:
        api.look()
        found = [each for each in _seen(api, ids) if each["status"] not in _ENDED]
        if not found:
            return
        for job in (job for each in found for job in each["jobs"] if job["status"] not in _ENDED):
            with contextlib.suppress(TrackerError):  # it may end at this moment
                api.post(f"/jobs/{job['id']}/cancel")
        time.sleep(_SECONDS)
