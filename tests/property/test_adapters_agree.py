from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import precondition, rule

from tests.factories import a_project, new_id
from tests.side_by_side import SideBySide, close_shared_database
from tests.strategies import RUN_KEYS, experiments, instants, metrics, projects
from tests.tries import tries
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import ExperimentId, MetricId, ProjectId
from tracker.domain.projects.project import Project

NOBODY = ExperimentId(new_id())


class MemoryAndSqlite(SideBySide):
    """Projects, experiments and metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.projects: list[Project] = []  # every state ever seen: old ones are stale
        self.experiments: list[Experiment] = []

    @rule(data=st.data())
    def add_project(self, data: st.DataObject) -> None:
        project = data.draw(projects(ProjectId(new_id()), st.just(LOCAL_USER)))
        self.both(lambda unit: unit.projects.add(project))
        self.projects.append(project)

    @precondition(lambda self: self.projects)
    @rule(data=st.data())
    def save_project(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.projects))
        drawn = data.draw(projects(old.id, st.just(LOCAL_USER)))
        saved = self.both(lambda unit: unit.projects.save(drawn.evolve(version=old.version)))
        if isinstance(saved, Project):
            self.projects.append(saved)

    @precondition(lambda self: self.projects)
    @rule(data=st.data())
    def add_project_again_or_delete_it(self, data: st.DataObject) -> None:
        project = data.draw(st.sampled_from(self.projects))
        if data.draw(st.booleans()):
            self.both(lambda unit: unit.projects.add(project.evolve(version=0)))
        else:
            self.both(lambda unit: unit.projects.delete(project.id))

    @precondition(lambda self: self.projects)
    @rule(data=st.data())
    def add_experiment(self, data: st.DataObject) -> None:
        project = data.draw(st.sampled_from(self.projects))
        parent = data.draw(st.sampled_from([None, NOBODY, *self.family(project.id)]))
        run = self.merged(data, data.draw(experiments(ExperimentId(new_id()), project.id, parent)))
        if self.both(lambda unit: unit.experiments.add(run)) is None:
            self.experiments.append(run)

    @precondition(lambda self: self.experiments)
    @rule(data=st.data())
    def save_experiment(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.experiments))
        drawn = data.draw(experiments(old.id, old.project_id, old.parent_id))
        drawn = self.merged(data, drawn.evolve(version=old.version))
        saved = self.both(lambda unit: unit.experiments.save(drawn))
        if isinstance(saved, Experiment):
            self.experiments.append(saved)

    @precondition(lambda self: self.experiments)
    @rule(data=st.data(), at=instants)
    def beat(self, data: st.DataObject, at: datetime) -> None:
        key = data.draw(st.sampled_from([NOBODY, *(run.id for run in self.experiments)]))
        self.both(lambda unit: unit.experiments.beat(key, at))
        self.both(lambda unit: unit.experiments.beating())

    @precondition(lambda self: self.experiments)
    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        keys = st.sampled_from([NOBODY, *(run.id for run in self.experiments)])
        positions = data.draw(st.dictionaries(keys, st.integers(0, 9), max_size=4))
        self.both(lambda unit: unit.experiments.reorder(positions))

    @precondition(lambda self: self.experiments)
    @rule(data=st.data())
    def delete_experiment(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.experiments))
        self.both(lambda unit: unit.experiments.delete(run.id))

    @precondition(lambda self: self.experiments)
    @rule(data=st.data())
    def put_metrics(self, data: st.DataObject) -> None:
        runs = data.draw(st.lists(st.sampled_from(self.experiments), min_size=1, max_size=4))
        values = [data.draw(metrics(MetricId(new_id()), run.id)) for run in runs]
        self.both(lambda unit: unit.metrics.put(values))

    @precondition(lambda self: self.projects)
    @rule(data=st.data(), limit=st.integers(1, 5))
    def look(self, data: st.DataObject, limit: int) -> None:
        key = data.draw(st.sampled_from(self.projects)).id
        self.both(lambda unit: unit.projects.list())
        self.both(lambda unit: unit.projects.counts([key]))
        self.both(lambda unit: unit.experiments.list(key))
        self.both(lambda unit: unit.experiments.names(key))
        self.both(lambda unit: unit.experiments.names(key, containing="1"))
        self.both(lambda unit: unit.experiments.graph(key))
        self.both(lambda unit: unit.experiments.positions(key))
        self.both(lambda unit: unit.experiments.next_position(key))
        self.both(lambda unit: unit.experiments.recent(None, limit))
        self.both(lambda unit: unit.metrics.of_project(key))
        for run_key in RUN_KEYS:
            self.both(lambda unit, run_key=run_key: unit.experiments.with_run_key(key, run_key))
        for run in self.experiments[-3:]:
            self.both(lambda unit, run=run: unit.experiments.get(run.id))
            self.both(lambda unit, run=run: unit.experiments.line(run.id))
            self.both(lambda unit, run=run: unit.experiments.ancestors([run.id]))

    def merged(self, data: st.DataObject, run: Experiment) -> Experiment:
        """The experiment with some older ones merged into it."""
        older = [key for key in self.family(run.project_id) if key < run.id and key != run.parent_id]
        chosen = data.draw(st.lists(st.sampled_from([NOBODY, *older]), max_size=3, unique=True))
        return run.evolve(merged_from=tuple(each for each in chosen if each != NOBODY or len(chosen) == 3))

    def family(self, project_id: ProjectId) -> list[ExperimentId]:
        return list({run.id: None for run in self.experiments if run.project_id == project_id})


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    close_shared_database()


MemoryAndSqlite.TestCase.settings = settings(max_examples=tries(15), stateful_step_count=20, deadline=None)
TestMemoryAndSqliteAgree = MemoryAndSqlite.TestCase


def test_both_start_with_the_local_user_and_nothing_else() -> None:
    machine = MemoryAndSqlite()
    try:
        machine.both(lambda unit: unit.users.get(LOCAL_USER))
        machine.both(lambda unit: unit.projects.get(a_project().id))
    finally:
        machine.teardown()
