"""What a job's worker is told, by the kind of job. No value of a secret is ever part of it, only names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Invalid, Problem
from tracker.domain.evaluation.datasets.rows import ColumnName
from tracker.domain.evaluation.generation import GenerationConfig
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.models import BaseUrl, ModelName, ModelReference, Provider
from tracker.domain.evaluation.scoring.rubric import JUDGE_SYSTEM, Criterion, Rubric
from tracker.domain.evaluation.secrets import SecretName
from tracker.domain.evaluation.tasks import SystemPrompt, TaskDefinition, system_prompt
from tracker.domain.frozen import Frozen
from tracker.domain.text import storable

__all__ = ["EvaluatorConfig", "InferenceConfig", "Judge", "MetricSet", "annotating", "config_of"]

_Made = TypeVar("_Made")

_Word = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
MetricSet = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=300)], ...], Field(max_length=50)
]


class InferenceConfig(Frozen):
    """What inference needs.

    Attributes:
        model, provider, base_url: which model, and where.
        task_definition: what is asked for.
        accelerator, revision, use_fast, trust_remote_code, torch_dtype: of models that are loaded here.
        output_field: the column for the answers.
        store_to_dataset: whether the answers become a dataset.
        system_prompt: empty takes the task's own.
        secret_key_name: of the endpoint's key.
        requests_per_minute: that are sent at most; ``None`` takes the catalogue's word, or has no limit.
    """

    model: ModelName
    provider: Provider
    base_url: BaseUrl | None = None
    task_definition: TaskDefinition = TaskDefinition()
    accelerator: _Word = "auto"
    revision: _Word = "main"
    use_fast: bool = True
    trust_remote_code: bool = False
    torch_dtype: _Word = "auto"
    output_field: ColumnName = "predictions"
    generation_config: GenerationConfig = GenerationConfig()
    store_to_dataset: bool = False
    system_prompt: SystemPrompt = ""
    secret_key_name: SecretName | None = None
    requests_per_minute: Annotated[float, Field(gt=0, le=10_000_000, strict=False)] | None = None

    @property
    def reference(self) -> ModelReference:
        """The model and its place."""
        return ModelReference(name=self.model, provider=self.provider, base_url=self.base_url)

    @property
    def effective_prompt(self) -> str:
        """What the model is told before each example.

        Raises:
            Invalid: the task has no words of its own and none were given.
        """
        return system_prompt(self.task_definition, self.system_prompt)

    def cached_by(self) -> Mapping[str, Any]:
        """The part of a cached answer's key that all rows share: whatever could change an answer."""
        return {
            "model": f"{self.provider} {self.reference} {self.revision} {self.torch_dtype}",
            "prompt": self.effective_prompt,
            "parameters": self.generation_config.model_dump(mode="json"),
        }


def annotating(config: InferenceConfig) -> InferenceConfig:
    """Inference whose answers become the ground truth of a new dataset."""
    return config.evolve(output_field="ground_truth", store_to_dataset=True)


class Judge(Frozen):
    """The model that judges.

    Attributes:
        model_name, model_base_url: which, and where.
        secret_key_name: of its endpoint's key.
        rubric: the user's own, for the metric ``rubric``.
        generation_config: how it draws its replies; by default it takes the likeliest words.
        human_score: a column of the dataset with people's scores, with which the judge's are compared. It
            is of the only criterion; of several, each has a column ``<human_score>_<criterion>``.
    """

    model_name: ModelName
    model_base_url: BaseUrl | None = None
    secret_key_name: SecretName | None = None
    rubric: Rubric | None = None
    generation_config: GenerationConfig = GenerationConfig(temperature=0.0, top_p=1.0)
    human_score: ColumnName | None = None

    @property
    def reference(self) -> ModelReference:
        """The model and its place."""
        return ModelReference(name=self.model_name, base_url=self.model_base_url)

    def cached_by(self) -> Mapping[str, Any]:
        """The part of a remembered reply's key that all questions share."""
        return {
            "model": f"judge {self.reference}",
            "prompt": JUDGE_SYSTEM,
            "parameters": self.generation_config.model_dump(mode="json"),
        }


class EvaluatorConfig(Frozen):
    """What an evaluation of answers needs.

    Attributes:
        metrics: names, checked by :func:`tracker.domain.evaluation.scoring.names.chosen`.
        llm_as_judge: who judges; ``None`` = nobody.
    """

    task_definition: TaskDefinition = TaskDefinition()
    metrics: MetricSet = ("rouge", "meteor", "bleu")
    llm_as_judge: Judge | None = None

    @model_validator(mode="after")
    def _has_a_rubric(self) -> Self:
        judge = self.llm_as_judge
        wants = any(name.strip().lower() == "rubric" for name in self.metrics)
        if wants and judge is not None and judge.rubric is None:
            raise PydanticCustomError(
                "judge_rubric", "the metric rubric needs llm_as_judge.rubric: a name, a task and criteria"
            )
        return self


def config_of(kind: JobKind, fields: Mapping[str, Any]) -> InferenceConfig | EvaluatorConfig:
    """The checked configuration of a job of this kind, from the JSON that clients send and jobs keep.

    It is the inverse of ``model_dump(mode="json")``.

    Raises:
        Invalid: a field breaks a rule, is missing or too many.
    """
    read = dict(fields)
    _replace(read, "task_definition", TaskDefinition.parsed)
    if kind is JobKind.EVALUATOR:
        _replace(read, "metrics", tuple)
        _replace(read, "llm_as_judge", _judge)
        return EvaluatorConfig(**read)
    _replace(read, "generation_config", lambda given: _with_tuples(GenerationConfig, given, "stop"))
    config = InferenceConfig(**read)
    return annotating(config) if kind is JobKind.ANNOTATE else config


def _judge(given: Mapping[str, Any]) -> Judge:
    read = dict(given)
    _replace(read, "rubric", _rubric)
    _replace(read, "generation_config", lambda given: _with_tuples(GenerationConfig, given, "stop"))
    return Judge(**read)


def _rubric(given: Mapping[str, Any]) -> Rubric:
    read = dict(given)
    _replace(read, "criteria", lambda all_: tuple(_with_tuples(Criterion, one, "steps") for one in all_))
    return Rubric(**read)


def _with_tuples(kind: Callable[..., _Made], given: Mapping[str, Any], name: str) -> _Made:
    read = dict(given)
    _replace(read, name, tuple)
    return kind(**read)


def _replace(fields: dict[str, Any], name: str, made: Callable[[Any], Any]) -> None:
    """What JSON has for a field, as the entity wants it; what has another shape is left for it to refuse."""
    value = fields.get(name)
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return
    try:
        fields[name] = made(value)
    except Invalid as error:
        within = [Problem((name, *each.loc), each.msg, each.type) for each in error.problems]
        raise Invalid(f"{name}.{error.detail}", within) from error
    except (TypeError, ValueError):
        return
