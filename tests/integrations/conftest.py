"""What a library's training left: read back through the library, from a folder of the test's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integrations.reading import Kept
from tracker.warning import TrackerWarning


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, which the environment names, and a working folder beside it."""
    folder = tmp_path / "data"
    monkeypatch.setenv("TRACKER_DATA", str(folder))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder}/tracker.db")
    monkeypatch.setenv("TRACKER_SILENT", "1")
    monkeypatch.setenv("TRACKER_CAPTURE", "0")
    monkeypatch.delenv("TRACKER_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def kept(data: Path) -> Iterator[Kept]:
    with Kept(data) as reading:
        yield reading


@pytest.fixture(autouse=True)
def complaints() -> Iterator[list[str]]:
    """What tracker warned of; a test that expects something takes it out."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        warnings.simplefilter("always", TrackerWarning)
        told = _Texts(caught)
        yield told
        assert told.left() == []


class _Texts(list):  # type: ignore[type-arg]
    def __init__(self, caught: list[warnings.WarningMessage]) -> None:
        super().__init__()
        self._caught = caught

    def left(self) -> list[str]:
        return [str(each.message) for each in self._caught if issubclass(each.category, TrackerWarning)]

    def take(self) -> list[str]:
        found = self.left()
        self._caught[:] = [each for each in self._caught if not issubclass(each.category, TrackerWarning)]
        return found
