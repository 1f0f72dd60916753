from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.evaluation_factories import a_job, a_job_file, a_workflow, an_evaluation
from tests.factories import NOON, a_project, a_user, new_id
from tracker.adapters.memory.blobs import MemoryBlobStore
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from tracker.domain.evaluation.comparisons import service
from tracker.domain.evaluation.comparisons.differences import Better
from tracker.domain.evaluation.comparisons.service import WorkflowComparisonService
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.results import evaluation_result
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.identity.actor import Actor, local_actor
from tracker.domain.ids import JobId, UserId
from tracker.ports.unit_of_work import UnitsOfWork

ACTOR = local_actor("test")


def a_result(*scores: float, truth: str = "t") -> bytes:
    document = evaluation_result(
        {"exact_match": {"exact_match": list(scores)}},
        predictions=["p"] * len(scores),
        ground_truth=[truth] * len(scores),
        seconds=1,
        parameters={},
    )
    return json.dumps(document).encode()


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Place:
    """An evaluation in a project of somebody, and its workflows."""

    def __init__(self, units: UnitsOfWork) -> None:
        self.units = units
        self.store = MemoryBlobStore()
        self.comparisons = WorkflowComparisonService(units, self.store, asyncio.to_thread)
        self.owner = a_user()
        self.project = a_project(owner_id=self.owner.id)

    async def evaluation(self) -> Evaluation:
        evaluation = an_evaluation(self.project)
        async with self.units.writing() as unit:
            if (await unit.users.get_many([self.owner.id])) == {}:
                await unit.users.add(self.owner)
                await unit.projects.add(self.project)
            await unit.evaluations.add(evaluation)
            await unit.commit()
        return evaluation

    async def workflow(self, evaluation: Evaluation, result: bytes | None) -> Workflow:
        jobs = (JobKind.INFERENCE, JobId(new_id())), (JobKind.EVALUATOR, JobId(new_id()))
        workflow = a_workflow(evaluation, jobs=jobs)
        if result is not None:
            await self.store.put(digest_of(result), pieces(result))
        async with self.units.writing() as unit:
            await unit.workflows.add(workflow)
            for kind, job_id in jobs:
                await unit.jobs.add(a_job(self.project, id=job_id, kind=kind))
            if result is not None:
                inference = a_result(0.0)
                sizes = {digest_of(each): len(each) for each in (result, inference)}
                await unit.blobs.reserve(sizes, review_at=NOON)
                await unit.blobs.note_uploads(sizes, self.owner.id, NOON)
                await unit.job_files.put(jobs[0][1], a_job_file(inference))
                await unit.job_files.put(jobs[1][1], a_job_file(result))
            await unit.commit()
        return workflow


@pytest.fixture
def place(units: UnitsOfWork) -> Place:
    return Place(units)


async def test_two_workflows_of_an_evaluation_are_compared_by_what_their_evaluators_left(
    place: Place,
) -> None:
    evaluation = await place.evaluation()
    worse = await place.workflow(evaluation, a_result(*[0.0] * 20, *[1.0] * 5))
    improved = await place.workflow(evaluation, a_result(*[1.0] * 25))
    owner = Actor(user_id=place.owner.id)
    found = await place.comparisons.compare(owner, worse.id, improved.id)
    assert (found.first, found.second, found.beside.rows) == (worse, improved, 25)
    (metric,) = found.beside.metrics
    assert (metric.better, metric.compared.difference) == (Better.SECOND, 0.8)
    assert await place.comparisons.compare(owner, worse.id, improved.id, seed=0) == found


async def test_what_one_may_not_see_is_not_there(place: Place) -> None:
    evaluation = await place.evaluation()
    one, other = [await place.workflow(evaluation, a_result(float(n))) for n in range(2)]
    stranger = Actor(user_id=UserId(new_id()))
    unknown = a_workflow(evaluation).id
    for actor, second in ((stranger, other.id), (ACTOR, unknown)):
        with pytest.raises(NotFound, match=f"workflow {one.id if actor is stranger else second} not found"):
            await place.comparisons.compare(actor, one.id, second)


async def test_what_cannot_be_compared_says_why(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation, elsewhere = await place.evaluation(), await place.evaluation()
    whole = await place.workflow(evaluation, a_result(1.0, 0.0))
    unready = await place.workflow(evaluation, None)
    foreign = await place.workflow(elsewhere, a_result(1.0, 0.0))
    changed = await place.workflow(evaluation, a_result(1.0, 0.0, truth="u"))
    lost = await place.workflow(evaluation, a_result(0.5, 0.5))
    await place.store.delete([digest_of(a_result(0.5, 0.5))])

    async def refused(second: Workflow, kind: type[Exception], told: str, **more: Any) -> None:
        with pytest.raises(kind, match=told):
            await place.comparisons.compare(ACTOR, whole.id, second.id, **more)

    await refused(whole, Invalid, "second: is the same workflow")
    await refused(foreign, Invalid, "second: belongs to another evaluation")
    await refused(changed, Invalid, "seed: must be 0 or more", seed=-1)
    await refused(unready, Conflict, r"no result to compare: it is created \(created\)")
    await refused(changed, Conflict, "not evaluated on the same rows")
    await refused(lost, Unavailable, "lost the result")
    monkeypatch.setattr(service, "_LARGEST", 10)
    await refused(changed, TooLarge, "too large to be compared")
