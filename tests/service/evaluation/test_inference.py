"""The worker's inference, against an endpoint over real sockets."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from tests.desks import MemoryDesk, a_dataset, an_admission
from tests.endpoint.live import LiveEndpoint
from tests.evaluation_factories import an_outcome
from tracker.adapters.language_models.opened import opened_model
from tracker.adapters.system.clock import SystemClock
from tracker.domain.errors import Conflict, Invalid
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.rows import Columns, read_rows
from tracker.domain.evaluation.generation import GenerationConfig
from tracker.domain.evaluation.jobs.config import InferenceConfig, config_of
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.retrying import RetryRules
from tracker.domain.evaluation.models import CatalogueEntry, ModelReference
from tracker.domain.evaluation.results import inference_result
from tracker.domain.evaluation.tasks import TaskKind
from tracker.ports.evaluation.desk import Admission
from tracker.worker.committing import GroupCommit
from tracker.worker.inference import infer, parameters_of, run
from tracker.worker.lease_keeper import LeaseKeeper
from tracker.worker.pace import Pace
from tracker.worker.sending import Asked, Sending, Todo

QUICK = RetryRules(first=0.001, longest=0.002, longest_asked=0.2)
ODD = 'say "hi"\n$(reboot) `x` \\ \u2028 é 中文 😀'


@pytest.fixture(scope="module")
def server() -> Iterator[LiveEndpoint]:
    server = LiveEndpoint()
    yield server
    server.stop()


@pytest.fixture
def live(server: LiveEndpoint) -> LiveEndpoint:
    endpoint = server.endpoint
    endpoint.plan, endpoint.default, endpoint.key, endpoint.seconds = {}, [], None, 0.0
    endpoint.asked.clear()
    endpoint.paid.clear()
    endpoint.requests.clear()
    endpoint.most_at_once = 0
    return server


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def texts(count: int) -> bytes:
    return jsonl([{"examples": f"text {number}"} for number in range(1, count + 1)])


def work_at(
    live: LiveEndpoint,
    content: bytes,
    *,
    kind: FileKind = FileKind.JSONL,
    columns: Columns | None = None,
    config: Mapping[str, Any] | None = None,
    **more: Any,
) -> Admission:
    return an_admission(
        a_dataset(content, kind, columns), {"base_url": live.base_url, **(config or {})}, **more
    )


async def inferred(desk: MemoryDesk, work: Admission, rules: RetryRules = QUICK) -> None:
    config = config_of(work.job.kind, work.job.config)
    assert isinstance(config, InferenceConfig)
    key = work.secrets.get(config.secret_key_name or "")
    model = opened_model(config.reference, key, at_once=work.job.batch_size)
    async with LeaseKeeper(desk, Rules()) as lease:
        try:
            await infer(desk, work, lease, model, rules=rules, chance=lambda: 0.0)
        finally:
            await model.close()


def result_of(desk: MemoryDesk) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(desk.files["result"])
    return found


async def test_every_row_is_answered_once_and_the_result_has_them_in_order(live: LiveEndpoint) -> None:
    content = texts(50)
    desk, work = MemoryDesk(content), work_at(live, content, batch_size=7)
    live.endpoint.seconds = 0.02
    async with LeaseKeeper(desk) as lease:
        await run(desk, work, lease)
    wanted = [f"TEXT {number}" for number in range(1, 51)]
    assert result_of(desk)["artifacts"]["predictions"] == wanted
    assert desk.begun == [50] and set(live.endpoint.paid.values()) == {1} and len(live.endpoint.paid) == 50
    assert live.endpoint.most_at_once == 7
    assert set(result_of(desk)) == {"metrics", "artifacts", "parameters"} and set(desk.files) == {"result"}


async def test_the_streamed_result_is_the_document_of_the_domain(live: LiveEndpoint) -> None:
    content = jsonl([{"examples": ODD, "ground_truth": "x"}, {"examples": "bad"}, {"examples": "", "n": 1}])
    live.endpoint.plan = {"bad": ["400"]}
    priced = CatalogueEntry(
        model=ModelReference(name="small"), display_name="Small", tasks=(TaskKind.SUMMARIZATION,),
        input_price=1.0, output_price=2.0,
    )  # fmt: skip
    desk, work = MemoryDesk(content), work_at(live, content, model=priced)
    await inferred(desk, work)
    config = config_of(JobKind.INFERENCE, work.job.config)
    assert isinstance(config, InferenceConfig)
    found = result_of(desk)
    wanted = inference_result(
        list(read_rows([content], FileKind.JSONL)), desk.rows, model="small",
        seconds=found["artifacts"]["inference_time"], parameters=parameters_of(work.job, config),
    )  # fmt: skip
    assert found == json.loads(json.dumps(wanted))
    assert found["artifacts"]["predictions"][0] == ODD.upper() and found["artifacts"]["cost"] > 0
    assert desk.rows[1].cost == priced.cost(desk.rows[1].input_tokens or 0, desk.rows[1].output_tokens or 0)


async def test_without_ground_truth_the_result_says_so(live: LiveEndpoint) -> None:
    content = texts(2)
    desk = MemoryDesk(content)
    await inferred(desk, work_at(live, content))
    assert result_of(desk)["artifacts"]["ground_truth"] is None


@pytest.mark.parametrize("field", ["predictions", "summary", "ground_truth"])
async def test_a_generated_dataset_keeps_all_columns_and_has_the_answers(
    live: LiveEndpoint, field: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows(
        [["id", "examples", "ground_truth", "note"], ["7", ODD, "t", 'a "b"'], ["8", "bad", "", ""]]
    )
    content = out.getvalue().encode()
    live.endpoint.plan = {"bad": ["400"]}
    desk = MemoryDesk(content)
    config = {"store_to_dataset": True, "output_field": field}
    await inferred(desk, work_at(live, content, kind=FileKind.CSV, config=config))
    rows = [json.loads(line) for line in desk.files["dataset"].splitlines()]
    truths = [{"ground_truth": "t"}, {}]
    wanted = [
        {"examples": ODD, **truths[0], "id": "7", "note": 'a "b"'} | {field: ODD.upper()},
        {"examples": "bad", **truths[1], "id": "8", "note": ""} | {field: None},
    ]
    assert rows == wanted
    assert next(read_rows([desk.files["dataset"]], FileKind.JSONL)).example == ODD


async def test_only_the_first_samples_are_sent(live: LiveEndpoint) -> None:
    content = texts(9)
    desk = MemoryDesk(content)
    await inferred(desk, work_at(live, content, max_samples=4))
    assert desk.begun == [4] and sorted(desk.rows) == [1, 2, 3, 4] == list(range(1, 5))
    assert len(result_of(desk)["artifacts"]["examples"]) == 4


async def test_answered_rows_are_not_sent_again(live: LiveEndpoint) -> None:
    content = texts(6)
    desk = MemoryDesk(content)
    live.endpoint.plan = {"text 2": ["400"], "text 5": ["400"]}
    await inferred(desk, work_at(live, content, batch_size=2))
    assert [n for n in desk.rows if not desk.rows[n].is_answered] == [2, 5]
    desk.answers.clear()
    await inferred(desk, work_at(live, content, batch_size=2))
    assert all(one.is_answered for one in desk.rows.values())
    assert [live.endpoint.asked[f"text {n}"] for n in range(1, 7)] == [1, 2, 1, 1, 2, 1]


async def test_a_repeated_evaluation_costs_nothing(
    live: LiveEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.worker.inference._BLOCK", 16)
    content = texts(50)
    first = MemoryDesk(content)
    await inferred(first, work_at(live, content, batch_size=16))
    again = MemoryDesk(content, answers=first.answers)
    await inferred(again, work_at(live, content, batch_size=16))
    assert sum(live.endpoint.asked.values()) == 50
    assert all(one.was_remembered and one.cost == 0 for one in again.rows.values())
    assert result_of(again)["artifacts"]["predictions"] == result_of(first)["artifacts"]["predictions"]
    other = MemoryDesk(content, answers=first.answers)
    await inferred(other, work_at(live, content, batch_size=16, config={"system_prompt": "other"}))
    assert sum(live.endpoint.asked.values()) == 100


async def test_a_row_is_sent_again_by_the_rules_and_its_tries_are_counted(live: LiveEndpoint) -> None:
    content = texts(4)
    live.endpoint.plan = {
        "text 1": ["500", "429:0", "drop", "cut"],
        "text 2": ["500"] * 9,
        "text 3": ["malformed"] * 9,
    }
    desk = MemoryDesk(content)
    await inferred(desk, work_at(live, content, batch_size=4))
    assert [desk.rows[n].tries for n in (1, 2, 3, 4)] == [5, 6, 2, 1]
    assert [live.endpoint.asked[f"text {n}"] for n in (1, 2, 3, 4)] == [5, 6, 2, 1]
    assert "after 6 tries" in str(desk.rows[2].error) and "not JSON" in str(desk.rows[3].error)


async def test_a_refused_key_ends_it_with_its_reason_and_without_more_requests(live: LiveEndpoint) -> None:
    content = texts(100)
    live.endpoint.key = "right"
    config = {"secret_key_name": "mine"}
    work = work_at(live, content, config=config, secrets={"mine": "wrong-key-4711"}, batch_size=4)
    desk = MemoryDesk(content)
    with pytest.raises(Invalid, match="secret_key_name: the endpoint refuses the key") as caught:
        await inferred(desk, work)
    assert "4711" not in caught.value.detail and sum(live.endpoint.asked.values()) <= 4
    assert "result" not in desk.files
    good = work_at(live, content, config=config, secrets={"mine": "right"}, batch_size=4)
    await inferred(desk, good)
    assert len([one for one in desk.rows.values() if one.is_answered]) == 100


async def test_a_secret_that_is_gone_is_named(live: LiveEndpoint) -> None:
    content = texts(1)
    desk = MemoryDesk(content)
    async with LeaseKeeper(desk) as lease:
        with pytest.raises(Invalid, match="secret_key_name: there is no secret 'mine'"):
            await run(desk, work_at(live, content, config={"secret_key_name": "mine"}), lease)


async def test_without_any_answer_it_is_refused_for_the_commonest_reason(live: LiveEndpoint) -> None:
    content = texts(5)
    live.endpoint.default = ["404"] * 9
    live.endpoint.plan = {"text 2": ["400"]}
    desk = MemoryDesk(content)
    with pytest.raises(Invalid, match=r"no row was answered; most often because .*HTTP 404"):
        await inferred(desk, work_at(live, content))
    assert len(desk.rows) == 5 and "result" not in desk.files


async def test_rows_lost_in_succession_end_it_before_all_are_tried(live: LiveEndpoint) -> None:
    content = texts(200)
    live.endpoint.plan = {f"text {number}": ["500"] * 9 for number in range(6, 201)}
    desk = MemoryDesk(content)
    with pytest.raises(Invalid, match=r"model: the last 10 rows got no answer.*HTTP 500"):
        await inferred(desk, work_at(live, content))
    assert len(desk.rows) == 15 and len(live.endpoint.asked) == 15


async def test_rows_refused_one_by_one_end_nothing(live: LiveEndpoint) -> None:
    content = texts(60)
    live.endpoint.plan = {f"text {number}": ["400"] for number in range(1, 60)}
    desk = MemoryDesk(content)
    await inferred(desk, work_at(live, content))
    assert len(desk.rows) == 60 and result_of(desk)["artifacts"]["predictions"][-1] == "TEXT 60"


async def test_a_dataset_without_rows_is_refused(live: LiveEndpoint) -> None:
    content = b"examples,ground_truth\n"
    with pytest.raises(Invalid, match="no rows"):
        await inferred(MemoryDesk(content), work_at(live, content, kind=FileKind.CSV))


async def test_answers_may_not_take_the_place_of_examples(live: LiveEndpoint) -> None:
    content = texts(2)
    config = {"store_to_dataset": True, "output_field": "examples"}
    with pytest.raises(Invalid, match="output_field"):
        await inferred(MemoryDesk(content), work_at(live, content, config=config))
    assert not live.endpoint.asked


async def test_other_bytes_than_the_datasets_are_refused(live: LiveEndpoint) -> None:
    content = texts(2)
    damaged = MemoryDesk(content.replace(b"text 1", b"text 7"))
    with pytest.raises(Invalid, match="damaged"):
        await inferred(damaged, work_at(live, content))
    assert not live.endpoint.asked


async def test_a_desk_that_is_silent_for_a_moment_is_asked_again(live: LiveEndpoint) -> None:
    content = texts(30)
    desk = MemoryDesk(content)
    task = asyncio.create_task(inferred(desk, work_at(live, content, batch_size=3)))
    while not task.done():
        desk.silent = 1
        await asyncio.sleep(0.05)
        desk.silent = 0
        await asyncio.sleep(0.2)
    await task
    assert set(live.endpoint.paid.values()) == {1} and len(desk.rows) == 30 and not desk.twice


async def test_a_lost_lease_ends_it_and_answers_under_way_are_kept(live: LiveEndpoint) -> None:
    content = texts(200)
    desk = MemoryDesk(content)
    live.endpoint.seconds = 0.02
    task = asyncio.create_task(inferred(desk, work_at(live, content, batch_size=8)))
    while len(desk.rows) < 24:
        await asyncio.sleep(0.005)
    desk.lost = True
    with pytest.raises(Conflict):
        await task
    assert len(desk.rows) < 200 and "result" not in desk.files
    assert set(live.endpoint.paid) == {f"text {number}" for number in desk.rows}


async def test_a_long_pause_ends_when_the_attempt_has_to(live: LiveEndpoint) -> None:
    content = texts(3)
    live.endpoint.default = ["500"] * 9
    desk, work = MemoryDesk(content), work_at(live, content)
    slow = RetryRules(first=3600, longest=3600)
    config = config_of(work.job.kind, work.job.config)
    assert isinstance(config, InferenceConfig)
    model = opened_model(config.reference)
    async with LeaseKeeper(desk) as lease:
        task = asyncio.create_task(infer(desk, work, lease, model, rules=slow))
        while not live.endpoint.asked:
            await asyncio.sleep(0.01)
        lease.end(Conflict("it was told to end"))
        with pytest.raises(Conflict, match="told to end"):
            await task
    await model.close()


async def test_a_pause_that_one_row_is_told_holds_for_all(live: LiveEndpoint) -> None:
    content = texts(40)
    live.endpoint.plan = {"text 1": ["429:1"]}
    desk = MemoryDesk(content)
    long = RetryRules(first=0.001, longest=0.002, longest_asked=2)
    await inferred(desk, work_at(live, content, batch_size=2), long)
    assert all(one.is_answered for one in desk.rows.values()) and desk.rows[1].tries == 2
    before = [one.number for one in desk.rows.values() if one.at < desk.rows[1].at]
    assert len(before) < 10, "without the pause, the other slot would have sent them all"


async def test_a_slot_sends_nothing_before_its_last_outcome_is_kept(live: LiveEndpoint) -> None:
    content = texts(60)
    desk = MemoryDesk(content, seconds=0.01)
    task = asyncio.create_task(inferred(desk, work_at(live, content, batch_size=4)))
    most = 0
    while not task.done():
        kept = len(desk.rows)  # before the payments are counted, which go on in another thread
        most = max(most, live.endpoint.paid.total() - kept)
        await asyncio.sleep(0)
    await task
    assert 0 < most <= 8, "four under way, and four more whose slots were let go since"


async def test_nothing_is_sent_without_the_lease(live: LiveEndpoint) -> None:
    content = texts(1)
    desk = MemoryDesk(content)
    reference = ModelReference(name="small", provider="vllm", base_url=live.base_url)
    model = opened_model(reference)
    lease = LeaseKeeper(desk)
    asked = Asked(model, "be brief", GenerationConfig(), None, 1, 1)
    sending = Sending(asked, lease, Pace(), rules=QUICK, clock=SystemClock(), chance=lambda: 0.0)
    task = asyncio.create_task(sending.outcome(Todo(1, "text 1", "0" * 64, "1" * 64)))
    await asyncio.sleep(0.2)
    assert not live.endpoint.asked and not task.done()
    await lease.begin(1)
    outcome = await task
    assert outcome is not None and outcome.prediction == "TEXT 1"
    await model.close()


@pytest.mark.parametrize("limit", ["job", "catalogue"])
async def test_rows_are_sent_no_faster_than_the_limit(live: LiveEndpoint, limit: str) -> None:
    content = texts(4)
    entry = CatalogueEntry(
        model=ModelReference(name="small"), display_name="Small", tasks=(TaskKind.SUMMARIZATION,),
        defaults={"requests_per_minute": 200},
    )  # fmt: skip
    more: dict[str, Any] = {"config": {"requests_per_minute": 200.0}} if limit == "job" else {"model": entry}
    desk = MemoryDesk(content)
    await inferred(desk, work_at(live, content, batch_size=8, **more))
    times = sorted(one.at for one in desk.rows.values())
    spread = (times[-1] - times[0]).total_seconds()
    assert len(times) == 4 and spread > 0.2, "three gaps of 300 ms, less what a busy machine swallows of them"


async def test_outcomes_of_many_slots_are_kept_together(live: LiveEndpoint) -> None:
    content = texts(100)
    desk = MemoryDesk(content, seconds=0.02)
    await inferred(desk, work_at(live, content, batch_size=20))
    assert sum(desk.keeps) == 100 and len(desk.keeps) < 50 and max(desk.keeps) > 5


async def test_where_rows_come_faster_than_calls_go_a_call_waits_for_all_slots() -> None:
    desk = MemoryDesk(b"", seconds=0.1)
    async with LeaseKeeper(desk, Rules()) as lease:
        commit = GroupCommit(lease, 4)

        async def slot(which: int) -> None:
            for number in range(5):
                await asyncio.sleep(0.02 * which)
                await commit.keep([an_outcome(1 + which * 5 + number)], {})

        await asyncio.gather(*map(slot, range(4)))
    assert sum(desk.keeps) == len(desk.rows) == 20
    assert desk.keeps[0] == 1, "what comes first is not delayed"
    assert desk.keeps.count(4) >= 3, desk.keeps


async def test_rows_of_parquet_are_sent_and_kept_with_all_columns(live: LiveEndpoint) -> None:
    columns = {"examples": ["a b", "c"], "ground_truth": ["x", None], "n": [1, 2]}
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    desk = MemoryDesk(out.getvalue())
    rows = jsonl([{"examples": "a b", "ground_truth": "x", "n": 1}, {"examples": "c", "n": 2}])
    work = work_at(live, rows, config={"store_to_dataset": True})
    digest = hashlib.sha256(desk.content).hexdigest()
    fields = {"kind": FileKind.PARQUET, "size": len(desk.content), "digest": digest}
    await inferred(desk, work._replace(dataset=work.dataset.evolve(**fields)))
    assert [json.loads(line) for line in desk.files["dataset"].splitlines()] == [
        {"examples": "a b", "ground_truth": "x", "n": 1, "predictions": "A B"},
        {"examples": "c", "n": 2, "predictions": "C"},
    ]
