"""Who serves models, and where: what a client may leave out of a model's address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.models import ModelReference

__all__ = ["LOADED_HERE", "PROVIDERS", "Endpoint", "check_provider", "endpoint_of"]

LOADED_HERE = "hf"
"""The provider of models that are loaded by transformers, where the worker runs."""

_BARE = re.compile(r"https?://[^/?]+")


class Endpoint(NamedTuple):
    """Where a chat completion is asked for, in the words of that place.

    Attributes:
        base_url: before ``/chat/completions``; empty in the table of a provider that is anywhere.
        most_tokens: the parameter that bounds an answer's tokens.
        seed: the parameter of a seed.
        prefix: what a base URL without a path lacks.
    """

    base_url: str
    most_tokens: str = "max_tokens"
    seed: str = "seed"
    prefix: str = ""


PROVIDERS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "openai": Endpoint("https://api.openai.com/v1"),
        "openai-compatible": Endpoint(""),
        "mistral": Endpoint("https://api.mistral.ai/v1", seed="random_seed"),
        "deepseek": Endpoint("https://api.deepseek.com/v1"),
        "groq": Endpoint("https://api.groq.com/openai/v1"),
        "openrouter": Endpoint("https://openrouter.ai/api/v1"),
        "ollama": Endpoint("http://localhost:11434/v1", prefix="/v1"),
        "llamafile": Endpoint("http://localhost:8080/v1", prefix="/v1"),
        "vllm": Endpoint("http://localhost:8000/v1", prefix="/v1"),
    }
)
"""Those that need no `base_url`, and what is special of each; any other that has one is OpenAI-compatible."""


def endpoint_of(reference: ModelReference) -> Endpoint:
    """Where to ask a model.

    OpenAI's own endpoint counts the tokens of reasoning by ``max_completion_tokens``, and its newer models
    take no other name; whoever else speaks its protocol is sure of ``max_tokens`` alone.

    Raises:
        Invalid: nobody knows where `reference` is, or it is loaded and not asked.
    """
    known = PROVIDERS.get(reference.provider, Endpoint(""))
    if reference.base_url is not None:
        bare = known.prefix and _BARE.fullmatch(reference.base_url)
        return known._replace(base_url=reference.base_url + (known.prefix if bare else ""))
    if reference.provider == LOADED_HERE:
        raise Invalid.field("provider", f"a model of {LOADED_HERE} is loaded, and has no endpoint")
    if not known.base_url:
        choices = ", ".join(sorted([LOADED_HERE, *(name for name, at in PROVIDERS.items() if at.base_url)]))
        why = f"nobody knows where {reference.provider} is: give base_url, or choose from {choices}"
        raise Invalid.field("provider", why)
    return known._replace(most_tokens="max_completion_tokens") if reference.provider == "openai" else known


def check_provider(reference: ModelReference) -> None:
    """Lets pass a model that can be reached, so far as its address tells.

    Raises:
        Invalid: nobody knows where it is; or it is loaded, and has a base URL.
    """
    if reference.provider != LOADED_HERE:
        endpoint_of(reference)
    elif reference.base_url is not None:
        why = f"a model of {LOADED_HERE} is loaded where the job runs; leave base_url out, or name a provider"
        raise Invalid.field("base_url", why)
