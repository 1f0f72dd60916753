"""Servers, workers and endpoints that are killed cost no row twice and leave no workflow stuck."""

from __future__ import annotations

import pytest

from benchmarks.kill_evaluation import BAD, kill_rounds


@pytest.mark.slow
def test_workflows_end_whatever_is_killed_and_pay_no_row_twice_but_those_in_flight() -> None:
    found = kill_rounds(8, seed=5)
    assert not {what: found[what] for what in BAD if found[what]}
    assert found["succeeded"] + found["failed"] == 8
