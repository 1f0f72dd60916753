"""In-memory adapters: real ones, no stronger than SQL, for property tests and embedders."""

from tracker.adapters.memory.unit_of_work import MemoryUnitsOfWork

__all__ = ["MemoryUnitsOfWork"]
