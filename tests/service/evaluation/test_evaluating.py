"""The worker's evaluation: measures, a judge over real sockets, and people's scores beside it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.desks import MemoryDesk, a_dataset, an_admission
from tests.endpoint.live import LiveEndpoint
from tests.factories import NOON
from tracker.adapters.text_metrics import PackagedTextMetrics
from tracker.domain.errors import Conflict, Invalid
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.rows import Columns, Row
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.retrying import RetryRules
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.results import compiled, flat_means, inference_result
from tracker.domain.evaluation.scoring.rubric import JUDGE_SYSTEM
from tracker.ports.evaluation.desk import Admission
from tracker.worker.evaluating import Tools, evaluate, run
from tracker.worker.lease_keeper import LeaseKeeper

TOOLS = Tools(
    PackagedTextMetrics(), rules=RetryRules(first=0.001, longest=0.002, longest_asked=0.1),
    chance=lambda: 0.0,
)  # fmt: skip
KEY = "sk-proj-Zq81xPw3LmTn7"
RUBRIC = {
    "name": "mine",
    "task": "answer politely",
    "criteria": [{"name": "tone", "question": "Is it polite?", "low": 1, "high": 5}],
}
ROWS = [
    {"examples": "a long text", "ground_truth": "the cat sat", "predictions": "the cat sat", "id": 7},
    {"examples": "another", "ground_truth": "it rains", "predictions": "it rains good"},
    {"examples": "no truth", "predictions": "good words", "human_score": 5},
    {"examples": "no answer", "ground_truth": "x"},
    {"examples": 'say "hi"\n$(reboot) é中😀', "ground_truth": "a b c d", "predictions": "a b c e good"},
]


def judge(system: str, text: str) -> str:
    """Answers with "good" in them get the best score, those with "odd" no readable one."""
    assert system == JUDGE_SYSTEM
    low, high = re.findall(r'"score": <from (-?\d+) to (-?\d+)>', text)[-1]
    answer = re.findall(r"\[ANSWER \w+\]\n(.*?)\n\[END OF ANSWER", text, re.DOTALL)[-1]
    if "odd" in answer:
        return "I cannot say."
    return json.dumps({"reason": f"it says {answer[:9]}", "score": int(high if "good" in answer else low)})


@pytest.fixture(scope="module")
def server() -> Iterator[LiveEndpoint]:
    server = LiveEndpoint(answer=judge)
    yield server
    server.stop()


@pytest.fixture
def live(server: LiveEndpoint) -> LiveEndpoint:
    endpoint = server.endpoint
    endpoint.plan, endpoint.default, endpoint.key, endpoint.seconds = {}, [], None, 0.0
    for counted in (endpoint.asked, endpoint.paid, endpoint.requests, endpoint.headers):
        counted.clear()
    endpoint.most_at_once = 0
    return server


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def work_of(
    content: bytes, config: Mapping[str, Any], dataset: Dataset | None = None, **more: Any
) -> Admission:
    made = an_admission(dataset or a_dataset(content), {}, kind=JobKind.EVALUATOR, **more)
    return made._replace(job=made.job.evolve(config=dict(config)))


def judged_by(live: LiveEndpoint, *metrics: str, **judge: Any) -> dict[str, Any]:
    asked = {"model_name": "small", "model_base_url": live.base_url, **judge}
    return {"metrics": list(metrics), "llm_as_judge": asked}


async def evaluated(desk: MemoryDesk, work: Admission, tools: Tools = TOOLS) -> dict[str, Any]:
    async with LeaseKeeper(desk, Rules()) as lease:
        await evaluate(desk, work, lease, tools)
    found: dict[str, Any] = json.loads(desk.files["result"])
    return found


async def of(rows: list[dict[str, Any]], config: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    content = jsonl(rows)
    return await evaluated(MemoryDesk(content), work_of(content, config, **more))


class TestMeasures:
    async def test_the_default_metrics_are_scored_by_row_and_as_means(self) -> None:
        content = jsonl(ROWS)
        desk, work = MemoryDesk(content), work_of(content, {})
        async with LeaseKeeper(desk) as lease:
            await run(desk, work, lease)
        result = json.loads(desk.files["result"])
        assert set(result["metrics"]) == {"rouge", "meteor", "bleu"} and set(desk.files) == {"result"}
        rouge = result["metrics"]["rouge"]
        assert rouge["rouge1"] == [1.0, pytest.approx(0.8), None, None, pytest.approx(6 / 9)]
        assert rouge["rouge1_mean"] == pytest.approx((1 + 0.8 + 6 / 9) / 3) and rouge["rouge1_rows"] == 3
        assert result["metrics"]["bleu"]["bleu"][0] == 1.0
        assert result["parameters"]["variants"] == {"meteor": "meteor_exact"}
        assert result["artifacts"]["predictions"] == [row.get("predictions") for row in ROWS]
        assert result["artifacts"]["ground_truth"] == [row.get("ground_truth") for row in ROWS]
        assert result["artifacts"]["evaluation_time"] >= 0 and desk.begun == [None] and desk.rows == {}

    async def test_each_metric_stands_under_the_name_it_was_asked_for(self) -> None:
        names = ["EXACT_MATCH", "regex:^the", "json_valid", "token_length", "corpus_bleu", "chrf", "ter"]
        metrics = (await of(ROWS, {"metrics": names}))["metrics"]
        wanted = ["exact_match", "regex:^the", "json_valid", "token_length", "corpus_bleu", "chrf", "ter"]
        assert sorted(metrics) == sorted(wanted)
        assert metrics["exact_match"]["exact_match"] == [1.0, 0.0, None, None, 0.0]
        assert metrics["regex:^the"]["regex"] == [1.0, 0.0, 0.0, None, 0.0]
        assert metrics["chrf"]["chrf_rows"] == 3 and 0 < metrics["chrf"]["chrf"] < 100
        assert flat_means({"metrics": metrics})["chrf"] == metrics["chrf"]["chrf"]

    async def test_only_the_first_rows_are_taken(self) -> None:
        result = await of(ROWS, {"metrics": ["exact_match"]}, max_samples=2)
        assert result["metrics"]["exact_match"]["exact_match"] == [1.0, 0.0]
        assert len(result["artifacts"]["predictions"]) == 2

    async def test_the_column_of_predictions_may_be_any(self) -> None:
        content = jsonl([{"examples": "x", "ground_truth": "a", "summary": "a"}])
        dataset = a_dataset(content, columns=Columns(predictions="summary"))
        result = await evaluated(MemoryDesk(content), work_of(content, {"metrics": ["exact_match"]}, dataset))
        assert result["metrics"]["exact_match"]["exact_match_mean"] == 1.0

    @pytest.mark.parametrize("kind", [FileKind.CSV, FileKind.PARQUET])
    async def test_other_files_give_the_same(self, kind: FileKind) -> None:
        names = ["examples", "ground_truth", "predictions"]
        columns = [[str(row.get(name) or "") or None for row in ROWS[:3]] for name in names]
        if kind is FileKind.CSV:
            text = io.StringIO()
            csv.writer(text).writerows([names, *zip(*columns, strict=True)])
            content = text.getvalue().encode()
            dataset = a_dataset(content, kind)
        else:
            out = io.BytesIO()
            pq.write_table(pa.table(dict(zip(names, columns, strict=True))), out)
            content = out.getvalue()
            digest = hashlib.sha256(content).hexdigest()
            like = a_dataset(jsonl(ROWS[:3]))
            dataset = like.evolve(kind=kind, size=len(content), digest=digest, filename="rows.parquet")
        config = {"metrics": ["token_f1"]}
        found = await evaluated(MemoryDesk(content), work_of(content, config, dataset))
        assert found["metrics"] == (await of(ROWS[:3], config))["metrics"]

    async def test_the_result_compiles_with_that_of_the_inference(self) -> None:
        result = await of(ROWS[:1], {"metrics": ["exact_match"]})
        answer = RowOutcome(number=1, input_hash="0" * 64, prediction="the cat sat", at=NOON)
        inference = inference_result(
            [Row(1, "a long text", "the cat sat")],
            {1: answer},
            model="m",
            seconds=1,
            parameters={"model": "m"},
        )
        whole = compiled(inference, result)
        assert {"exact_match", "avg_prompt_tokens"} <= set(whole["metrics"])

    @pytest.mark.parametrize(
        ("rows", "config", "told"),
        [
            (ROWS, {"metrics": ["rogue"]}, "'rogue' is no metric; choose from"),
            (ROWS, {"metrics": ["bertscore"]}, r"tracker\[bertscore\]"),
            ([{"examples": "x", "predictions": "y"}], {}, "needs ground truth"),
            ([{"examples": "x", "ground_truth": "t"}], {}, "no row has a prediction"),
            ([{"examples": "x", "ground_truth": "t"}, {"examples": "y", "predictions": "p"}], {}, "truth"),
            (ROWS, {"metrics": ["g_eval_summarization"]}, "asks a model: name one in llm_as_judge"),
        ],
    )
    async def test_what_cannot_be_computed_is_refused_with_a_reason(
        self, rows: list[dict[str, Any]], config: dict[str, Any], told: str
    ) -> None:
        content = jsonl(rows)
        desk = MemoryDesk(content)
        with pytest.raises(Invalid, match=told):
            await evaluated(desk, work_of(content, config))
        assert desk.files == {} and desk.begun == []


class TestJudge:
    async def test_each_question_is_asked_once_and_all_is_kept(self, live: LiveEndpoint) -> None:
        content = jsonl(ROWS)
        desk = MemoryDesk(content)
        work = work_of(content, judged_by(live, "g_eval_summarization", "exact_match"), batch_size=3)
        result = await evaluated(desk, work)
        # Four rows have an answer, and each of them four criteria.
        assert desk.begun == [16] and len(desk.rows) == 16 and set(live.endpoint.paid.values()) == {1}
        assert live.endpoint.most_at_once <= 3
        judged = result["metrics"]["g_eval_summarization"]
        assert judged["coherence"] == [1.0, 5.0, 5.0, None, 5.0] and judged["fluency"] == [
            1.0,
            3.0,
            3.0,
            None,
            3.0,
        ]
        assert judged["overall"] == [0.0, 1.0, 1.0, None, 1.0] and judged["overall_mean"] == 0.75
        assert judged["overall_interval_kind"] == "bootstrap" and judged["overall_rows"] == 4
        assert result["metrics"]["exact_match"]["exact_match_rows"] == 3
        told = result["artifacts"]["judgements"]["g_eval_summarization"]
        assert told[3] == {} and set(told[0]) == {"coherence", "consistency", "fluency", "relevance"}
        assert json.loads(told[4]["coherence"]["reply"]) == {"reason": "it says a b c e g", "score": 5}
        assert told[4]["coherence"]["reason"] == "it says a b c e g" and told[4]["coherence"]["score"] == 5.0
        counted = result["artifacts"]["judge"]
        assert (counted["model"], counted["questions"], counted["answered"]) == (
            f"{live.base_url}#small",
            16,
            16,
        )
        assert counted["input_tokens"] > 0 and counted["unreadable"] == {"g_eval_summarization": {}}

    async def test_prompts_and_raw_replies_are_left_as_the_judge_had_them(self, live: LiveEndpoint) -> None:
        content = jsonl(ROWS)
        desk = MemoryDesk(content)
        await evaluated(desk, work_of(content, judged_by(live, "rubric", rubric=RUBRIC)))
        lines = [json.loads(line) for line in desk.files["judgements"].splitlines()]
        assert [(line["row"], line["metric"], line["criterion"]) for line in lines] == [
            (row, "rubric", "tone") for row in (1, 2, 3, 5)
        ]
        sent = [
            tuple(message["content"] for message in request["messages"]) for request in live.endpoint.requests
        ]
        assert [(line["system"], line["user"]) for line in lines] == sent
        assert [line["reply"] for line in lines] == [judge(*each) for each in sent]
        assert 'say "hi"\n$(reboot) é中😀' in lines[3]["user"] and RUBRIC["task"] in lines[3]["user"]
        assert live.endpoint.requests[0]["temperature"] == 0.0

    async def test_what_needs_a_reference_is_not_asked_without_one(self, live: LiveEndpoint) -> None:
        names = "g_eval_translation", "g_eval_translation_noref"
        metrics = (await of(ROWS, judged_by(live, *names)))["metrics"]
        assert metrics[names[0]]["accuracy"] == [1.0, 5.0, None, None, 5.0]
        assert metrics[names[1]]["accuracy"] == [1.0, 5.0, 5.0, None, 5.0]

    async def test_a_reply_that_cannot_be_read_is_counted_and_is_no_score(self, live: LiveEndpoint) -> None:
        rows = [{"examples": "x", "predictions": "odd"}, {"examples": "y", "predictions": "good"}]
        result = await of(rows, judged_by(live, "rubric", rubric=RUBRIC))
        assert result["metrics"]["rubric"]["tone"] == [None, 5.0]
        assert result["artifacts"]["judge"]["unreadable"] == {"rubric": {"no_score": 1}}
        told = result["artifacts"]["judgements"]["rubric"][0]["tone"]
        assert (told["reply"], told["failure"]) == ("I cannot say.", "no_score")

    async def test_trouble_is_borne_and_a_question_that_is_lost_has_no_score(
        self, live: LiveEndpoint
    ) -> None:
        content = jsonl(ROWS)
        desk = MemoryDesk(content)
        work = work_of(content, judged_by(live, "rubric", rubric=RUBRIC))
        await evaluated(desk, work)
        first, second, third, fourth = (
            request["messages"][1]["content"] for request in live.endpoint.requests
        )
        live.endpoint.plan = {
            first: ["500", "cut", "429:0.01", "ok"], second: ["malformed", "malformed"], third: ["400"],
            fourth: ["500"] * 6,
        }  # fmt: skip
        live.endpoint.asked.clear()
        result = await evaluated(MemoryDesk(content), work)
        assert result["metrics"]["rubric"]["tone"] == [1.0, None, None, None, None]
        assert [live.endpoint.asked[each] for each in (first, second, third, fourth)] == [4, 2, 1, 6]
        told = result["artifacts"]["judgements"]["rubric"]
        assert (
            "malformed after 2 tries" in told[1]["tone"]["error"] and "HTTP 400" in told[2]["tone"]["error"]
        )

    async def test_a_retry_asks_for_the_rest_only(self, live: LiveEndpoint) -> None:
        content = jsonl(ROWS)
        desk = MemoryDesk(content)
        work = work_of(content, judged_by(live, "g_eval_summarization"))
        whole = await evaluated(MemoryDesk(content), work)
        texts = [request["messages"][1]["content"] for request in live.endpoint.requests]
        for counted in (live.endpoint.paid, live.endpoint.asked):
            counted.clear()
        live.endpoint.plan = {texts[5]: ["401"]}
        with pytest.raises(Invalid, match=r"judge .*small cannot be asked: .* refuses the key"):
            await evaluated(desk, work)
        assert desk.files == {} and sum(live.endpoint.paid.values()) == 5 == len(desk.rows) - 1
        live.endpoint.plan = {}
        assert (await evaluated(desk, work))["metrics"] == whole["metrics"]
        assert set(live.endpoint.paid.values()) == {1} and len(live.endpoint.paid) == 16 and desk.twice == []

    async def test_a_cut_off_attempt_pays_for_no_question_twice(self, live: LiveEndpoint) -> None:
        content = jsonl(ROWS)
        desk = MemoryDesk(content)
        work = work_of(content, judged_by(live, "g_eval_summarization"), batch_size=2)
        live.endpoint.seconds = 0.02

        class Losing(MemoryDesk):
            """A desk at which the attempt loses its job after some replies."""

            async def keep(self, *args: Any) -> Any:
                self.lost = len(self.rows) >= 6
                return await super().keep(*args)

        losing = Losing(content)
        with pytest.raises(Conflict):
            await evaluated(losing, work)
        desk.rows, desk.answers = losing.rows, losing.answers
        assert 6 <= len(desk.rows) < 16
        await evaluated(desk, work)
        assert set(live.endpoint.paid.values()) == {1} and len(live.endpoint.paid) == 16

    async def test_what_was_judged_before_is_not_asked_again(self, live: LiveEndpoint) -> None:
        content = jsonl(ROWS)
        answers: dict[str, RowOutcome] = {}
        work = work_of(content, judged_by(live, "rubric", rubric=RUBRIC))
        first = await evaluated(MemoryDesk(content, answers=answers), work)
        paid = sum(live.endpoint.paid.values())
        again = await evaluated(MemoryDesk(content, answers=answers), work)
        assert sum(live.endpoint.paid.values()) == paid == 4
        assert again["metrics"] == first["metrics"] and again["artifacts"]["judge"]["remembered"] == 4
        other = {**RUBRIC, "task": "answer rudely"}
        await evaluated(
            MemoryDesk(content, answers=answers), work_of(content, judged_by(live, "rubric", rubric=other))
        )
        assert sum(live.endpoint.paid.values()) == 8

    async def test_the_key_is_in_nothing_that_is_left(self, live: LiveEndpoint) -> None:
        live.endpoint.key = KEY
        content = jsonl(ROWS)
        desk = MemoryDesk(content)
        config = judged_by(live, "rubric", rubric=RUBRIC, secret_key_name="JUDGE")
        await evaluated(desk, work_of(content, config, secrets={"judge": KEY}))
        left = b"".join(desk.files.values()) + repr(desk.rows).encode()
        assert KEY.encode() not in left and live.endpoint.headers[0]["authorization"] == f"Bearer {KEY}"

    async def test_a_refused_key_ends_it_with_a_reason_that_does_not_show_it(
        self, live: LiveEndpoint
    ) -> None:
        live.endpoint.key = "another"
        content = jsonl(ROWS)
        config = judged_by(live, "rubric", rubric=RUBRIC, secret_key_name="judge")
        with pytest.raises(Invalid, match="refuses the key") as caught:
            await evaluated(MemoryDesk(content), work_of(content, config, secrets={"judge": KEY}))
        assert KEY not in caught.value.detail and KEY[:9] not in caught.value.detail
        assert sum(live.endpoint.asked.values()) == 1

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"model_base_url": None}, "asked at OpenAI's own endpoint, which wants a key"),
            ({"secret_key_name": "gone"}, "there is no secret 'gone' any more"),
            ({"rubric": None}, "the metric rubric needs llm_as_judge.rubric"),
            ({"human_score": "nobody"}, "there should be nobody_tone; it has examples"),
            ({"human_score": "id"}, "row 1, column id: must be a number from 1 to 5, the scale of tone"),
        ],
    )
    async def test_what_a_judge_lacks_is_told_before_anything_is_paid(
        self, live: LiveEndpoint, changes: dict[str, Any], told: str
    ) -> None:
        content = jsonl(ROWS)
        desk = MemoryDesk(content)
        with pytest.raises(Invalid, match=re.escape(told)):
            await evaluated(
                desk, work_of(content, judged_by(live, "rubric", **{"rubric": RUBRIC, **changes}))
            )
        assert not live.endpoint.asked and desk.files == {} and desk.begun == []

    async def test_a_judge_that_is_not_there_ends_it_with_a_reason(self) -> None:
        config = {
            "metrics": ["rubric"],
            "llm_as_judge": {"model_name": "m", "model_base_url": "http://127.0.0.1:9/v1", "rubric": RUBRIC},
        }
        with pytest.raises(Invalid, match=r"no question was answered; .* connection after 6 tries"):
            await of(ROWS, config)

    async def test_agreement_with_people_is_part_of_the_result(self, live: LiveEndpoint) -> None:
        words = ["good", "bad"] * 10
        score: dict[str, Any] = {"good": 5, "bad": "1"}
        rows: list[dict[str, Any]] = [
            {"examples": f"x{place}", "predictions": f"{word} {place}", "human_score": score[word]}
            for place, word in enumerate(words)
        ]
        rows[0]["human_score"], rows[1]["human_score"], rows[2]["human_score"] = 1, "", 4.6
        result = await of(rows, judged_by(live, "rubric", rubric=RUBRIC, human_score="human_score"))
        (told,) = result["artifacts"]["human_agreement"]
        # By hand: of 19 rows people have 9 fives and 10 ones, the judge 10 and 9, and they differ on one.
        chance = (9 * 10 + 10 * 9) / 19**2
        assert (told["name"], told["rows"], told["observed"]) == ("rubric.tone", 19, pytest.approx(18 / 19))
        assert told["kappa"] == pytest.approx((18 / 19 - chance) / (1 - chance)) == told["weighted_kappa"]
        assert told["kappa_interval"][0] < told["kappa"] <= told["kappa_interval"][1]
        assert flat_means(result)["human_agreement.rubric.tone"] == told["kappa"]

    async def test_of_several_criteria_each_has_a_column_of_its_own(self, live: LiveEndpoint) -> None:
        rows = [
            {"examples": "x", "predictions": "good a", "h_fluency": 3, "h_coherence": 5},
            {"examples": "y", "predictions": "b", "h_fluency": 1, "h_coherence": None},
        ]
        result = await of(rows, judged_by(live, "g_eval_summarization", human_score="h"))
        told = {each["name"].partition(".")[2]: each for each in result["artifacts"]["human_agreement"]}
        assert set(told) == {"coherence", "fluency"}
        assert (told["fluency"]["rows"], told["fluency"]["kappa"]) == (2, 1.0)
        assert told["coherence"]["kappa"] is None and told["coherence"]["observed"] == 1.0
