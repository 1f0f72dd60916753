"""What came of each row of an inference: kept as it comes, whatever becomes of the job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.artifacts.digest import Digest
from tracker.domain.frozen import Frozen
from tracker.domain.text import storable

__all__ = ["RowOutcome", "kept", "rest"]

_Text = Annotated[str, AfterValidator(storable)]
_Tokens = Annotated[int, Field(ge=0, lt=2**53)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)]


class RowOutcome(Frozen):
    """What came of one row.

    Attributes:
        number: the row's, from 1.
        input_hash: of its example.
        prediction: the answer; ``None`` when there is none.
        reasoning: what the model wrote before its answer.
        error: why there is no answer.
        input_tokens, output_tokens, reasoning_tokens: as the endpoint counts them.
        cost: in the currency of the price list; ``None`` when prices are not known.
        seconds: from the first try to the end of the last.
        tries: how often it was sent; 0 = the answer was remembered, and cost nothing.
        attempt: of the job.
        at: when.
    """

    number: Annotated[int, Field(ge=1, lt=2**31)]
    input_hash: Digest
    prediction: _Text | None = None
    reasoning: _Text | None = None
    error: _Text | None = None
    input_tokens: _Tokens | None = None
    output_tokens: _Tokens | None = None
    reasoning_tokens: _Tokens | None = None
    cost: _Amount | None = None
    seconds: _Amount = 0.0
    tries: Annotated[int, Field(ge=0, lt=2**31)] = 1
    attempt: Annotated[int, Field(ge=1)] = 1
    at: AwareDatetime

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.prediction is None) == (self.error is None):
            raise PydanticCustomError("row_outcome", "a row has either an answer or a reason for having none")
        return self

    @property
    def is_answered(self) -> bool:
        """Whether it need not be sent again."""
        return self.prediction is not None

    @property
    def was_remembered(self) -> bool:
        """Whether the answer came from the cache."""
        return self.tries == 0


def kept(present: RowOutcome | None, new: RowOutcome) -> RowOutcome:
    """Which of two outcomes of one row stays: the first answer, otherwise the last error.

    An attempt that has lost its lease may still bring the answer that it had under way: it is paid, so
    it counts when no other is there, and never replaces one.
    """
    return present if present is not None and present.is_answered else new


def rest(total: int, outcomes: Mapping[int, RowOutcome] | Collection[int]) -> Iterator[int]:
    """The numbers of the rows that an attempt has to send, in their order.

    Args:
        total: rows to do, the first ones.
        outcomes: what is known of rows by their numbers, or the numbers of the answered ones.
    """
    answered = outcomes if not isinstance(outcomes, Mapping) else set(_answered(outcomes.values()))
    return (number for number in range(1, total + 1) if number not in answered)


def _answered(outcomes: Iterable[RowOutcome]) -> Iterator[int]:
    return (outcome.number for outcome in outcomes if outcome.is_answered)
