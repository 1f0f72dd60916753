"""Fixtures that every suite may use."""

from __future__ import annotations

import pytest

from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.ports.unit_of_work import UnitsOfWork


@pytest.fixture(params=["memory"])
def units(request: pytest.FixtureRequest) -> UnitsOfWork:
    return MemoryUnitsOfWork()
