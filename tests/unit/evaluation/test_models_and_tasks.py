from __future__ import annotations

from typing import Any

import pytest

from tests.factories import NOON, new_id
from tracker.domain.errors import Invalid
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.generation import GenerationConfig
from tracker.domain.evaluation.models import CatalogueEntry, ModelReference, Origin, merged, of_tasks
from tracker.domain.evaluation.tasks import TaskDefinition, TaskKind, system_prompt
from tracker.domain.ids import DatasetId, EvaluationId, ProjectId


def an_entry(name: str = "small", **fields: Any) -> CatalogueEntry:
    defaults: dict[str, Any] = {
        "model": ModelReference(name=name),
        "display_name": name,
        "tasks": (TaskKind.SUMMARIZATION,),
    }
    return CatalogueEntry(**{**defaults, **fields})


@pytest.mark.parametrize(
    ("text", "url", "name"),
    [
        ("small", None, "small"),
        ("facebook/bart-large-cnn", None, "facebook/bart-large-cnn"),
        ("http://localhost:8000/v1#small", "http://localhost:8000/v1", "small"),
        ("https://h.example/v1/#a#b", "https://h.example/v1", "a#b"),
        ("http://[::1]:8000/v1#m", "http://[::1]:8000/v1", "m"),
        ("https://x.example/openai?api-version=1#m", "https://x.example/openai?api-version=1", "m"),
    ],
)
def test_a_model_is_written_as_url_and_name(text: str, url: str | None, name: str) -> None:
    model = ModelReference.parsed(text)
    assert (model.base_url, model.name) == (url, name)
    assert ModelReference.parsed(str(model)) == model


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://localhost:8000/v1", "write URL#name"),
        ("http://localhost#", "write URL#name"),
        ("", "name"),
        ("ftp://host#m", "must be a URL"),
        ("http://#m", "must be a URL"),
        ("http://user:pass@host/v1#m", "without a user or password"),
        ("http://pass@host/v1#m", "without a user or password"),
        ("http://ho st/#m", "must be a URL"),
        ("http://host/" + "a" * 2000 + "#m", "must be a URL"),
    ],
)
def test_what_is_no_model_is_refused_without_repeating_it(text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told) as caught:
        ModelReference.parsed(text)
    assert "pass" not in caught.value.detail.replace("password", "")


def test_additions_take_the_place_of_what_is_shipped() -> None:
    mine = an_entry("b", description="mine", origin=Origin.ADDED)
    entries = merged(
        [an_entry("a"), an_entry("b"), an_entry("c")], [mine, an_entry("d"), an_entry("c", hidden=True)]
    )
    assert [entry.model.name for entry in entries] == ["a", "b", "d"]
    assert entries[1] is mine
    assert merged(entries, []) == entries


def test_models_are_found_by_any_of_their_tasks() -> None:
    both = an_entry("x", tasks=(TaskKind.TRANSLATION, TaskKind.SUMMARIZATION))
    one = an_entry("y")
    assert of_tasks([both, one], []) == (both, one)
    assert of_tasks([both, one], ["TRANSLATION"]) == (both,)
    assert of_tasks([both, one], ["translation", "Summarization"]) == (both, one)
    with pytest.raises(Invalid, match="choose from summarization, translation, text-generation"):
        of_tasks([both], ["painting"])


def test_cost_is_known_when_both_prices_are() -> None:
    assert an_entry(input_price=2, output_price=10).cost(1_000_000, 500_000) == 7
    assert an_entry(input_price=2).cost(1, 1) is None


def test_a_translation_has_languages_and_nothing_else_does() -> None:
    task = TaskDefinition.parsed({"task": "Translation", "source_language": "en", "target_language": "de"})
    assert "from en to de" in system_prompt(task)
    for wrong in (
        {"task": "translation", "source_language": "en"},
        {"task": "summarization", "target_language": "de"},
        {"task": "painting"},
        {"task": "summarization", "more": 1},
        {"task": 3},
    ):
        with pytest.raises(Invalid):
            TaskDefinition.parsed(wrong)
    assert TaskDefinition.parsed({}).task is TaskKind.SUMMARIZATION


def test_a_prompt_of_ones_own_is_taken_verbatim_and_generation_needs_one() -> None:
    summarize, generate = TaskDefinition(), TaskDefinition(task=TaskKind.TEXT_GENERATION)
    assert system_prompt(summarize, " {x} $(y)\n") == " {x} $(y)\n"
    assert "summar" in system_prompt(summarize, "  ")
    assert system_prompt(generate, "Write.") == "Write."
    with pytest.raises(Invalid, match="text-generation needs one"):
        system_prompt(generate, " ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_new_tokens": 0}, {"temperature": -0.1}, {"temperature": float("nan")}, {"top_p": 0},
        {"top_p": 1.1}, {"frequency_penalty": 3}, {"stop": ("",)}, {"stop": ("a",) * 5}, {"top_k": 1},
    ],
)  # fmt: skip
def test_parameters_that_no_endpoint_takes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=next(iter(wrong))):
        GenerationConfig(**wrong)


def test_generation_has_the_defaults_of_the_contract() -> None:
    config = GenerationConfig()
    found = (config.max_new_tokens, config.frequency_penalty, config.temperature, config.top_p)
    assert found == (1024, 0, 0.5, 0.5)


@pytest.mark.parametrize("name", ["", "  ", "\n", "a\x00"])
def test_an_evaluation_has_a_name(name: str) -> None:
    fields: dict[str, Any] = {
        "id": EvaluationId(new_id()),
        "project_id": ProjectId(new_id()),
        "dataset_id": DatasetId(new_id()),
        "created_at": NOON,
        "updated_at": NOON,
    }
    assert Evaluation(name='a "b"; $(c)\n☃', **fields).max_samples == -1
    with pytest.raises(Invalid, match="name"):
        Evaluation(name=name, **fields)
