"""What ``import tracker`` gives and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tracker


def test_all_is_sorted_and_each_name_is_there() -> None:
    assert list(tracker.__all__) == sorted(tracker.__all__)
    for name in tracker.__all__:
        assert getattr(tracker, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        tracker.nonsense  # noqa: B018


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, tracker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pydantic", "sqlalchemy", "httpx", "falcon", "rich", "asyncio"}
    assert not heavy & set(done.stdout.split())
