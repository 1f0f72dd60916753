"""What an inference used and cost, counted row by row."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome

__all__ = ["InferenceTally", "tokens_of"]

_NAMES = ("prompt_tokens", "total_tokens", "completion_tokens", "reasoning_tokens", "answer_tokens")


def tokens_of(outcome: RowOutcome) -> dict[str, int | None]:
    """The tokens of one row, by the names that clients know."""
    given, written, thought = outcome.input_tokens, outcome.output_tokens, outcome.reasoning_tokens
    return {
        "prompt_tokens": given,
        "completion_tokens": written,
        "total_tokens": None if given is None or written is None else given + written,
        "reasoning_tokens": thought,
        "answer_tokens": None if written is None else max(0, written - (thought or 0)),
    }


class InferenceTally:
    """Counts outcomes without keeping them."""

    def __init__(self) -> None:
        self.answered = 0
        self._sums = dict.fromkeys(_NAMES, 0)
        self._counts = dict.fromkeys(_NAMES, 0)
        self._paid = 0
        self._costs: list[float] = []
        self._spans: dict[int, tuple[datetime, datetime]] = {}

    def add(self, outcome: RowOutcome | None) -> dict[str, int | None] | None:
        """Counts the next row; its tokens, or ``None`` when nothing came of it."""
        if outcome is None:
            return None
        tokens = tokens_of(outcome)
        for name, value in tokens.items():
            if value is not None:
                self._sums[name] += value
                self._counts[name] += 1
        self.answered += outcome.is_answered
        if not outcome.was_remembered:
            self._add_sent(outcome)
        return tokens

    def _add_sent(self, outcome: RowOutcome) -> None:
        if outcome.is_answered:
            self._paid += 1
            if outcome.cost is not None:
                self._costs.append(outcome.cost)
        first, last = self._spans.get(outcome.attempt, (outcome.at, outcome.at))
        began = outcome.at - timedelta(seconds=outcome.seconds)
        self._spans[outcome.attempt] = min(first, began), max(last, outcome.at)

    def averages(self) -> dict[str, float | None]:
        """The mean of each count of tokens, over the rows that have it."""
        return {
            f"avg_{name}": self._sums[name] / self._counts[name] if self._counts[name] else None
            for name in _NAMES
        }

    def cost(self) -> float | None:
        """What was paid; ``None`` when the price of an answer is not known."""
        return math.fsum(self._costs) if len(self._costs) == self._paid else None

    def seconds(self) -> float:
        """From the first row that was sent to the last, of each attempt, and these added up: pauses between
        attempts do not count."""
        return math.fsum((last - first).total_seconds() for first, last in self._spans.values())
