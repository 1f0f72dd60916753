from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories import (
    NOON,
    a_decision,
    a_hypothesis,
    a_project,
    a_user,
    an_experiment,
    new_id,
)
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.facts import ExperimentRow
from tracker.domain.hypotheses.hypothesis import BaselineRule, Hypothesis, HypothesisStatus, Target
from tracker.domain.projects.project import Direction, Project
from tracker.domain.search.saved_query import SavedQuery
from tracker.ports.unit_of_work import UnitsOfWork

HOUR = timedelta(hours=1)


@pytest.fixture
async def runs(units: UnitsOfWork, project: Project) -> tuple[Experiment, ...]:
    runs = tuple(an_experiment(project, name=str(i), position=9 - i) for i in range(3))
    async with units.writing() as unit:
        for run in runs:
            await unit.experiments.add(run)
        await unit.commit()
    return runs


async def kept(units: UnitsOfWork, *hypotheses: Hypothesis) -> None:
    async with units.writing() as unit:
        for hypothesis in hypotheses:
            await unit.hypotheses.add(hypothesis)
        await unit.commit()


async def found(units: UnitsOfWork, hypothesis: Hypothesis) -> Hypothesis:
    async with units.reading() as unit:
        return (await unit.hypotheses.with_scope(hypothesis.id))[0]


class TestHypothesisRepository:
    """What every adapter of the hypotheses port keeps."""

    async def test_a_hypothesis_comes_back_as_it_was_added(
        self, units: UnitsOfWork, project: Project, runs: tuple[Experiment, ...]
    ) -> None:
        target = Target(name="Ä", label="val", direction=Direction.MINIMIZE, weight=2.5)
        whole = a_hypothesis(
            project, description="why", targets=(target, Target(name="b")), baseline=runs[2].id,
            threshold=0.125, alpha=0.01, experiments=(runs[1].id, runs[0].id), author_id=None,
        )  # fmt: skip
        plain = [a_hypothesis(project, targets=(), baseline=rule) for rule in BaselineRule]
        await kept(units, whole, *plain)
        for each in (whole, *plain):
            assert await found(units, each) == each
        async with units.reading() as unit:
            _, scope = await unit.hypotheses.with_scope(whole.id, asker=project.owner_id)
        assert scope == project.scope

    async def test_lists_go_by_age_and_the_newest_come_first(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        other = a_project()
        async with units.writing() as unit:
            await unit.projects.add(other)
            await unit.commit()
        late = a_hypothesis(project, created_at=NOON + HOUR)
        first, second = sorted((a_hypothesis(project) for _ in range(2)), key=lambda each: each.id)
        elsewhere = a_hypothesis(other, created_at=NOON + 2 * HOUR)
        await kept(units, late, second, first, elsewhere)
        async with units.reading() as unit:
            assert await unit.hypotheses.list(project.id) == (first, second, late)
            assert await unit.hypotheses.list(a_project().id) == ()
            assert await unit.hypotheses.recent(None, 3) == (elsewhere, late, second)
            assert await unit.hypotheses.recent([project.id], 2) == (late, second)
            assert await unit.hypotheses.recent([], 2) == ()
            counts = await unit.projects.counts([project.id, other.id])
        assert [counts[each.id].hypotheses for each in (project, other)] == [3, 1]
        assert [counts[each.id].experiments for each in (project, other)] == [0, 0]

    async def test_saving_changes_links_and_counts_the_version_up(
        self, units: UnitsOfWork, project: Project, runs: tuple[Experiment, ...]
    ) -> None:
        first = a_hypothesis(project, experiments=(runs[0].id, runs[1].id))
        await kept(units, first)
        changed = first.evolve(title="b", experiments=(runs[1].id, runs[2].id), updated_at=NOON + HOUR)
        async with units.writing() as unit:
            saved = await unit.hypotheses.save(changed)
            await unit.commit()
        assert saved == changed.evolve(version=1) == await found(units, first)
        async with units.writing() as unit:
            with pytest.raises(StaleVersion):
                await unit.hypotheses.save(first)
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.hypotheses.save(a_hypothesis(project))

    async def test_what_it_refers_to_must_be_there(
        self, units: UnitsOfWork, project: Project, runs: tuple[Experiment, ...]
    ) -> None:
        present = a_hypothesis(project)
        await kept(units, present)
        for wrong, error in (
            (a_hypothesis(a_project()), NotFound),
            (a_hypothesis(project, author_id=new_id()), NotFound),
            (a_hypothesis(project, experiments=(runs[0].id, new_id())), NotFound),
            (a_hypothesis(project, queries=(new_id(),)), NotFound),
            (present, AlreadyExists),
        ):
            async with units.writing() as unit:
                with pytest.raises(error):
                    await unit.hypotheses.add(wrong)
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.hypotheses.save(present.evolve(experiments=(new_id(),)))

    async def test_the_last_decision_counts_and_all_are_in_the_log(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        one = a_hypothesis(project)
        await kept(units, one)
        first = a_decision(one, at=NOON + HOUR)
        later = a_decision(one, at=NOON + 2 * HOUR, status=HypothesisStatus.REFUTED, author_id=None)
        again = a_decision(one, at=NOON + 3 * HOUR, status=None, computed=HypothesisStatus.TESTING)
        log, shown = [], []
        for decision in (first, later, again):
            async with units.writing() as unit:
                await unit.hypotheses.decide(decision)
                await unit.commit()
            async with units.reading() as unit:
                log.append(await unit.hypotheses.decisions(one.id))
                (listed,) = await unit.hypotheses.list(project.id)
                shown.append(listed.decision)
            assert await found(units, one) == listed
        assert shown == [first, later, None]
        assert log[-1] == (first, later, again)
        for wrong, error in (
            (first, AlreadyExists),
            (a_decision(a_hypothesis(project)), NotFound),
            (a_decision(one, author_id=new_id()), NotFound),
        ):
            async with units.writing() as unit:
                with pytest.raises(error):
                    await unit.hypotheses.decide(wrong)

    async def test_a_deleted_experiment_is_no_longer_linked(
        self, units: UnitsOfWork, project: Project, runs: tuple[Experiment, ...]
    ) -> None:
        one = a_hypothesis(project, experiments=(runs[0].id, runs[1].id), baseline=runs[0].id)
        await kept(units, one)
        async with units.writing() as unit:
            await unit.experiments.delete(runs[0].id)
            await unit.commit()
        assert await found(units, one) == one.evolve(experiments=(runs[1].id,))

    async def test_a_deleted_query_is_no_longer_linked(self, units: UnitsOfWork, project: Project) -> None:
        queries = [SavedQuery(id=new_id(), project_id=project.id, name=n, created_at=NOON) for n in "ab"]
        one = a_hypothesis(project, queries=tuple(query.id for query in queries))
        async with units.writing() as unit:
            for query in queries:
                await unit.saved_queries.add(query)
            await unit.hypotheses.add(one)
            await unit.commit()
        assert await found(units, one) == one
        async with units.writing() as unit:
            await unit.saved_queries.delete(queries[0].id)
            await unit.commit()
        assert await found(units, one) == one.evolve(queries=(queries[1].id,))

    async def test_deleting_takes_decisions_along(self, units: UnitsOfWork, project: Project) -> None:
        gone, other = a_hypothesis(project), a_hypothesis(project)
        await kept(units, gone, other)
        async with units.writing() as unit:
            for each in (gone, other):
                await unit.hypotheses.decide(a_decision(each))
            await unit.hypotheses.delete(gone.id)
            await unit.commit()
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.hypotheses.delete(gone.id)
            with pytest.raises(NotFound):
                await unit.hypotheses.with_scope(gone.id)
            assert await unit.hypotheses.decisions(gone.id) == ()
            assert len(await unit.hypotheses.decisions(other.id)) == 1
            await unit.projects.delete(project.id)
            assert await unit.hypotheses.recent(None, 9) == ()

    async def test_an_author_who_goes_leaves_what_they_wrote(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        author = a_user()
        one = a_hypothesis(project, author_id=author.id)
        decision = a_decision(one, author_id=author.id)
        async with units.writing() as unit:
            await unit.users.add(author)
            await unit.hypotheses.add(one)
            await unit.hypotheses.decide(decision)
            await unit.users.delete(author.id)
            await unit.commit()
        assert await found(units, one) == one.evolve(author_id=None, decision=decision.evolve(author_id=None))

    async def test_rows_say_what_evidence_needs_by_id(
        self, units: UnitsOfWork, project: Project, runs: tuple[Experiment, ...]
    ) -> None:
        child = an_experiment(
            project, name="9_child", parent_id=runs[0].id, status=Status.RUNNING,
            features={"a": {"b": [1, 2.0]}}, params={"lr": 0.1, "seed": 3},
        )  # fmt: skip
        async with units.writing() as unit:
            await unit.experiments.add(child)
            await unit.commit()
        async with units.reading() as unit:
            rows = await unit.hypotheses.rows(project.id)
        assert [row.id for row in rows] == sorted(each.id for each in (*runs, child))
        (row,) = [row for row in rows if row.id == child.id]
        assert isinstance(row, ExperimentRow)
        assert (row.name, row.status, row.parent_id) == ("9_child", Status.RUNNING, runs[0].id)
        assert an_experiment(project, features=row.features, params=row.params).params == child.params
        assert an_experiment(project, features=row.features).features == child.features

    async def test_more_links_than_a_statement_holds(self, units: UnitsOfWork, project: Project) -> None:
        many = [an_experiment(project) for _ in range(1203)]
        one = a_hypothesis(project, experiments=tuple(each.id for each in many))
        async with units.writing() as unit:
            for each in many:
                await unit.experiments.add(each)
            await unit.hypotheses.add(one)
            assert (await unit.hypotheses.save(one.evolve(experiments=()))).experiments == ()
            await unit.commit()
        assert (await found(units, one)).experiments == ()
