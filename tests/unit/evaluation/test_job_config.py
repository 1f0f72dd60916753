from __future__ import annotations

import json
from typing import Any

import pytest

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.jobs.config import EvaluatorConfig, InferenceConfig, config_of
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.tasks import TaskKind

INFERENCE: dict[str, Any] = {"model": "small", "provider": "openai"}
RUBRIC = {
    "name": "mine",
    "task": "answer",
    "criteria": [{"name": "tone", "question": "Is it polite?", "steps": ["Read."], "low": 0, "high": 1}],
}


def test_inference_has_the_defaults_of_the_contract() -> None:
    config = config_of(JobKind.INFERENCE, INFERENCE)
    assert isinstance(config, InferenceConfig)
    assert config.model_dump(mode="json", exclude={"generation_config", "task_definition"}) == {
        "model": "small",
        "provider": "openai",
        "base_url": None,
        "accelerator": "auto",
        "revision": "main",
        "use_fast": True,
        "trust_remote_code": False,
        "torch_dtype": "auto",
        "output_field": "predictions",
        "store_to_dataset": False,
        "system_prompt": "",
        "secret_key_name": None,
        "requests_per_minute": None,
    }


def test_annotation_is_inference_into_the_ground_truth_of_a_new_dataset() -> None:
    config = config_of(JobKind.ANNOTATE, INFERENCE | {"output_field": "x", "store_to_dataset": False})
    assert isinstance(config, InferenceConfig)
    assert (config.output_field, config.store_to_dataset) == ("ground_truth", True)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (
            JobKind.INFERENCE,
            INFERENCE
            | {
                "system_prompt": 'a "b"; $(c)\n☃',
                "base_url": "http://localhost:8000/v1",
                "secret_key_name": "KEY",
                "generation_config": {"stop": ["\n"], "temperature": 1, "seed": 7},
                "task_definition": {"task": "translation", "source_language": "en", "target_language": "de"},
            },
        ),
        (
            JobKind.EVALUATOR,
            {"metrics": ["rouge", "mine"], "llm_as_judge": {"model_name": "j", "rubric": RUBRIC}},
        ),
        (
            JobKind.EVALUATOR,
            {
                "metrics": ["rubric"],
                "llm_as_judge": {
                    "model_name": "j",
                    "rubric": RUBRIC,
                    "human_score": "human",
                    "generation_config": {"stop": ["\n"], "temperature": 1, "max_new_tokens": 9},
                },
            },
        ),
        (JobKind.EVALUATOR, {}),
    ],
)
def test_what_a_job_keeps_is_read_again_as_it_was(kind: JobKind, fields: dict[str, Any]) -> None:
    config = config_of(kind, fields)
    kept = json.loads(config.model_dump_json())
    assert config_of(kind, kept) == config


@pytest.mark.parametrize(
    ("kind", "fields", "loc"),
    [
        (JobKind.INFERENCE, {"provider": "openai"}, ("model",)),
        (JobKind.INFERENCE, INFERENCE | {"more": 1}, ("more",)),
        (JobKind.INFERENCE, INFERENCE | {"base_url": "http://user:pw@host"}, ("base_url",)),
        (JobKind.INFERENCE, INFERENCE | {"task_definition": {"task": "x"}}, ("task_definition", "task")),
        (JobKind.INFERENCE, INFERENCE | {"task_definition": 3}, ("task_definition",)),
        (
            JobKind.INFERENCE,
            INFERENCE | {"generation_config": {"stop": [3]}},
            ("generation_config", "stop", 0),
        ),
        (JobKind.EVALUATOR, {"metrics": "rouge"}, ("metrics",)),
        (JobKind.EVALUATOR, {"llm_as_judge": {}}, ("llm_as_judge", "model_name")),
        (
            JobKind.EVALUATOR,
            {"llm_as_judge": {"model_name": "j", "rubric": {**RUBRIC, "criteria": [{"name": "x"}]}}},
            ("llm_as_judge", "rubric", "criteria", "question"),
        ),
        (
            JobKind.EVALUATOR,
            {"llm_as_judge": {"model_name": "j", "rubric": {**RUBRIC, "criteria": [3]}}},
            ("llm_as_judge", "rubric", "criteria"),
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_place(
    kind: JobKind, fields: dict[str, Any], loc: tuple[Any, ...]
) -> None:
    with pytest.raises(Invalid) as caught:
        config_of(kind, fields)
    assert caught.value.problems[0].loc[: len(loc)] == loc
    assert caught.value.detail.startswith(".".join(map(str, loc)))


def test_whatever_could_change_an_answer_is_part_of_its_key() -> None:
    plain = config_of(JobKind.INFERENCE, INFERENCE)
    assert isinstance(plain, InferenceConfig)
    changes: list[dict[str, Any]] = [
        {"model": "large"},
        {"provider": "hf"},
        {"base_url": "http://other/v1"},
        {"revision": "v2"},
        {"torch_dtype": "float16"},
        {"system_prompt": "Be short."},
        {"generation_config": plain.generation_config.evolve(seed=1)},
    ]
    keys = [json.dumps(plain.evolve(**change).cached_by()) for change in ({}, *changes)]
    assert len(set(keys)) == len(keys)
    assert plain.evolve(output_field="x", secret_key_name="k").cached_by() == plain.cached_by()


def test_whatever_could_change_a_reply_is_part_of_its_key() -> None:
    plain = config_of(JobKind.EVALUATOR, {"llm_as_judge": {"model_name": "j"}})
    assert isinstance(plain, EvaluatorConfig) and plain.llm_as_judge is not None
    judge = plain.llm_as_judge
    assert (judge.generation_config.temperature, judge.generation_config.top_p) == (0.0, 1.0)
    changes: list[dict[str, Any]] = [
        {"model_name": "k"},
        {"model_base_url": "http://other/v1"},
        {"generation_config": judge.generation_config.evolve(temperature=1)},
    ]
    keys = [json.dumps(judge.evolve(**change).cached_by()) for change in ({}, *changes)]
    assert len(set(keys)) == len(keys)
    assert judge.evolve(secret_key_name="k", human_score="h").cached_by() == judge.cached_by()


def test_the_metric_rubric_needs_one() -> None:
    for asked in ("rubric", " RUBRIC "):
        with pytest.raises(Invalid, match=r"llm_as_judge\.rubric"):
            config_of(JobKind.EVALUATOR, {"metrics": [asked], "llm_as_judge": {"model_name": "j"}})


def test_generation_of_text_needs_words_before_it_starts() -> None:
    config = config_of(JobKind.INFERENCE, INFERENCE | {"task_definition": {"task": "text-generation"}})
    assert isinstance(config, InferenceConfig)
    assert config.task_definition.task is TaskKind.TEXT_GENERATION
    with pytest.raises(Invalid, match="system_prompt"):
        _ = config.effective_prompt


def test_an_evaluation_asks_for_the_usual_metrics_by_default() -> None:
    config = config_of(JobKind.EVALUATOR, {})
    assert isinstance(config, EvaluatorConfig) and config.metrics == ("rouge", "meteor", "bleu")
