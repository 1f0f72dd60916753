"""Captures what a run runs: its files, where they come from, and what surrounds them.

Knows nothing of the library; :mod:`tracker.run.capture.sending` carries a capture into it.
"""

from tracker.run.capture.apart import capture_apart
from tracker.run.capture.captured import Captured, CapturedFile, LeftOut, Limits, Reason
from tracker.run.capture.capturing import capture
from tracker.run.capture.command import Started

__all__ = ["Captured", "CapturedFile", "LeftOut", "Limits", "Reason", "Started", "capture", "capture_apart"]
