"""Marks the runs of this machine whose process is gone; see :mod:`tracker.abandoned`."""

from __future__ import annotations

from tracker.abandoned import sweep

__all__ = ["sweep"]
