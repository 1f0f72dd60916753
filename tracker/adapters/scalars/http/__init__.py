"""The scalars service as a store: time series kept by another process."""

from tracker.adapters.scalars.http.link import Patience
from tracker.adapters.scalars.http.store import HttpScalarStore

__all__ = ["HttpScalarStore", "Patience"]
