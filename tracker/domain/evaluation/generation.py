"""How a model draws its answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from tracker.domain.frozen import Frozen
from tracker.domain.text import storable

__all__ = ["GenerationConfig"]

_Stop = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(storable)]


class GenerationConfig(Frozen):
    """Parameters of generation. All of them are part of a cached answer's key.

    Attributes:
        max_new_tokens: of the answer.
        frequency_penalty: against words that stand there already.
        temperature: 0 takes the likeliest token each time.
        top_p: draw from the likeliest tokens that have this probability together.
        seed: for endpoints that take one.
        stop: texts that end an answer.
    """

    max_new_tokens: Annotated[int, Field(gt=0, le=10_000_000)] = 1024
    frequency_penalty: Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False, strict=False)] = 0.0
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False, strict=False)] = 0.5
    top_p: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, strict=False)] = 0.5
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Annotated[tuple[_Stop, ...], Field(max_length=4)] = ()
