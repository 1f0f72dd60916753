from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOON
from tracker.adapters.language_models.completions import without_thoughts
from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.hashing import CacheKeys, cache_key
from tracker.domain.evaluation.inference_tally import InferenceTally
from tracker.domain.evaluation.jobs.retrying import Failure, RetryRules
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.models import ModelReference
from tracker.domain.evaluation.providers import check_provider, endpoint_of
from tracker.worker.pace import Pace


@pytest.mark.parametrize(
    ("provider", "base_url", "found"),
    [
        ("openai", None, "https://api.openai.com/v1"),
        ("openai", "http://localhost:8080/v1", "http://localhost:8080/v1"),
        ("mistral", None, "https://api.mistral.ai/v1"),
        ("deepseek", None, "https://api.deepseek.com/v1"),
        ("ollama", None, "http://localhost:11434/v1"),
        ("ollama", "http://gpu:11434", "http://gpu:11434/v1"),
        ("ollama", "http://gpu:11434/api/v1", "http://gpu:11434/api/v1"),
        ("openai-compatible", "http://gpu", "http://gpu"),
        ("some-other", "https://h/v1", "https://h/v1"),
    ],
)
def test_a_provider_says_where_its_models_are(provider: str, base_url: str | None, found: str) -> None:
    reference = ModelReference(name="m", provider=provider, base_url=base_url)
    check_provider(reference)
    assert endpoint_of(reference).base_url == found


@pytest.mark.parametrize("provider", ["openai-compatible", "some-other"])
def test_a_model_that_is_nowhere_is_refused_with_the_choices(provider: str) -> None:
    with pytest.raises(Invalid, match=r"provider: .*base_url.*deepseek.*hf.*openai") as caught:
        check_provider(ModelReference(name="m", provider=provider))
    assert caught.value.problems[0].loc == ("provider",)


def test_a_model_that_is_loaded_has_no_base_url() -> None:
    check_provider(ModelReference(name="m", provider="hf"))
    with pytest.raises(Invalid, match="base_url"):
        check_provider(ModelReference(name="m", provider="hf", base_url="http://h"))
    with pytest.raises(Invalid, match="provider"):
        endpoint_of(ModelReference(name="m", provider="hf"))


def test_only_openais_own_endpoint_is_sure_of_the_new_name() -> None:
    own = endpoint_of(ModelReference(name="m", provider="openai"))
    other = endpoint_of(ModelReference(name="m", provider="openai", base_url="http://h/v1"))
    assert (own.most_tokens, other.most_tokens) == ("max_completion_tokens", "max_tokens")


@given(st.text(), st.text(), st.dictionaries(st.text(), st.floats(0, 2) | st.text()), st.binary())
def test_keys_of_many_rows_are_the_keys_of_each(
    model: str, prompt: str, parameters: dict[str, float | str], row: bytes
) -> None:
    called = hashlib.sha256(row).digest()
    try:
        wanted = cache_key(model=model, prompt=prompt, parameters=parameters, row=called)
    except UnicodeEncodeError:
        return
    keys = CacheKeys(model=model, prompt=prompt, parameters=parameters)
    assert keys.key(called) == wanted == keys.key(called)


@given(st.text(alphabet="ab <>/thinkn\n"))
def test_a_text_without_marks_is_left_as_it_is(text: str) -> None:
    if "</think>" not in text and "<think>" not in text:
        assert without_thoughts(text) == (text, None)


def test_the_time_of_attempts_does_not_count_what_lay_between() -> None:
    tally = InferenceTally()
    at = {1: 10, 2: 12, 3: 5000, 4: 5001}
    for number, second in at.items():
        when = NOON + timedelta(seconds=second)
        tally.add(
            RowOutcome(
                number=number,
                input_hash="0" * 64,
                prediction="x",
                seconds=1.0,
                attempt=1 + (number > 2),
                at=when,
            )
        )
    assert tally.seconds() == 3.0 + 2.0


@pytest.mark.parametrize(
    ("lost", "slots", "hopeless"), [(9, 1, False), (10, 1, True), (63, 32, False), (64, 32, True)]
)
def test_rows_lost_in_succession_are_hopeless_beyond_what_is_under_way(
    lost: int, slots: int, hopeless: bool
) -> None:
    assert RetryRules().are_hopeless(lost, slots) is hopeless


def test_a_row_that_is_refused_says_nothing_of_the_others() -> None:
    assert [each for each in Failure if not each.is_of_the_place] == [Failure.REFUSED]


@given(st.lists(st.floats(0, 100), max_size=50), st.floats(1, 6000))
def test_no_more_requests_go_than_the_limit_allows(steps: list[float], per_minute: float) -> None:
    """In any stretch of time: one for each gap in it, and two."""
    pace, now, went = Pace(per_minute), 0.0, []
    for step in steps:
        now += step
        if (delay := pace.delay(now)) <= 0:
            went.append(now)
        else:
            now += delay
            if pace.delay(now + 1e-9) <= 0:
                went.append(now)
    for first in range(len(went)):
        for last in range(first, len(went)):
            allowed = (went[last] - went[first]) * per_minute / 60 + 2.001
            assert last - first + 1 <= allowed
