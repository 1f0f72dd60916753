"""Captures what a run runs: its files, where they come from, and what surrounds them.

Knows nothing of the library; :mod:`tracker.capture.sending` carries a capture into it.
"""

from tracker.capture.apart import capture_apart
from tracker.capture.captured import Captured, CapturedFile, LeftOut, Limits, Reason
from tracker.capture.capturing import capture
from tracker.capture.command import Started

__all__ = ["Captured", "CapturedFile", "LeftOut", "Limits", "Reason", "Started", "capture", "capture_apart"]
