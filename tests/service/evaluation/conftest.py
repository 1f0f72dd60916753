"""The services of evaluation over each kind of units of work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.evaluation.lab import Lab
from tracker.ports.unit_of_work import UnitsOfWork


@pytest.fixture
def lab(units: UnitsOfWork, tmp_path: Path) -> Lab:
    return Lab(units, tmp_path)
