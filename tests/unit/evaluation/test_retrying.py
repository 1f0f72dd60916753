from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.evaluation.jobs.retrying import Failure, RetryRules, after_failure, failure_of_status

RULES = RetryRules()
TEMPORARY = (Failure.RATE_LIMITED, Failure.SERVER, Failure.TIMEOUT, Failure.CONNECTION)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (200, None), (302, None), (400, Failure.REFUSED), (401, Failure.KEY_REFUSED),
        (403, Failure.KEY_REFUSED), (404, Failure.REFUSED), (408, Failure.TIMEOUT), (422, Failure.REFUSED),
        (429, Failure.RATE_LIMITED), (500, Failure.SERVER), (503, Failure.SERVER), (504, Failure.TIMEOUT),
        (529, Failure.SERVER),
    ],
)  # fmt: skip
def test_a_status_says_why_there_is_no_answer(status: int, failure: Failure | None) -> None:
    assert failure_of_status(status) is failure


@given(st.sampled_from(Failure), st.floats(0, 1), st.none() | st.floats(0, 1e6))
def test_no_row_is_sent_for_ever(failure: Failure, jitter: float, asked: float | None) -> None:
    tries = 1
    while (verdict := after_failure(failure, tries, RULES, jitter=jitter, asked=asked)).pause is not None:
        assert verdict.pause.total_seconds() <= max(RULES.longest, RULES.longest_asked)
        tries += 1
    assert tries <= RULES.tries and failure.value in verdict.why


@pytest.mark.parametrize("failure", TEMPORARY)
def test_pauses_double_and_are_spread_over_half_of_their_length(failure: Failure) -> None:
    def pause(tries: int, jitter: float) -> float:
        found = after_failure(failure, tries, RULES, jitter=jitter).pause
        assert found is not None
        return found.total_seconds()

    assert [pause(n, 1) for n in (1, 2, 3, 4, 5)] == [0.5, 1, 2, 4, 8]
    assert [pause(n, 0) for n in (1, 2, 3, 4, 5)] == [0.25, 0.5, 1, 2, 4]


def test_a_pause_that_the_server_asks_for_is_kept_within_reason() -> None:
    asked = after_failure(Failure.RATE_LIMITED, 1, RULES, jitter=1, asked=7)
    assert asked.pause is not None and asked.pause.total_seconds() == 7
    assert after_failure(Failure.RATE_LIMITED, 1, RULES, jitter=1, asked=86400).pause is None


def test_what_would_not_help_is_not_tried_and_a_refused_key_stops_the_job() -> None:
    assert after_failure(Failure.REFUSED, 1, RULES, jitter=1) == (
        None,
        False,
        "refused: trying again would not help",
    )
    assert after_failure(Failure.KEY_REFUSED, 1, RULES, jitter=1).stops_job


def test_an_answer_that_was_paid_and_cannot_be_read_is_asked_for_once_more() -> None:
    assert after_failure(Failure.MALFORMED, 1, RULES, jitter=1).pause is not None
    assert after_failure(Failure.MALFORMED, 2, RULES, jitter=1).pause is None
