"""Language models."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tracker.domain.evaluation.generation import GenerationConfig
from tracker.domain.evaluation.jobs.retrying import Failure

__all__ = ["Answer", "LanguageModel", "Miss"]


class Answer(NamedTuple):
    """What a model wrote.

    Attributes:
        text: its answer, verbatim.
        reasoning: what it wrote before; ``None`` when it did not say.
        input_tokens, output_tokens, reasoning_tokens: as it counts them; ``None`` when it did not say.
    """

    text: str
    reasoning: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


class Miss(NamedTuple):
    """Why there is no answer.

    Attributes:
        failure: its kind.
        why: in words, without any part of a key.
        asked: seconds for which the server asks to be left alone; ``None`` when it did not say.
    """

    failure: Failure
    why: str
    asked: float | None = None


class LanguageModel(Protocol):
    """One model at one place. It sends once: whether to try again is decided by who asks."""

    async def answer(self, system: str, text: str, config: GenerationConfig) -> Answer | Miss:
        """The model's answer to `text`, told `system` before; never raises what a server can cause.

        Raises:
            Invalid: it is to be loaded here, and cannot be.
        """
        ...

    async def close(self) -> None:
        """Lets go of connections or memory; safe to call twice."""
        ...
