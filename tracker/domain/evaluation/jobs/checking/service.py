"""What has to hold before a job is made, or begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.domain.errors import Invalid, NotFound, Problem
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.datasets.generated import generated_columns
from tracker.domain.evaluation.jobs.config import EvaluatorConfig, InferenceConfig, config_of
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.needs import Config, config_of_job, secret_names, secret_place
from tracker.domain.evaluation.providers import LOADED_HERE, check_provider
from tracker.domain.evaluation.refusals import MISSING_PROMPT, MISSING_SECRET
from tracker.domain.evaluation.scoring.names import chosen, obstacle
from tracker.domain.ids import UserId
from tracker.ports.evaluation.runner import JobRunner
from tracker.ports.evaluation.text_metrics import TextMetrics
from tracker.ports.unit_of_work import ReadingUnit

__all__ = ["JobChecks"]


class JobChecks:
    """Looks whether a job could do its work, before anything is kept or paid.

    Args:
        runner: that would run it.
        metrics: tells which extras are installed.
        trusts_remote_code: whether code that comes with a model may run where jobs do.
    """

    def __init__(self, runner: JobRunner, metrics: TextMetrics, *, trusts_remote_code: bool = False) -> None:
        self._runner = runner
        self._metrics = metrics
        self._trusts_remote_code = trusts_remote_code

    async def require_runner(self) -> None:
        """Returns when the runner could take a job.

        Raises:
            Unavailable: it is out of reach.
        """
        await self._runner.check()

    def configured(self, kind: JobKind, fields: Mapping[str, Any]) -> Config:
        """The configuration of a job, as far as it can be judged by itself.

        Raises:
            Invalid: a field breaks a rule, a metric is not known or not installed, a provider is not known,
                code of a model would run that may not; ``missing_prompt`` where the task needs one.
        """
        config = config_of(kind, fields)
        if isinstance(config, EvaluatorConfig):
            chosen(config.metrics, self._metrics.installed)
            return config
        self._require_model(config)
        return config

    def default_metrics(self) -> tuple[str, ...]:
        """Those of an evaluation that names none, as far as they are installed."""
        return tuple(name for name in EvaluatorConfig().metrics if self._is_installed(name))

    async def require_secrets(self, unit: ReadingUnit, config: Config, user_id: UserId) -> None:
        """Lets pass a configuration whose secrets the user has stored.

        Raises:
            Invalid: ``missing_secret``; names it.
        """
        why = await _missing_secret(unit, config, user_id)
        if why is not None:
            place = secret_place(config)
            raise Invalid(f"{'.'.join(place)}: {why}", [Problem(place, why, MISSING_SECRET)])

    def require_fit(self, kind: JobKind, config: Config, dataset: Dataset, *, answered: bool = False) -> None:
        """Lets pass a configuration that a dataset has the columns for.

        Args:
            kind: of the job.
            config: its.
            dataset: that it would read.
            answered: whether the dataset will have predictions by then.

        Raises:
            Invalid: what is wanted of it cannot be computed, or would take the place of another column.
        """
        if isinstance(config, InferenceConfig):
            generated_columns(dataset.columns, kind, config.output_field)
            return
        why = self._obstacle(config, dataset, answered=answered)
        if why is not None:
            raise Invalid.field("metrics", why)

    async def obstacle(self, unit: ReadingUnit, job: Job) -> str | None:
        """Why a job that was made cannot be done any more; ``None`` when it can."""
        try:
            dataset = await unit.datasets.get(job.dataset_id)
        except NotFound:
            return f"its dataset {job.dataset_id} was deleted"
        if job.lease is not None:
            return None
        # Looked at without being held, unlike by `get`: who deletes accounts holds them in the other order.
        makers = () if job.created_by is None else (await unit.users.get_many([job.created_by])).values()
        if job.created_by is None or not makers:
            return "the user in whose name it runs was deleted"
        if not all(maker.is_active for maker in makers):
            return "the user in whose name it runs was deactivated"
        config = config_of_job(job)
        missing = await _missing_secret(unit, config, job.created_by)
        if missing is not None:
            return missing
        if isinstance(config, InferenceConfig):  # what is allowed may have changed since it was made
            return self._untrusted(config)
        return self._obstacle(config, dataset, answered=False)

    def _obstacle(self, config: EvaluatorConfig, dataset: Dataset, *, answered: bool) -> str | None:
        if not answered and dataset.coverage.rows and not dataset.coverage.predictions:
            return (
                f"the dataset has no predictions to evaluate: no row says anything in the column "
                f"{dataset.columns.predictions}; run an inference with store_to_dataset first"
            )
        try:
            metrics = chosen(config.metrics, self._metrics.installed)
        except Invalid as error:
            return error.detail
        truths = dataset.coverage.ground_truth
        return obstacle(metrics, rows_with_truth=truths, has_judge=config.llm_as_judge is not None)

    def _require_model(self, config: InferenceConfig) -> None:
        try:
            config.effective_prompt  # noqa: B018 - it raises
        except Invalid as error:
            why = error.problems[0].msg
            raise Invalid(error.detail, [Problem(("system_prompt",), why, MISSING_PROMPT)]) from error
        check_provider(config.reference)
        if (why_not := self._untrusted(config)) is not None:
            raise Invalid.field("trust_remote_code", why_not)

    def _untrusted(self, config: InferenceConfig) -> str | None:
        """Why the code of its model may not run; whoever may make a job could run anything, as the worker."""
        if self._trusts_remote_code or not config.trust_remote_code or config.provider != LOADED_HERE:
            return None
        return (
            "this installation runs no code that comes with a model; leave trust_remote_code out, or have "
            "whoever runs the installation set JOBS_TRUST_REMOTE_CODE=on"
        )

    def _is_installed(self, name: str) -> bool:
        try:
            chosen([name], self._metrics.installed)
        except Invalid:
            return False
        return True


async def _missing_secret(unit: ReadingUnit, config: Config, user_id: UserId) -> str | None:
    for name in secret_names(config):
        if await unit.evaluation_secrets.sealed(user_id, name) is None:
            return f"the secret {name} is not stored; store it in the settings first"
    return None
