"""A workflow as a tracked experiment: what it is made of, in the words by which experiments are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.jobs.config import EvaluatorConfig, InferenceConfig, config_of
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.json_tree import thaw

__all__ = [
    "TAG",
    "PlannedWorkflow",
    "effective_prompt",
    "recorded_features",
    "recorded_params",
    "recorded_values",
]

TAG = "evaluation"
"""Of experiments that are workflows."""


class PlannedWorkflow:
    """What the jobs of a workflow are made from.

    Args:
        inference: of its first step.
        evaluation: of its second.
        batch_size: rows that are sent at once.
        seconds: for which each of its jobs may run.
    """

    def __init__(
        self, inference: InferenceConfig, evaluation: EvaluatorConfig, batch_size: int, seconds: float
    ) -> None:
        self.inference = inference
        self.evaluation = evaluation
        self.batch_size = batch_size
        self.seconds = seconds

    def to_json(self) -> dict[str, Any]:
        """As a workflow keeps it."""
        return {
            "inference": self.inference.model_dump(mode="json"),
            "evaluation": self.evaluation.model_dump(mode="json"),
            "batch_size": self.batch_size,
            "seconds": self.seconds,
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> PlannedWorkflow:
        """What a workflow keeps.

        Raises:
            Invalid: it is of a version that is not known.
        """
        inference = config_of(JobKind.INFERENCE, thaw(kept["inference"]))
        evaluation = config_of(JobKind.EVALUATOR, thaw(kept["evaluation"]))
        if not isinstance(inference, InferenceConfig) or not isinstance(evaluation, EvaluatorConfig):
            raise TypeError("a workflow is an inference and an evaluation")
        return cls(inference, evaluation, int(kept["batch_size"]), float(kept["seconds"]))

    def of_step(self, kind: JobKind) -> InferenceConfig | EvaluatorConfig:
        """The configuration of a step's job."""
        return self.evaluation if kind is JobKind.EVALUATOR else self.inference


def effective_prompt(workflow: Workflow) -> str:
    """What the model of a workflow is told."""
    return PlannedWorkflow.of_json(workflow.config).inference.effective_prompt


def recorded_features(planned: PlannedWorkflow, evaluation: Evaluation, dataset: Dataset) -> dict[str, Any]:
    """What it is made of, as a tree."""
    inference, judge = planned.inference, planned.evaluation.llm_as_judge
    features: dict[str, Any] = {
        "model": {
            "name": inference.model,
            "provider": inference.provider,
            "base_url": inference.base_url,
            "revision": inference.revision,
        },
        "prompt": inference.effective_prompt,
        "generation": inference.generation_config.model_dump(mode="json"),
        "task": evaluation.task.model_dump(mode="json"),
        "dataset": {
            "name": dataset.filename,
            "revision": dataset.revision,
            "hash": dataset.content_hash,
            "rows": dataset.first_rows(evaluation.max_samples),
        },
        "evaluation": evaluation.name,
        "metrics": list(planned.evaluation.metrics),
    }
    if judge is not None:
        features["judge"] = judge.model_dump(mode="json", exclude={"secret_key_name"})
    return features


def recorded_params(planned: PlannedWorkflow, evaluation: Evaluation, dataset: Dataset) -> dict[str, Any]:
    """The part of it that tables and charts sort by."""
    inference = planned.inference
    generation = inference.generation_config.model_dump(mode="json", exclude={"stop"})
    return {
        "model": inference.model,
        "provider": inference.provider,
        "task": evaluation.task.task.value,
        "dataset": dataset.filename,
        "dataset_hash": dataset.content_hash,
        "rows": dataset.first_rows(evaluation.max_samples),
        "batch_size": planned.batch_size,
        **generation,
    }


def recorded_values(outcome: RowOutcome) -> dict[str, float]:
    """What is known of one row in numbers; its step is the row's number."""
    known = {
        "tokens/input": outcome.input_tokens,
        "tokens/output": outcome.output_tokens,
        "tokens/reasoning": outcome.reasoning_tokens,
        "row/seconds": outcome.seconds,
        "row/cost": outcome.cost,
        "row/tries": outcome.tries,
    }
    return {name: float(value) for name, value in known.items() if value is not None}
