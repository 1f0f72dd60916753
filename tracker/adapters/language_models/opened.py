"""Which adapter reaches a model."""

from __future__ import annotations

from tracker.adapters.language_models.hf import HfModel, Loading
from tracker.adapters.language_models.openai import OpenAiModel, Timeouts
from tracker.domain.evaluation.models import ModelReference
from tracker.domain.evaluation.providers import LOADED_HERE, check_provider, endpoint_of
from tracker.domain.evaluation.secrets import PlainSecret
from tracker.ports.evaluation.language_model import LanguageModel

__all__ = ["opened_model"]


def opened_model(
    reference: ModelReference,
    key: PlainSecret | None = None,
    *,
    at_once: int = 1,
    timeouts: Timeouts | None = None,
    loading: Loading | None = None,
) -> LanguageModel:
    """The model that `reference` names; whoever opens it closes it.

    Args:
        reference: which, and where.
        key: of its endpoint; of models that are loaded, the token of the hub.
        at_once: so many answers are asked for at once.
        timeouts: of an endpoint.
        loading: how a model is loaded here.

    Raises:
        Invalid: nobody knows where it is.
        Unavailable: it is loaded, and the extra ``hf`` is not installed.
    """
    check_provider(reference)
    if reference.provider == LOADED_HERE:
        return HfModel(reference.name, loading or Loading(), key)
    return OpenAiModel(reference.name, endpoint_of(reference), key, connections=at_once, timeouts=timeouts)
