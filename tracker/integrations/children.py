"""Runs that belong to a run: a study's trials, a search's candidates, a sweep's jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.errors import Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.run.run import Run
from tracker.run.start import init

__all__ = ["child_of", "place_of"]


def child_of(
    parent: Run,
    change: str,
    *,
    params: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    place: Mapping[str, Any] | None = None,
) -> Run:
    """Starts a run that derives from `parent`, beside it.

    An offline run has no experiment yet, of which another could derive: then there is the parameter
    ``parent_run`` instead, the run's key.

    Args:
        parent: an open run.
        change: what is different, for its name, which is as in ``8_from_3_trial2``.
        params: its parameters.
        tags: its tags.
        place: the options of :func:`tracker.init` that say where things are kept (``data``, ``url``,
            ``token``, ``mode``); without it, the environment.
    """
    number = re.match(r"[0-9]{1,9}(?=_|$)", parent.name)
    above = f"from_{int(number[0])}_" if number else ""
    known = _known(parent)
    run = init(parent.project, f"{{num}}_{above}{change}", parent=known, tags=tags, **(place or {}))
    if known is None:  # it gets its experiment later, and then nobody names it as a parent
        run.params({"parent_run": str(parent.key)})
    if params:
        run.params(params)
    return run


def _known(run: Run) -> Experiment | None:
    """A run's experiment; offline, and while the store is away, there is none yet."""
    try:
        return run.experiment
    except Unavailable:
        return None


def place_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options of :func:`tracker.init` that say where things are kept."""
    return {name: options[name] for name in ("data", "url", "token", "mode", "strict") if name in options}
