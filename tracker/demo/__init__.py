"""``tracker demo``: a family of small networks trained on real handwritten digits, and tracked."""

from __future__ import annotations

from tracker.demo.show import run

__all__ = ["run"]
