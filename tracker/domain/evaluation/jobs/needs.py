"""What the configuration of a job needs beside itself."""

from __future__ import annotations

from tracker.domain.evaluation.jobs.config import EvaluatorConfig, InferenceConfig, config_of
from tracker.domain.evaluation.jobs.job import Job

__all__ = [
    "Config", "config_of_job", "gpus_of", "makes_dataset", "model_of", "secret_names", "secret_place",
]  # fmt: skip

Config = InferenceConfig | EvaluatorConfig

_GPUS = frozenset({"cuda", "gpu"})


def config_of_job(job: Job) -> Config:
    """The configuration that a job keeps."""
    return config_of(job.kind, job.config)


def secret_names(config: Config) -> tuple[str, ...]:
    """The names of the secrets that its worker is given."""
    if isinstance(config, InferenceConfig):
        name = config.secret_key_name
    else:
        name = None if config.llm_as_judge is None else config.llm_as_judge.secret_key_name
    return () if name is None else (name,)


def secret_place(config: Config) -> tuple[str, ...]:
    """The field of a configuration that names its secret."""
    field = "secret_key_name"
    return (field,) if isinstance(config, InferenceConfig) else ("llm_as_judge", field)


def gpus_of(config: Config) -> float:
    """How many GPUs it asks for; none unless it says so."""
    is_asked = isinstance(config, InferenceConfig) and config.accelerator.partition(":")[0].lower() in _GPUS
    return 1.0 if is_asked else 0.0


def makes_dataset(job: Job) -> bool:
    """Whether it is to leave a dataset."""
    config = config_of_job(job)
    return isinstance(config, InferenceConfig) and config.store_to_dataset


def model_of(config: Config) -> str | None:
    """The model that answers; ``None`` of an evaluation."""
    return str(config.reference) if isinstance(config, InferenceConfig) else None
