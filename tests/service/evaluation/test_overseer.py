"""Jobs and workflows go on whatever dies, and every end has a reason, within ten seconds."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.factories import a_user
from tests.service.evaluation.lab import Lab
from tracker.domain.errors import Conflict, Invalid, InvalidTransition, NotFound, Unauthenticated, Unavailable
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.events import Cause
from tracker.domain.evaluation.jobs.deciding import Report, Sighting
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.status import JobStatus
from tracker.domain.evaluation.oversight.forgetting.service import Forgetting
from tracker.domain.evaluation.refusals import WORKFLOW_IS_RUNNING
from tracker.domain.evaluation.workflows.workflow import Workflow, WorkflowStatus
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import JobId

INFERENCE = {"model": "small", "provider": "openai", "base_url": "http://localhost:1/v1"}
PROMISED = 11  # seconds, and one between two looks


async def an_inference(lab: Lab, dataset: Dataset | None = None, **config: Any) -> Job:
    dataset = dataset or await lab.upload()
    return await lab.jobs.create(
        lab.actor, JobKind.INFERENCE, name="j", dataset_id=dataset.id, config={**INFERENCE, **config}
    )


async def of(lab: Lab, job: Job) -> Job:
    return await lab.jobs.get(lab.actor, job.id)


async def a_compiled_workflow(lab: Lab) -> Workflow:
    workflow = await lab.workflow(await lab.upload())
    await lab.seconds_pass(1)
    await lab.does_inference(workflow.steps[0].job_id)
    await lab.seconds_pass(2)
    await lab.does_evaluation(workflow.steps[1].job_id)
    await lab.everything_ends()
    return (await lab.workflows.get(lab.actor, workflow.id)).workflow


async def test_a_workflow_goes_from_a_dataset_to_one_result_and_is_recorded(lab: Lab):
    workflow = await a_compiled_workflow(lab)
    assert workflow.status is WorkflowStatus.SUCCEEDED, workflow.why
    detail = await lab.workflows.get(lab.actor, workflow.id)
    assert detail.metrics["exact_match"] == 1.0
    assert [each.job.kind for each in detail.jobs] == [JobKind.INFERENCE, JobKind.EVALUATOR]
    compiled = json.loads(await lab.text_behind(await lab.workflows.result_link(lab.actor, workflow.id)))
    assert compiled["artifacts"]["predictions"] == ["ONE", "TWO", "THREE"]
    assert workflow.experiment_id is not None
    async with lab.units.reading() as unit:
        experiment = await unit.experiments.get(workflow.experiment_id)
        metrics = {each.name: each.value for each in await unit.metrics.of_experiment(experiment.id)}
        (artifact,) = await unit.artifacts.of_experiment(experiment.id)
    assert (experiment.status, experiment.params["model"]) == (Status.COMPLETE, "small")
    assert metrics["exact_match"] == 1.0 and lab.ended == [experiment.id]
    assert json.loads(await lab.files.read(artifact.digest, lambda file: b"".join(file.pieces()))) == compiled
    summary = await lab.points.summary(workflow.project_id, [experiment.id])
    assert {each.name: each.count for each in summary}["tokens/input"] == 3
    made = await lab.jobs.dataset(lab.actor, workflow.steps[0].job_id)
    assert made.generated and set(made.names) == {"examples", "ground_truth", "extra", "predictions"}


async def test_any_number_of_servers_may_look_at_once(lab: Lab):
    others = [lab.another_overseer(f"server-{number}") for number in range(2, 5)]
    workflow = await lab.workflow(await lab.upload())
    for work in (lab.does_inference, lab.does_evaluation):
        for _ in range(3):
            lab.clock.advance(seconds=1)
            await asyncio.gather(lab.overseer.look(), *(each.look() for each in others))
        step = workflow.steps[0 if work == lab.does_inference else 1]
        assert [key for key in lab.runner.errands if key[0] == step.job_id] == [(step.job_id, 1)]
        await work(step.job_id)
    for _ in range(3):
        lab.clock.advance(seconds=1)
        await asyncio.gather(lab.overseer.look(), *(each.look() for each in others))
    found = (await lab.workflows.get(lab.actor, workflow.id)).workflow
    assert found.status is WorkflowStatus.SUCCEEDED, found.why


async def test_a_job_whose_worker_dies_does_the_rest_and_pays_no_row_twice(lab: Lab):
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    desk, told = await lab.take_up(job.id)
    await desk.begin(3)
    await desk.keep([lab.answer(1, "one")], {})
    lab.sees(job.id, Sighting.CRASHED, "killed by signal 9")
    await lab.seconds_pass(4)
    assert (await of(lab, job)).status is JobStatus.RUNNING
    again, told = await lab.take_up(job.id)
    assert told.job.attempt == 2 and await again.answered() == {1}
    # The first attempt was only asleep: it is told that it lost, and what it had under way is kept.
    with pytest.raises(Conflict):
        await desk.heartbeat()
    with pytest.raises(Conflict):
        await desk.keep([lab.answer(2, "two")], {})
    assert await again.answered() == {1, 2}
    await again.keep([lab.answer(2, "two", prediction="another answer")], {})
    kept = {one.number: one.prediction async for one in again.outcomes()}
    assert kept == {1: "ONE", 2: "TWO"}


async def test_answers_are_remembered_by_their_project_and_by_no_other(lab: Lab):
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    desk, _ = await lab.take_up(job.id)
    await desk.begin(3)
    await desk.keep([lab.answer(1, "one")], {1: "a" * 64})
    assert (await desk.remembered(["a" * 64, "b" * 64]))["a" * 64].prediction == "ONE"


async def test_a_handle_is_good_once_and_a_pass_for_its_own_attempt(lab: Lab):
    first, second = await an_inference(lab), await an_inference(lab)
    await lab.seconds_pass(1)
    desk, _ = await lab.take_up(first.id)
    errand = lab.last_errand(first.id)
    with pytest.raises(Unauthenticated):
        await lab.desk.admit(first.id, 1, errand.handle)
    with pytest.raises(Unauthenticated):
        await lab.desk.admit(second.id, 1, errand.handle)
    with pytest.raises(Unauthenticated):
        await lab.desk.admit(first.id, 2, errand.handle)
    stolen = desk._shown._replace(job_id=second.id)
    for attempt in (lab.desk.heartbeat(stolen), lab.desk.answered(stolen), lab.desk.begin(stolen, 1)):
        with pytest.raises(Unauthenticated):
            await attempt


async def test_a_runner_that_is_down_fails_its_jobs_with_the_reason_in_time(lab: Lab):
    waiting = await an_inference(lab)
    lab.runner.up = False
    await lab.seconds_pass(PROMISED)
    found = await of(lab, waiting)
    assert found.status is JobStatus.FAILED and "connection refused" in found.why
    with pytest.raises(Unavailable):
        await an_inference(lab)
    assert (await lab.jobs.page(lab.actor)).total == 1


async def test_a_runner_that_goes_down_fails_what_runs_there_once_nothing_is_heard(lab: Lab):
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    desk, _ = await lab.take_up(job.id)
    await desk.begin(3)
    lab.runner.up = False
    await lab.seconds_pass(PROMISED)
    found = await of(lab, job)
    assert found.status is JobStatus.FAILED and found.events[-1].cause is Cause.RUNNER_UNREACHABLE
    retried = await lab.jobs.retry(lab.actor, job.id)
    assert retried.status is JobStatus.PENDING


async def test_a_job_without_a_result_or_refused_by_its_worker_fails_with_the_reason(lab: Lab):
    empty, refused = await an_inference(lab), await an_inference(lab)
    await lab.seconds_pass(1)
    for job in (empty, refused):
        await lab.take_up(job.id)
    lab.sees(empty.id, Sighting.FINISHED)
    lab.sees(refused.id, Sighting.REFUSED, "401: the key is not right")
    await lab.seconds_pass(1)
    assert "without leaving a result" in (await of(lab, empty)).why
    assert (await of(lab, refused)).why == "401: the key is not right"


async def test_a_dataset_that_is_deleted_fails_its_jobs_and_ends_their_workers_first(lab: Lab):
    dataset = await lab.upload()
    waiting, running = await an_inference(lab, dataset), await an_inference(lab, dataset)
    workflow = await lab.workflow(dataset)
    await lab.seconds_pass(1)
    desk, _ = await lab.take_up(running.id)
    await desk.begin(3)
    await lab.datasets.delete(lab.actor, dataset.id)
    with pytest.raises(Invalid, match="was deleted"):
        await anext(desk.dataset())
    await lab.seconds_pass(PROMISED)
    for job in (waiting, running):
        found = await of(lab, job)
        assert (found.status, found.events[-1].cause) == (JobStatus.FAILED, Cause.OBSTACLE), found.why
        assert "was deleted" in found.why and (job.id, 1) in lab.runner.killed
    ended = (await lab.workflows.get(lab.actor, workflow.id)).workflow
    assert ended.status is WorkflowStatus.FAILED and "was deleted" in ended.why


async def test_a_key_that_is_deleted_before_its_job_begins_fails_it_with_the_reason(lab: Lab):
    await lab.secrets.put(lab.actor, "MyKey", "s3cret")
    dataset = await lab.upload()
    workflow = await lab.workflow(dataset, secret_key_name="mykey")
    job = await an_inference(lab, dataset, secret_key_name="mykey")
    other = await an_inference(lab, dataset, secret_key_name="mykey")
    await lab.overseer.look()
    _, told = await lab.take_up(other.id)
    assert told.secrets["mykey"].value == "s3cret" and "s3cret" not in repr(told)
    await lab.secrets.delete(lab.actor, "mykey")
    with pytest.raises(Invalid, match="mykey is not stored any more"):
        await lab.take_up(job.id)
    lab.sees(job.id, Sighting.CRASHED)
    lab.sees(workflow.steps[0].job_id, Sighting.CRASHED)
    await lab.seconds_pass(PROMISED)
    assert "the secret mykey is not stored" in (await of(lab, job)).why
    ended = (await lab.workflows.get(lab.actor, workflow.id)).workflow
    assert ended.status is WorkflowStatus.FAILED and "the secret mykey is not stored" in ended.why


async def test_a_job_that_is_cancelled_is_killed_and_then_stopped(lab: Lab):
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    desk, _ = await lab.take_up(job.id)
    await desk.begin(3)
    assert (await lab.jobs.cancel(lab.actor, job.id)).status is JobStatus.RUNNING
    with pytest.raises(Conflict, match="to be stopped"):
        await desk.heartbeat()
    await lab.seconds_pass(2)
    assert (await of(lab, job)).status is JobStatus.STOPPED and lab.runner.killed == [(job.id, 1)]
    with pytest.raises(InvalidTransition):
        await lab.jobs.cancel(lab.actor, job.id)


async def test_a_runner_that_cannot_kill_does_not_keep_a_job_for_ever(lab: Lab):
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    desk, _ = await lab.take_up(job.id)
    await desk.begin(3)
    lab.runner.deaf = True
    await lab.jobs.cancel(lab.actor, job.id)
    await lab.seconds_pass(PROMISED + 1)
    found = await of(lab, job)
    assert found.status is JobStatus.STOPPED and "did not confirm" in found.why


@pytest.mark.slow
async def test_a_job_over_its_time_is_killed_and_fails(lab: Lab):
    job = await an_inference(lab)
    await lab.seconds_pass(1)
    desk, _ = await lab.take_up(job.id)
    await desk.begin(3)
    for _ in range(1210):
        lab.clock.advance(seconds=3)
        try:
            await desk.heartbeat()
        except Conflict:
            break
        await lab.overseer.look()
    found = await of(lab, job)
    assert found.events[-1].cause is Cause.TIMED_OUT and (job.id, 1) in lab.runner.killed


async def test_what_goes_wrong_with_one_job_keeps_it_from_no_other(lab: Lab):
    odd, fine = await an_inference(lab), await an_inference(lab)
    start = lab.runner.start

    async def breaks(errand: Any) -> None:
        if errand.job_id == odd.id:
            raise RuntimeError("a bug in a runner")
        await start(errand)

    lab.runner.start = breaks  # type: ignore[method-assign]
    await lab.seconds_pass(1)
    assert (fine.id, 1) in lab.runner.errands
    await lab.does_inference_alone(fine.id)
    await lab.everything_ends()
    assert (await of(lab, fine)).status is JobStatus.SUCCEEDED
    assert (await of(lab, odd)).status is JobStatus.FAILED


async def test_a_running_workflow_is_deleted_by_force_alone_and_then_really_stopped(lab: Lab):
    workflow = await lab.workflow(await lab.upload())
    await lab.seconds_pass(1)
    job_id = workflow.steps[0].job_id
    desk, _ = await lab.take_up(job_id)
    with pytest.raises(Invalid) as caught:
        await lab.workflows.delete(lab.actor, workflow.id)
    assert caught.value.problems[0].type == WORKFLOW_IS_RUNNING
    lab.runner.up = False
    with pytest.raises(Unavailable):
        await lab.workflows.delete(lab.actor, workflow.id, force=True)
    lab.runner.up = True
    deletion = await lab.workflows.delete(lab.actor, workflow.id, force=True)
    assert deletion.jobs == (job_id,) and lab.runner.killed == [(job_id, 1)]
    assert deletion.experiments == (workflow.experiment_id,) and lab.runner.forgotten == [job_id]
    for question in (lab.workflows.get(lab.actor, workflow.id), lab.jobs.get(lab.actor, job_id)):
        with pytest.raises(NotFound):
            await question
    with pytest.raises(Unauthenticated):
        await desk.heartbeat()
    assert await lab.overseer.look() is None


async def test_a_deleted_evaluation_leaves_its_dataset_and_nothing_else(lab: Lab):
    workflow = await a_compiled_workflow(lab)
    detail = await lab.evaluations.get(lab.actor, workflow.evaluation_id)
    source = detail.evaluation.dataset_id
    deletion = await lab.evaluations.delete(lab.actor, workflow.evaluation_id)
    assert len(deletion.jobs) == 2 and len(deletion.datasets) == 1 and deletion.kept
    lab.clock.advance(hours=25)
    await lab.blobs.sweep()
    dataset = await lab.datasets.get(lab.actor, source)
    assert set(lab.store._blobs) == {dataset.digest}
    assert (await lab.datasets.page(lab.actor)).total == 1
    assert (await lab.jobs.page(lab.actor)).total == 0
    assert await lab.points.summary(workflow.project_id) == ()
    with pytest.raises(NotFound):
        await lab.evaluations.delete(lab.actor, workflow.evaluation_id)


async def test_a_workflow_whose_results_are_lost_fails_and_says_so(lab: Lab):
    workflow = await lab.workflow(await lab.upload())
    await lab.seconds_pass(1)
    await lab.does_inference(workflow.steps[0].job_id)
    await lab.seconds_pass(2)
    result = await lab.jobs.result(lab.actor, workflow.steps[0].job_id)
    await lab.store.delete([result.file.digest])
    await lab.does_evaluation(workflow.steps[1].job_id)
    await lab.everything_ends()
    found = (await lab.workflows.get(lab.actor, workflow.id)).workflow
    assert found.status is WorkflowStatus.FAILED and "cannot be put together" in found.why
    async with lab.units.reading() as unit:
        experiment = await unit.experiments.get(workflow.experiment_id)  # type: ignore[arg-type]
    assert experiment.status is Status.FAILED and experiment.end_reason == found.why


async def test_a_stopped_workflow_stops_its_job_and_its_experiment_says_cancelled(lab: Lab):
    workflow = await lab.workflow(await lab.upload())
    await lab.seconds_pass(1)
    await lab.workflows.stop(lab.actor, workflow.id)
    await lab.everything_ends()
    found = (await lab.workflows.get(lab.actor, workflow.id)).workflow
    assert found.status is WorkflowStatus.STOPPED
    async with lab.units.reading() as unit:
        experiment = await unit.experiments.get(workflow.experiment_id)  # type: ignore[arg-type]
    assert experiment.status is Status.FAILED and str(experiment.end_reason).startswith("cancelled")


async def test_what_a_runner_keeps_of_jobs_that_are_no_more_is_forgotten(lab: Lab):
    jobs = [await an_inference(lab) for _ in range(5)]
    await lab.seconds_pass(1)
    gone = [jobs[1].id, jobs[4].id]
    async with lab.units.writing() as unit:
        for job_id in gone:
            await unit.jobs.delete(job_id)
        await unit.commit()
    forgetting = Forgetting(lab.units, lab.runner, some=2)
    for _ in range(3):
        await forgetting.sweep()
    assert sorted(lab.runner.forgotten) == sorted(gone)
    late = JobId(lab.ids.new())  # a process that slept brought it
    lab.runner.sightings[late, 1] = Report(Sighting.CRASHED)
    for _ in range(3):
        await forgetting.sweep()
    assert late in lab.runner.forgotten and len(lab.runner.forgotten) == 3


async def test_no_attempt_begins_in_the_name_of_somebody_who_was_deactivated(lab: Lab):
    user = a_user()
    dataset = await lab.upload()
    async with lab.units.writing() as unit:
        await unit.users.add(user)
        await unit.commit()
    maker = Actor(user_id=user.id, is_superuser=True)
    job = await lab.jobs.create(maker, JobKind.INFERENCE, name="j", dataset_id=dataset.id, config=INFERENCE)
    async with lab.units.writing() as unit:
        await unit.users.save((await unit.users.get(user.id)).deactivated())
        await unit.commit()
    await lab.seconds_pass(1)
    found = await of(lab, job)
    assert found.status is JobStatus.FAILED and "was deactivated" in found.why
    assert (job.id, 1) not in lab.runner.errands


async def test_an_experiment_that_is_deleted_while_it_is_recorded_takes_no_result_away(lab: Lab):
    workflow = await lab.workflow(await lab.upload())
    await lab.seconds_pass(1)
    await lab.does_inference(workflow.steps[0].job_id)
    await lab.seconds_pass(2)
    await lab.does_evaluation(workflow.steps[1].job_id)
    append, experiment_id = lab.points.append, workflow.experiment_id
    assert experiment_id is not None

    async def append_after_a_deletion(*args: Any) -> Any:
        async with lab.units.writing() as unit:
            await unit.experiments.delete(experiment_id)
            await unit.commit()
        await lab.points.delete(workflow.project_id, experiment_id)
        return await append(*args)

    lab.points.append = append_after_a_deletion  # type: ignore[method-assign]
    await lab.everything_ends()
    found = (await lab.workflows.get(lab.actor, workflow.id)).workflow
    assert found.status is WorkflowStatus.SUCCEEDED, found.why
    assert await lab.points.summary(workflow.project_id) == ()


async def test_a_runner_that_takes_no_attempt_fails_the_job_with_what_it_said(lab: Lab):
    job = await an_inference(lab)

    async def refuses(errand: Any) -> None:
        raise Unavailable("no space left on device")

    lab.runner.start = refuses  # type: ignore[method-assign]
    await lab.everything_ends()
    found = await of(lab, job)
    assert found.status is JobStatus.FAILED and found.events[-1].cause is Cause.TOO_MANY_ATTEMPTS
    assert "the runner did not take attempt 3: no space left on device" in found.why
