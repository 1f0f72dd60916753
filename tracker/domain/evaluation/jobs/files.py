"""The files that jobs leave, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.domain.evaluation.results import flat_means

__all__ = ["BY_WORKER", "COMPILED", "DATASET", "JUDGEMENTS", "RESULT", "SUMMARY", "summary_of"]

RESULT = "result"
"""The document of an inference or evaluation."""

JUDGEMENTS = "judgements"
"""What a judge was asked, and replied."""

DATASET = "dataset"
"""Rows that become a dataset; kept as one, and not as a file."""

SUMMARY = "summary"
"""Metrics and parameters of a document, without what there is for each row."""

COMPILED = "compiled"
"""Of a workflow's last job: the results of all of them as one document."""

BY_WORKER = (RESULT, JUDGEMENTS)


def summary_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of a result without reading all of it: ``metrics`` and ``parameters`` as they stand in
    it, but for lists by row, and ``means`` by flat names."""
    return {
        "metrics": {name: _without_rows(value) for name, value in document["metrics"].items()},
        "parameters": dict(document["parameters"]),
        "means": flat_means(document),
    }


def _without_rows(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    # An interval is a list too, of two numbers, and is no list by row.
    return {name: value for name, value in entry.items() if not isinstance(value, list) or _is_interval(name)}


def _is_interval(name: str) -> bool:
    return name.endswith("_interval")
