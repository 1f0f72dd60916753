"""Scores of texts that packages of others compute."""

from tracker.adapters.text_metrics.metrics import PackagedTextMetrics

__all__ = ["PackagedTextMetrics"]
