"""Time series in SQLite files of compressed chunks, one file a project."""

from tracker.adapters.scalars.embedded.store import EmbeddedScalarStore

__all__ = ["EmbeddedScalarStore"]
