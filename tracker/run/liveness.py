"""Who runs a run, and whether they still do; see :mod:`tracker.adapters.system.processes`."""

from __future__ import annotations

from tracker.adapters.system.processes import fate, owner
from tracker.domain.experiments.fate import Fate, Life

__all__ = ["Fate", "Life", "fate", "owner"]
