"""What every language model keeps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.endpoint.live import LiveEndpoint
from tests.integrations.tiny_model import tiny_model
from tracker.adapters.language_models.opened import opened_model
from tracker.domain.evaluation.generation import GenerationConfig
from tracker.domain.evaluation.models import ModelReference
from tracker.ports.evaluation.language_model import Answer, LanguageModel

BRIEF = GenerationConfig(max_new_tokens=8, temperature=0.0, top_p=1.0)
ODD = "quotes \" and ' and `$(reboot)`;\n new lines \u2028 \t, {{braces}} <think>é😀 中文\u202e"


@pytest.fixture(scope="module")
def live() -> Iterator[LiveEndpoint]:
    server = LiveEndpoint()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(params=["openai", "hf", "hf-encoder"])
async def model(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[LanguageModel]:
    if request.param == "openai":
        url = request.getfixturevalue("live").base_url
        reference = ModelReference(name="small", provider="openai-compatible", base_url=url)
    else:
        name = tiny_model(folder, with_encoder=request.param == "hf-encoder")
        reference = ModelReference(name=name, provider="hf")
    made = opened_model(reference, at_once=4)
    yield made
    await made.close()


class TestLanguageModel:
    async def test_it_answers_and_counts_tokens(self, model: LanguageModel) -> None:
        found = await model.answer("you are terse", "one two three", BRIEF)
        assert isinstance(found, Answer) and isinstance(found.text, str)
        assert found.input_tokens is not None and found.input_tokens >= 3
        assert found.output_tokens is not None and 0 <= found.output_tokens <= 9

    async def test_any_text_is_taken(self, model: LanguageModel) -> None:
        for text in ("", " ", ODD, json.dumps({"a": ODD}), "\\", "x" * 100):
            found = await model.answer("", text, BRIEF)
            assert isinstance(found, Answer), found
            json.dumps(found.text).encode()

    async def test_without_chance_the_same_question_has_the_same_answer(self, model: LanguageModel) -> None:
        first = await model.answer("be brief", "one two", BRIEF)
        assert await model.answer("be brief", "one two", BRIEF) == first

    async def test_every_parameter_is_taken(self, model: LanguageModel) -> None:
        config = GenerationConfig(
            max_new_tokens=4, frequency_penalty=0.5, temperature=1.5, top_p=0.9, seed=7, stop=("zzz", "\n\n")
        )
        first = await model.answer("be brief", "one two", config)
        assert isinstance(first, Answer)
        assert await model.answer("be brief", "one two", config) == first

    async def test_closing_twice_is_no_error(self, model: LanguageModel) -> None:
        await model.close()
        await model.close()

    async def test_it_shows_no_secret(self, model: LanguageModel) -> None:
        assert "sk-" not in repr(model) and "Bearer" not in str(vars(model).get("_http"))
