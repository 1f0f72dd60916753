from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
import yaml

from tests.doubles import SettableClock
from tests.factories import new_id
from tracker.adapters.catalogue import shipped_models
from tracker.domain.errors import Forbidden, Invalid, NotFound
from tracker.domain.evaluation.catalogue.service import ModelService
from tracker.domain.evaluation.models import CatalogueEntry, ModelReference, Origin
from tracker.domain.evaluation.providers import check_provider
from tracker.domain.evaluation.tasks import TaskKind
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import Actor, local_actor
from tracker.domain.ids import ApiTokenId, UserId
from tracker.ports.unit_of_work import UnitsOfWork

SUPERUSER = local_actor("test")


def an_entry(name: str = "mine", **fields: Any) -> CatalogueEntry:
    defaults: dict[str, Any] = {
        "model": ModelReference(name=name), "display_name": name, "tasks": (TaskKind.TRANSLATION,),
    }  # fmt: skip
    return CatalogueEntry(**{**defaults, **fields})


@pytest.fixture
def models(units: UnitsOfWork) -> ModelService:
    return ModelService(units, SettableClock(), shipped_models)


async def names(models: ModelService, *tasks: str) -> list[str]:
    return [entry.model.name for entry in await models.list(tasks)]


def test_what_is_shipped_is_yaml_and_every_model_can_be_reached() -> None:
    text = files("tracker.adapters.catalogue").joinpath("models.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == json.loads(text)
    shipped = shipped_models()
    assert len(shipped) == len({entry.key for entry in shipped}) == 15 and shipped_models() is shipped
    for entry in shipped:
        check_provider(entry.model)
        assert entry.website_url and entry.description and entry.origin is Origin.SHIPPED
        assert entry.input_price is None and entry.output_price is None
        assert (entry.model.provider in ("openai", "mistral", "deepseek") and not entry.model.base_url) == (
            "api_key" in entry.requirements
        )


async def test_models_are_found_by_any_of_their_tasks_whatever_the_case(models: ModelService) -> None:
    assert len(await models.list()) == 15 == len(await models.list(["SUMMARIZATION", "Text-Generation"]))
    translators = await names(models, "Translation")
    assert "gpt-4o" in translators and "facebook/bart-large-cnn" not in translators
    with pytest.raises(Invalid, match="choose from summarization, translation, text-generation"):
        await models.list(["translation", "poetry"])


async def test_a_model_is_added_replaced_and_removed(models: ModelService, units: UnitsOfWork) -> None:
    assert await models.put(SUPERUSER, an_entry(origin=Origin.SHIPPED, hidden=True))
    assert not await models.put(SUPERUSER, an_entry(display_name="Mine", input_price=1.0))
    found = await models.find("openai", "mine")
    assert found is not None and (found.display_name, found.origin, found.hidden) == (
        "Mine",
        Origin.ADDED,
        False,
    )
    assert (await names(models))[-1] == "mine"
    await models.remove(SUPERUSER, "openai", "mine")
    assert await models.find("openai", "mine") is None
    with pytest.raises(NotFound, match="model openai/mine not found"):
        await models.remove(SUPERUSER, "openai", "mine")
    async with units.reading() as unit:
        told = [(entry.what, entry.key) for entry in await unit.audit.list()]
    assert told == [(f"model.{what}", "openai/mine") for what in ("put", "put", "remove")]


async def test_a_shipped_model_is_hidden_and_comes_back(models: ModelService) -> None:
    before = await models.list()
    await models.remove(SUPERUSER, "openai", "gpt-4o")
    assert "gpt-4o" not in await names(models)
    with pytest.raises(NotFound):
        await models.remove(SUPERUSER, "openai", "gpt-4o")
    assert (await models.restore(SUPERUSER, "openai", "gpt-4o")).model.name == "gpt-4o"
    assert await models.list() == before == await models.list()
    for nothing in (("openai", "mine"), ("hf", "gpt-4o")):
        with pytest.raises(NotFound):
            await models.restore(SUPERUSER, *nothing)


async def test_what_took_a_shipped_models_place_gives_it_back(models: ModelService) -> None:
    before = await models.list()
    assert not await models.put(SUPERUSER, an_entry("gpt-4o", input_price=2.0, output_price=3.0))
    changed = await models.find("openai", "gpt-4o")
    assert changed is not None and changed.cost(10**6, 10**6) == 5.0
    assert [entry.key for entry in await models.list()] == [entry.key for entry in before]
    await models.remove(SUPERUSER, "openai", "gpt-4o")
    assert await models.list() == before


async def test_only_administrators_change_it_and_in_person(models: ModelService) -> None:
    token = SUPERUSER.evolve(scopes=frozenset(Action), api_token_id=ApiTokenId(new_id()))
    for actor in (Actor(user_id=UserId(new_id())), token):
        for change in (
            models.put(actor, an_entry()),
            models.remove(actor, "openai", "gpt-4o"),
            models.restore(actor, "openai", "gpt-4o"),
        ):
            with pytest.raises(Forbidden):
                await change
    assert await models.list() == shipped_models()
