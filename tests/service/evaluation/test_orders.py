"""What is refused when a job, an evaluation or a workflow is posted, and that nothing is kept of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import a_user
from tests.service.evaluation.lab import CSV, Lab
from tracker.adapters.text_metrics import PackagedTextMetrics
from tracker.domain.errors import Conflict, Forbidden, Invalid, NotFound
from tracker.domain.evaluation.events import Cause
from tracker.domain.evaluation.jobs.checking.service import JobChecks
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.jobs.service import JobService
from tracker.domain.evaluation.jobs.status import JobStatus
from tracker.domain.evaluation.refusals import MISSING_EVALUATION, MISSING_PROMPT, MISSING_SECRET
from tracker.domain.evaluation.workflows.service import effective_prompt
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import DatasetId, EvaluationId

MODEL = {"model": "small", "provider": "openai", "base_url": "http://localhost:1/v1"}
ANSWERED = b"examples,ground_truth,predictions\na,A,A\n"
GENERATION = {"task": "text-generation"}

JOBS: dict[str, tuple[JobKind, bytes, dict[str, Any], str, str | None]] = {
    "no secret": (JobKind.INFERENCE, CSV, {**MODEL, "secret_key_name": "Mine"}, "mine", MISSING_SECRET),
    "no prompt": (
        JobKind.INFERENCE, CSV, {**MODEL, "task_definition": GENERATION}, "system_prompt", MISSING_PROMPT
    ),
    "nobody knows where": (JobKind.INFERENCE, CSV, {"model": "m", "provider": "nobody"}, "provider", None),
    "code of a model": (
        JobKind.INFERENCE,
        CSV,
        {"model": "m", "provider": "hf", "trust_remote_code": True},
        "trust_remote_code: this installation runs no code",
        None,
    ),
    "answers over examples": (
        JobKind.INFERENCE, CSV, {**MODEL, "output_field": "examples"}, "output_field", None
    ),
    "one field too many": (JobKind.INFERENCE, CSV, {**MODEL, "oops": 1}, "oops", None),
    "an unknown metric": (JobKind.EVALUATOR, ANSWERED, {"metrics": ["blue"]}, "blue", None),
    "no answers": (JobKind.EVALUATOR, CSV, {"metrics": ["exact_match"]}, "predictions", None),
    "no ground truth": (
        JobKind.EVALUATOR, b"examples,predictions\na,A\n", {"metrics": ["exact_match"]}, "ground truth", None
    ),
    "no judge": (
        JobKind.EVALUATOR, ANSWERED, {"metrics": ["g_eval_summarization"]}, "llm_as_judge", None
    ),
    "no key of the judge": (
        JobKind.EVALUATOR,
        ANSWERED,
        {
            "metrics": ["g_eval_summarization"],
            "llm_as_judge": {"model_name": "j", "secret_key_name": "judge"},
        },
        "judge",
        MISSING_SECRET,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "config", "says", "problem"), JOBS.values(), ids=JOBS)
async def test_a_job_that_could_not_be_done_is_refused(
    lab: Lab, kind: JobKind, content: bytes, config: dict[str, Any], says: str, problem: str | None
):
    dataset = await lab.upload(content)
    with pytest.raises(Invalid, match=says) as caught:
        await lab.jobs.create(lab.actor, kind, name="j", dataset_id=dataset.id, config=config)
    assert problem is None or caught.value.problems[0].type == problem
    assert (await lab.jobs.page(lab.actor)).total == 0


async def test_code_of_a_model_runs_where_that_is_allowed_and_no_longer(lab: Lab):
    config = {"model": "m", "provider": "hf", "trust_remote_code": True}
    dataset = await lab.upload()
    trusting = JobChecks(lab.runner, PackagedTextMetrics(), trusts_remote_code=True)
    jobs = JobService(
        lab.units, lab.clock, lab.ids, checks=trusting, files=lab.files, links=lab.links, runner=lab.runner
    )
    job = await jobs.create(lab.actor, JobKind.INFERENCE, name="j", dataset_id=dataset.id, config=config)
    await lab.seconds_pass(1)  # a server that allows it no more
    found = await lab.jobs.get(lab.actor, job.id)
    assert found.events[-1].cause is Cause.OBSTACLE and "JOBS_TRUST_REMOTE_CODE" in found.why
    assert (job.id, 1) not in lab.runner.errands
    # Nothing of the kind runs for a model that is asked over HTTP.
    await lab.jobs.create(
        lab.actor, JobKind.INFERENCE, name="j", dataset_id=dataset.id,
        config={**MODEL, "trust_remote_code": True},
    )  # fmt: skip


async def test_an_unknown_dataset_leaves_no_row_and_the_list_still_works(lab: Lab):
    nowhere = DatasetId(lab.ids.new())
    with pytest.raises(NotFound):
        await lab.jobs.create(lab.actor, JobKind.INFERENCE, name="j", dataset_id=nowhere, config=MODEL)
    with pytest.raises(NotFound):
        await lab.evaluations.create(lab.actor, name="e", dataset_id=nowhere)
    assert (await lab.jobs.page(lab.actor)).total == (await lab.evaluations.page(lab.actor)).total == 0


async def test_names_and_prompts_arrive_verbatim(lab: Lab):
    odd = "$(rm -rf /) `x` \"quoted\" 'single'\n\t{num} \u202e ☃ ; --"
    workflow = await lab.workflow(await lab.upload(), name=odd, description=odd, system_prompt=odd)
    await lab.seconds_pass(1)
    _, told = await lab.take_up(workflow.steps[0].job_id)
    assert (workflow.name, workflow.description, effective_prompt(workflow)) == (odd, odd, odd)
    assert told.job.config["system_prompt"] == odd


@pytest.mark.parametrize(
    ("options", "says", "problem"),
    [
        ({"secret_key_name": "mine"}, "mine", MISSING_SECRET),
        ({"metrics": ["blue"]}, "blue", None),
        ({"batch_size": 0}, "batch_size", None),
        ({"output_field": "ground_truth"}, "inference_output_field", None),
        ({"name": ""}, "name", None),
        ({"generation_config": {"temperature": 3}}, "temperature", None),
    ],
    ids=["secret", "metric", "batch", "column", "name", "temperature"],
)
async def test_a_workflow_that_could_not_be_done_is_refused(
    lab: Lab, options: dict[str, Any], says: str, problem: str | None
):
    dataset = await lab.upload()
    with pytest.raises(Invalid, match=says) as caught:
        await lab.workflow(dataset, **options)
    assert problem is None or caught.value.problems[0].type == problem
    (made,) = (await lab.evaluations.page(lab.actor)).items
    assert made.workflows == ()
    async with lab.units.reading() as unit:
        assert await unit.experiments.list(dataset.project_id) == ()


async def test_a_workflow_without_an_evaluation_or_a_prompt_is_refused_as_clients_know_it(lab: Lab):
    with pytest.raises(Invalid) as caught:
        await lab.workflows.create(
            lab.actor, evaluation_id=EvaluationId(lab.ids.new()), name="w", model="m", provider="openai"
        )
    assert caught.value.problems[0].type == MISSING_EVALUATION
    dataset = await lab.upload()
    made = await lab.evaluations.create(
        lab.actor, name="e", dataset_id=dataset.id, task_definition=GENERATION
    )
    with pytest.raises(Invalid) as caught:
        await lab.workflows.create(
            lab.actor, evaluation_id=made.id, name="w", model="m", provider="openai",
            base_url="http://localhost:1/v1", metrics=["exact_match"],
        )  # fmt: skip
    assert caught.value.problems[0].type == MISSING_PROMPT


@pytest.mark.parametrize("name", ["", " \t", "x" * 256, "a\x00b"], ids=["none", "blank", "long", "nul"])
async def test_an_evaluation_without_a_name_is_refused(lab: Lab, name: str):
    dataset = await lab.upload()
    with pytest.raises(Invalid, match="name"):
        await lab.evaluations.create(lab.actor, name=name, dataset_id=dataset.id)


async def test_a_workflow_that_names_no_metrics_gets_those_that_are_installed(lab: Lab):
    workflow = await lab.workflow(await lab.upload(), metrics=None)
    assert set(workflow.config["evaluation"]["metrics"]) <= {"rouge", "meteor", "bleu"}
    assert "meteor" in workflow.config["evaluation"]["metrics"]


async def test_a_job_has_no_result_before_it_has_one_and_a_step_is_its_workflow_s(lab: Lab):
    workflow = await lab.workflow(await lab.upload())
    await lab.seconds_pass(1)
    job_id = workflow.steps[0].job_id
    with pytest.raises(Conflict, match="no result"):
        await lab.jobs.result(lab.actor, job_id)
    with pytest.raises(Conflict, match="no result"):
        await lab.workflows.result_link(lab.actor, workflow.id)
    with pytest.raises(Invalid, match="made no dataset"):
        await lab.jobs.dataset(lab.actor, job_id)
    with pytest.raises(Conflict, match="cancel it first"):
        await lab.jobs.delete(lab.actor, job_id)
    assert "printed by 1" in await lab.workflows.logs(lab.actor, workflow.id)
    await lab.does_inference(job_id)
    await lab.seconds_pass(2)
    result = await lab.jobs.result(lab.actor, job_id)
    assert result.metrics["avg_total_tokens"] == 4.0 and result.parameters == {"model": "small"}
    with pytest.raises(Conflict, match="delete that"):
        await lab.jobs.delete(lab.actor, job_id)


async def test_a_job_is_deleted_with_all_that_it_left(lab: Lab):
    dataset = await lab.upload()
    job = await lab.jobs.create(
        lab.actor, JobKind.ANNOTATE, name="j", dataset_id=dataset.id, config={**MODEL}
    )
    assert job.config["output_field"] == "ground_truth" and job.config["store_to_dataset"]
    await lab.seconds_pass(1)
    await lab.does_inference(job.id)
    await lab.everything_ends()
    deletion = await lab.jobs.delete(lab.actor, job.id)
    assert len(deletion.datasets) == 1 and deletion.kept and lab.runner.forgotten == [job.id]
    lab.clock.advance(hours=25)
    await lab.blobs.sweep()
    assert set(lab.store._blobs) == {dataset.digest}


async def test_nobody_spends_the_secrets_of_somebody_else(lab: Lab):
    await lab.secrets.put(lab.actor, "mine", "s3cret")
    dataset, jobs = await lab.upload(), []
    for config in ({**MODEL, "secret_key_name": "mine"}, MODEL):
        job = await lab.jobs.create(
            lab.actor, JobKind.INFERENCE, name="j", dataset_id=dataset.id, config=config
        )
        await lab.jobs.cancel(lab.actor, job.id)
        jobs.append(job)
    await lab.everything_ends()
    user = a_user()
    async with lab.units.writing() as unit:
        await unit.users.add(user)
        await unit.commit()
    other = Actor(user_id=user.id, is_superuser=True)
    with pytest.raises(Forbidden, match="uses the secret mine of the user who made it"):
        await lab.jobs.retry(other, jobs[0].id)
    assert (await lab.jobs.get(other, jobs[0].id)).status is JobStatus.STOPPED
    for actor, job in ((lab.actor, jobs[0]), (other, jobs[1])):
        assert (await lab.jobs.retry(actor, job.id)).status is JobStatus.PENDING
