from __future__ import annotations

from datetime import timedelta

import pytest

from tests.evaluation_factories import a_workflow, an_evaluation
from tests.factories import NOON, a_project, a_user, an_experiment, new_id
from tracker.domain.errors import AlreadyExists, Conflict, NotFound
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.events import Cause
from tracker.domain.evaluation.tasks import TaskDefinition, TaskKind
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.ids import EvaluationId, WorkflowId
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import UnitsOfWork

HOUR = timedelta(hours=1)
TRANSLATION = TaskDefinition(task=TaskKind.TRANSLATION, source_language="Deutsch", target_language="日本語")


@pytest.fixture
async def evaluation(units: UnitsOfWork, project: Project) -> Evaluation:
    evaluation = an_evaluation(project)
    await kept(units, evaluation)
    return evaluation


async def kept(units: UnitsOfWork, *things: Evaluation | Workflow) -> None:
    async with units.writing() as unit:
        for thing in things:
            if isinstance(thing, Workflow):
                await unit.workflows.add(thing)
            else:
                await unit.evaluations.add(thing)
        await unit.commit()


class TestEvaluationRepository:
    """What every adapter of the evaluations port keeps."""

    async def test_an_evaluation_comes_back_as_it_was(self, units: UnitsOfWork, project: Project) -> None:
        full = an_evaluation(
            project, name="\"'\\\n🎯", description="x" * 1000, max_samples=2**31 - 1, task=TRANSLATION,
            updated_at=NOON + HOUR, created_by=None, version=2,
        )  # fmt: skip
        await kept(units, full)
        async with units.reading() as unit:
            assert await unit.evaluations.get(full.id) == full
            with pytest.raises(NotFound):
                await unit.evaluations.get(EvaluationId(new_id()))

    async def test_an_id_is_taken_once_and_a_project_must_be_there(
        self, units: UnitsOfWork, project: Project, evaluation: Evaluation
    ) -> None:
        for error, refused in (
            (AlreadyExists, evaluation),
            (NotFound, an_evaluation(a_project())),
            (NotFound, an_evaluation(project, created_by=new_id())),
        ):
            with pytest.raises(error):
                await kept(units, refused)

    async def test_a_page_is_the_newest_of_the_projects_and_tells_how_many_there_are(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        mine = [an_evaluation(project, created_at=NOON + n // 2 * HOUR) for n in range(5)]
        await kept(units, *mine)
        newest = tuple(sorted(mine, key=lambda each: (each.created_at, each.id), reverse=True))
        async with units.reading() as unit:
            assert await unit.evaluations.page([project.id]) == (5, newest)
            assert await unit.evaluations.page(None, skip=1, limit=2) == (5, newest[1:3])
            assert await unit.evaluations.page(None, skip=5) == (5, ())
            assert await unit.evaluations.page([a_project().id]) == (0, ())

    async def test_a_deleted_one_goes_with_its_workflows(
        self, units: UnitsOfWork, project: Project, evaluation: Evaluation
    ) -> None:
        other = an_evaluation(project)
        goes, stays = a_workflow(evaluation), a_workflow(other)
        await kept(units, other, goes, stays)
        async with units.writing() as unit:
            await unit.evaluations.delete(evaluation.id)
            with pytest.raises(NotFound):
                await unit.evaluations.delete(evaluation.id)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.workflows.to_look_after() == (stays.id,)
            assert await unit.evaluations.page(None) == (1, (other,))

    async def test_they_go_with_their_project_and_forget_who_made_them(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        user, gone = a_user(), a_project()
        stays, goes = an_evaluation(project, created_by=user.id), an_evaluation(gone)
        flow = a_workflow(stays, created_by=user.id)
        async with units.writing() as unit:
            await unit.users.add(user)
            await unit.projects.add(gone)
            await unit.commit()
        await kept(units, stays, goes, flow, a_workflow(goes))
        async with units.writing() as unit:
            await unit.users.delete(user.id)
            await unit.projects.delete(gone.id)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.evaluations.page(None) == (1, (stays.evolve(created_by=None),))
            assert await unit.workflows.get(flow.id) == flow.evolve(created_by=None)
            assert await unit.workflows.to_look_after() == (flow.id,)


class TestWorkflowRepository:
    """What every adapter of the workflows port keeps."""

    async def test_a_workflow_comes_back_as_it_was_at_every_turn(
        self, units: UnitsOfWork, project: Project, evaluation: Evaluation
    ) -> None:
        run = an_experiment(project)
        async with units.writing() as unit:
            await unit.experiments.add(run)
            await unit.commit()
        flow = a_workflow(
            evaluation, experiment_id=run.id, name="🎯'\n", description="\"", model="x" * 1000,
            config={"metrics": ["rouge", "bleu"], "deep": {"er": [1, None, 0.1]}, "empty": {}},
        )  # fmt: skip
        await kept(units, flow)
        at = NOON + timedelta(microseconds=1)
        turns = [
            lambda flow: flow,
            lambda flow: flow.begin_step(0, at=at),
            lambda flow: flow.begin_step(1, at=at + HOUR),
            lambda flow: flow.ask_stop("enough", at=at + HOUR),
            lambda flow: flow.fail(Cause.STEP_LOST, "gone", at=at + 2 * HOUR),
        ]
        for number, turn in enumerate(turns, 1):
            async with units.writing() as unit:
                changed = turn(await unit.workflows.get(flow.id))
                assert await unit.workflows.save(changed) == changed.evolve(version=number)
                await unit.commit()
            async with units.reading() as unit:
                assert await unit.workflows.get(flow.id) == changed.evolve(version=number)
                with pytest.raises(NotFound):
                    await unit.workflows.get(WorkflowId(new_id()))

    async def test_a_save_of_an_older_version_is_refused(
        self, units: UnitsOfWork, evaluation: Evaluation
    ) -> None:
        flow = a_workflow(evaluation)
        await kept(units, flow)
        async with units.writing() as unit:
            await unit.workflows.save(flow.begin_step(0, at=NOON))
            await unit.commit()
        for error, stale in ((Conflict, flow), (NotFound, a_workflow(evaluation))):
            async with units.writing() as unit:
                with pytest.raises(error):
                    await unit.workflows.save(stale.ask_stop("x", at=NOON))

    async def test_an_id_is_taken_once_and_what_it_belongs_to_must_be_there(
        self, units: UnitsOfWork, project: Project, evaluation: Evaluation
    ) -> None:
        flow = a_workflow(evaluation)
        await kept(units, flow)
        for error, refused in (
            (AlreadyExists, flow),
            (NotFound, a_workflow(an_evaluation(project))),
            (NotFound, a_workflow(evaluation, project_id=a_project().id)),
            (NotFound, a_workflow(evaluation, experiment_id=new_id())),
            (NotFound, a_workflow(evaluation, created_by=new_id())),
        ):
            with pytest.raises(error):
                await kept(units, refused)

    async def test_those_of_evaluations_are_told_oldest_first(
        self, units: UnitsOfWork, project: Project, evaluation: Evaluation
    ) -> None:
        other, without = an_evaluation(project), an_evaluation(project)
        flows = [a_workflow(evaluation, at=NOON - n // 2 * HOUR) for n in range(4)]
        far = a_workflow(other)
        await kept(units, other, without, *flows, far)
        oldest = sorted(flows, key=lambda flow: (flow.created_at, flow.id))
        asked = [evaluation.id, other.id, without.id, *(EvaluationId(new_id()) for _ in range(1200))]
        async with units.reading() as unit:
            found = await unit.workflows.of_evaluations(asked)
            assert {key: list(some) for key, some in found.items()} == {
                evaluation.id: oldest,
                other.id: [far],
            }
            assert await unit.workflows.of_evaluations([without.id]) == {}

    async def test_those_that_have_not_ended_are_looked_after_oldest_first(
        self, units: UnitsOfWork, evaluation: Evaluation
    ) -> None:
        created = a_workflow(evaluation)
        under_way = a_workflow(evaluation, at=NOON - HOUR).begin_step(0, at=NOON)
        ends = [
            a_workflow(evaluation).begin_step(0, at=NOON).succeed(at=NOON),
            a_workflow(evaluation).fail(Cause.STEP_FAILED, "x", at=NOON),
            a_workflow(evaluation).stop("x", at=NOON),
        ]
        await kept(units, created, under_way, *ends)
        async with units.writing() as unit:
            assert await unit.workflows.to_look_after() == (under_way.id, created.id)
            await unit.workflows.save(under_way.succeed(at=NOON))
            assert await unit.workflows.to_look_after() == (created.id,)
            await unit.workflows.delete(created.id)
            assert await unit.workflows.to_look_after() == ()
            with pytest.raises(NotFound):
                await unit.workflows.delete(created.id)

    async def test_a_deleted_experiment_is_forgotten(
        self, units: UnitsOfWork, project: Project, evaluation: Evaluation
    ) -> None:
        run = an_experiment(project)
        flow = a_workflow(evaluation, experiment_id=run.id)
        async with units.writing() as unit:
            await unit.experiments.add(run)
            await unit.workflows.add(flow)
            await unit.experiments.delete(run.id)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.workflows.get(flow.id) == flow.evolve(experiment_id=None)
