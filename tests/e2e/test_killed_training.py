"""Training scripts that are killed at random moments, in every kind of trouble, lose nothing they logged."""

from __future__ import annotations

import pytest

from benchmarks.kill_log import BAD, kill_rounds


@pytest.mark.slow
def test_fifty_scripts_that_are_killed_lose_no_value_and_no_value_is_there_twice() -> None:
    found = kill_rounds(50, seed=5, longest=0.8)
    assert not {what: found[what] for what in BAD if found[what]}
    assert found["calls acknowledged"] > 1000


@pytest.mark.slow
def test_a_few_scripts_that_are_killed_in_a_folder_lose_nothing() -> None:
    found = kill_rounds(3, seed=2, only="folder", longest=0.3)
    assert not {what: found[what] for what in BAD if found[what]}
