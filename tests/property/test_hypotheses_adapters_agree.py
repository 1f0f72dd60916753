from __future__ import annotations

from collections.abc import Iterator

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, precondition, rule

from tests.factories import a_project, an_experiment, new_id
from tests.side_by_side import SideBySide, close_shared_database
from tests.strategies import decisions, hypotheses
from tests.tries import tries
from tracker.domain.hypotheses.hypothesis import Hypothesis
from tracker.domain.ids import DecisionId, ExperimentId, HypothesisId
from tracker.domain.projects.project import Project

NOBODY = ExperimentId(new_id())


class HypothesesInMemoryAndSqlite(SideBySide):
    """Hypotheses, their links and decisions, while experiments and projects go."""

    def __init__(self) -> None:
        super().__init__()
        self.projects: list[Project] = []
        self.runs: list[ExperimentId] = []
        self.seen: list[Hypothesis] = []  # every state ever seen: old ones are stale
        self.decided: list[DecisionId] = []

    @initialize(count=st.integers(1, 2))
    def furnish(self, count: int) -> None:
        for _ in range(count):
            project = a_project()
            self.both(lambda unit, project=project: unit.projects.add(project))
            self.projects.append(project)
            for _ in range(3):
                run = an_experiment(project)
                self.both(lambda unit, run=run: unit.experiments.add(run))
                self.runs.append(run.id)

    @rule(data=st.data())
    def add(self, data: st.DataObject) -> None:
        project = data.draw(st.sampled_from(self.projects))
        key = HypothesisId(new_id())
        if self.seen and data.draw(st.booleans()):
            key = data.draw(st.sampled_from(self.seen)).id
        drawn = data.draw(hypotheses(key, project.id, [*self.runs, NOBODY]))
        if self.both(lambda unit: unit.hypotheses.add(drawn)) is None:
            self.seen.append(drawn)

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def save(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.seen))
        drawn = data.draw(hypotheses(old.id, old.project_id, [*self.runs, NOBODY]))
        saved = self.both(lambda unit: unit.hypotheses.save(drawn.evolve(version=old.version)))
        if isinstance(saved, Hypothesis):
            self.seen.append(saved)

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        about = data.draw(st.sampled_from(self.seen)).id
        key = data.draw(st.sampled_from([DecisionId(new_id()), *self.decided[-1:]]))
        decision = data.draw(decisions(key, about))
        self.both(lambda unit: unit.hypotheses.decide(decision))
        self.decided.append(key)

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.seen)).id
        self.both(lambda unit: unit.hypotheses.delete(key))

    @rule(data=st.data())
    def delete_an_experiment(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.runs))
        self.both(lambda unit: unit.experiments.delete(key))

    @precondition(lambda self: len(self.seen) > 3)
    @rule(data=st.data())
    def delete_a_project(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.projects)).id
        self.both(lambda unit: unit.projects.delete(key))

    @rule(limit=st.integers(1, 4))
    def look(self, limit: int) -> None:
        keys = [project.id for project in self.projects]
        self.both(lambda unit: unit.hypotheses.recent(None, limit))
        self.both(lambda unit: unit.hypotheses.recent(keys[:1], limit))
        self.both(lambda unit: unit.projects.counts(keys))
        for key in keys:
            self.both(lambda unit, key=key: unit.hypotheses.list(key))
        for each in self.seen[-3:]:
            self.both(lambda unit, each=each: unit.hypotheses.with_scope(each.id))
            self.both(lambda unit, each=each: unit.hypotheses.decisions(each.id))


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    close_shared_database()


HypothesesInMemoryAndSqlite.TestCase.settings = settings(
    max_examples=tries(15), stateful_step_count=20, deadline=None
)
TestHypothesesInMemoryAndSqliteAgree = HypothesesInMemoryAndSqlite.TestCase
