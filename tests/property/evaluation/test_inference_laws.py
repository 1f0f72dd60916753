"""Whatever an endpoint does, and whenever an attempt ends: each row has one outcome and is paid for once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.desks import MemoryDesk, a_dataset, an_admission
from tests.endpoint.live import LiveEndpoint
from tests.tries import tries
from tracker.adapters.language_models.openai import OpenAiModel
from tracker.domain.errors import Conflict
from tracker.domain.evaluation.jobs.retrying import Failure, RetryRules, after_failure
from tracker.domain.evaluation.providers import Endpoint
from tracker.worker.inference import infer
from tracker.worker.lease_keeper import LeaseKeeper

RULES = RetryRules(tries=4, first=0.001, longest=0.001, hopeless=10_000)
FAILS = {
    "500": Failure.SERVER,
    "429": Failure.RATE_LIMITED,
    "429:0": Failure.RATE_LIMITED,
    "504": Failure.TIMEOUT,
    "drop": Failure.CONNECTION,
    "cut": Failure.CONNECTION,
    "malformed": Failure.MALFORMED,
    "html": Failure.MALFORMED,
    'told:{"choices": []}': Failure.MALFORMED,
    "400": Failure.REFUSED,
}
PAYS = {"ok", "cut", "malformed"}
PLANS = st.lists(st.lists(st.sampled_from(sorted(FAILS)), max_size=6), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveEndpoint]:
    server = LiveEndpoint()
    yield server
    server.stop()


def sent(words: list[str]) -> list[str]:
    """What happens to one row, by the rules: the words of its tries."""
    done: list[str] = []
    for word in words:
        done.append(word)
        if after_failure(FAILS[word], len(done), RULES, jitter=0).pause is None:
            return done
    return [*done, "ok"]


def content_of(rows: int) -> bytes:
    return "".join(json.dumps({"examples": f"row {n}"}) + "\n" for n in range(1, rows + 1)).encode()


async def attempt_at(server: LiveEndpoint, desk: MemoryDesk, slots: int, attempt: int = 1) -> None:
    work = an_admission(a_dataset(desk.content), {"base_url": server.base_url}, batch_size=slots)
    work = work._replace(job=work.job.evolve(attempt=attempt, lease=None))
    model = OpenAiModel("small", Endpoint(server.base_url), connections=slots)
    async with LeaseKeeper(desk) as lease:
        try:
            await infer(desk, work, lease, model, rules=RULES, chance=lambda: 0.0)
        finally:
            await model.close()


def planned(server: LiveEndpoint, plans: Mapping[str, list[str]]) -> None:
    server.endpoint.plan = dict(plans)
    server.endpoint.asked.clear()
    server.endpoint.paid.clear()


@settings(max_examples=tries(40))
@given(plans=PLANS, slots=st.integers(1, 5))
def test_each_row_has_one_outcome_and_as_many_tries_as_the_endpoint_counts(
    server: LiveEndpoint, plans: list[list[str]], slots: int
) -> None:
    rows = {f"row {n}": words for n, words in enumerate([*plans, []], 1)}
    planned(server, rows)
    desk = MemoryDesk(content_of(len(rows)))
    asyncio.run(attempt_at(server, desk, slots))
    assert sorted(desk.rows) == list(range(1, len(rows) + 1)) and sum(desk.keeps) == len(rows)
    for number, (text, words) in enumerate(rows.items(), 1):
        wanted, outcome = sent(words), desk.rows[number]
        assert outcome.tries == server.endpoint.asked[text] == len(wanted)
        assert server.endpoint.paid[text] == sum(word in PAYS for word in wanted)
        assert outcome.prediction == (text.upper() if wanted[-1] == "ok" else None)
    predictions = json.loads(desk.files["result"])["artifacts"]["predictions"]
    assert predictions == [desk.rows[number].prediction for number in sorted(desk.rows)]


@settings(max_examples=tries(30))
@given(
    rows=st.integers(1, 40),
    slots=st.integers(1, 8),
    losses=st.lists(st.integers(0, 12), max_size=3),
    silences=st.integers(0, 2),
)
def test_an_attempt_that_has_to_end_pays_for_nothing_in_vain(
    server: LiveEndpoint, rows: int, slots: int, losses: list[int], silences: int
) -> None:
    """Each attempt loses its job after some calls of `keep`; the next one does the rest."""
    planned(server, {})
    desk = _Losing(content_of(rows))
    for number, after in enumerate([*losses, 10_000], 1):
        desk.lost, desk.left = False, after
        desk.silent = silences
        desk.answers.clear()  # what is known of the job's own rows has to do
        try:
            asyncio.run(attempt_at(server, desk, slots, number))
        except Conflict:
            assert desk.lost
    assert sorted(desk.rows) == list(range(1, rows + 1)) and not desk.twice
    assert server.endpoint.paid == {f"row {n}": 1 for n in range(1, rows + 1)} == server.endpoint.asked
    assert json.loads(desk.files["result"])["artifacts"]["errors"] == [None] * rows


class _Losing(MemoryDesk):
    """Tells an attempt that it has lost its job after some calls of `keep`."""

    left = 0

    async def keep(self, *what: object) -> object:  # type: ignore[override]
        self.lost = self.lost or self.left <= 0
        self.left -= 1
        return await super().keep(*what)  # type: ignore[arg-type]
