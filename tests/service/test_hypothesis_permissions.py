"""What those may do with hypotheses, and learn from them, who may not see metrics or experiments."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import new_id
from tests.hypothesis_cases import TARGETS, allowed, seeds
from tests.service.conftest import House
from tracker.domain.errors import Forbidden, Invalid
from tracker.domain.hypotheses.hypothesis import (
    HIDDEN_EXPERIMENT,
    JUDGED_BY,
    BaselineRule,
    Hypothesis,
    HypothesisStatus,
    Target,
)
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.identity.actions import Action
from tracker.domain.ids import ExperimentId, SavedQueryId
from tracker.domain.projects.project import Project

EDITS = (Action.PROJECT_VIEW, Action.HYPOTHESES_VIEW, Action.HYPOTHESES_EDIT, Action.HYPOTHESES_CREATE)
SEES = (Action.METRICS_VIEW, Action.EXPERIMENTS_VIEW)


@pytest.fixture
async def project(house: House) -> Project:
    return await house.projects.create(house.actor, name="digits")


async def furnished(house: House, project: Project) -> JudgedHypothesis:
    """One with everything by which hypotheses are judged."""
    base = await seeds(house, project, 8, [0.5])
    wide = await seeds(house, project, 64, [0.9])
    query = await house.search.save_query(house.actor, project.id, name="q", filter="params.width = 64")
    return await house.hypotheses.create(
        house.actor, project.id, title="a", targets=(Target(name="acc", weight=2.0),), baseline=base[0].id,
        experiments=(wide[0].id,), queries=(query.id,), threshold=0.3, alpha=0.1,
    )  # fmt: skip


def judged_by(found: Hypothesis) -> dict[str, Any]:
    return {field: getattr(found, field) for field in JUDGED_BY}


@pytest.mark.parametrize("lacking", SEES)
async def test_who_may_not_see_all_that_a_verdict_tells_does_not_choose_what_it_is_about(
    house: House, project: Project, lacking: Action
) -> None:
    made = await furnished(house, project)
    run, query = made.hypothesis.experiments[0], made.hypothesis.queries[0]
    other = await house.search.save_query(house.actor, project.id, name="other", filter="acc > 0.7")
    actor = allowed(project, *EDITS, *(action for action in SEES if action is not lacking))
    choices: list[dict[str, Any]] = [
        {"targets": TARGETS}, {"target_names": ("loss",)}, {"baseline": BaselineRule.BEST}, {"baseline": run},
        {"threshold": 0.5}, {"alpha": 0.2}, {"experiments": (run, ExperimentId(new_id()))},
        {"queries": (other.id,)}, {"queries": (SavedQueryId(new_id()),)},
    ]  # fmt: skip
    attempts = [house.hypotheses.edit(actor, made.id, title="b", **choice) for choice in choices]
    attempts += [
        house.hypotheses.create(actor, project.id, title="b", **choice)
        for choice in choices
        if "target_names" not in choice
    ]
    attempts += [
        house.links.link(actor, made.id, [run]),
        house.links.unlink(actor, made.id, run),
        house.links.link_query(actor, made.id, other.id),
        house.links.unlink_query(actor, made.id, query),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden, match=lacking.value):
            await attempt
    assert await house.hypotheses.list(house.actor, project.id) == (made,)


@pytest.mark.parametrize("seen", [(), SEES[:1], SEES[1:], SEES])
async def test_what_one_was_shown_sent_back_changes_nothing(
    house: House, project: Project, seen: tuple[Action, ...]
) -> None:
    made = await furnished(house, project)
    actor = allowed(project, *EDITS, *seen)
    shown = (await house.hypotheses.get(actor, made.id)).hypothesis
    await house.hypotheses.edit(
        actor, made.id, title="b", description="c", status=HypothesisStatus.SUPPORTED, **judged_by(shown)
    )
    edited = (await house.hypotheses.get(house.actor, made.id)).hypothesis
    assert (edited.title, edited.description, edited.decision) == ("b", "c", None)
    assert judged_by(edited) == judged_by(made.hypothesis)
    names = [target.name for target in shown.targets]
    await house.hypotheses.edit(actor, made.id, target_names=names)


async def test_names_of_targets_sent_back_keep_those_of_one_name_where_they_stand(
    house: House, project: Project
) -> None:
    targets = tuple(Target(name=name, label=label) for name, label in (("a", "x"), ("b", None), ("a", "y")))
    made = await house.hypotheses.create(house.actor, project.id, title="a", targets=targets)
    actor = allowed(project, *EDITS)
    edited = await house.hypotheses.edit(actor, made.id, title="b", target_names=("a", "b"))
    assert edited.hypothesis.targets == targets


def test_whatever_verdicts_rest_on_is_listed() -> None:
    told = {"id", "project_id", "title", "description", "author_id", "decision", "created_at", "updated_at"}
    assert set(Hypothesis.model_fields) == told | {"version"} | set(JUDGED_BY)


async def test_nothing_tells_which_experiments_it_is_about_to_who_may_not_see_experiments(
    house: House, project: Project
) -> None:
    made = await furnished(house, project)
    shown = (await house.hypotheses.get(allowed(project, *EDITS, SEES[0]), made.id)).hypothesis
    assert (shown.experiments, shown.queries, shown.baseline) == ((), (), HIDDEN_EXPERIMENT)
    await house.hypotheses.edit(house.actor, made.id, baseline=BaselineRule.BEST)
    shown = (await house.hypotheses.get(allowed(project, *EDITS), made.id)).hypothesis
    assert shown.baseline is BaselineRule.BEST
    with pytest.raises(Invalid, match="baseline"):  # which names no experiment
        await house.hypotheses.edit(house.actor, made.id, baseline=HIDDEN_EXPERIMENT)


async def test_a_claim_alone_takes_no_sight_of_metrics(house: House, project: Project) -> None:
    actor = house.actor.evolve(scopes=frozenset(EDITS))
    defaults = judged_by((await furnished(house, project)).hypothesis.unjudged())
    made = await house.hypotheses.create(
        actor, project.id, title="a", description="b", status=HypothesisStatus.REFUTED, **defaults
    )
    assert (made.status, made.computed_status) == (HypothesisStatus.REFUTED, HypothesisStatus.PROPOSED)
    decided = await house.hypotheses.decide(actor, made.id, None, "no")
    assert decided.status is HypothesisStatus.PROPOSED


async def test_what_was_deleted_is_no_obstacle_where_it_does_not_change(
    house: House, project: Project
) -> None:
    made = await furnished(house, project)
    baseline = made.hypothesis.baseline
    assert not isinstance(baseline, BaselineRule)
    await house.experiments.delete(house.actor, baseline)
    shown = (await house.hypotheses.get(house.actor, made.id)).hypothesis
    edited = await house.hypotheses.edit(house.actor, made.id, title="b", **judged_by(shown))
    assert (edited.hypothesis.title, judged_by(edited.hypothesis)) == ("b", judged_by(made.hypothesis))
    gone = ExperimentId(new_id())
    with pytest.raises(Invalid, match=f"{gone} is not in this project"):
        await house.hypotheses.edit(house.actor, made.id, experiments=(*shown.experiments, gone))


async def test_numbers_and_links_are_for_those_who_may_see_metrics_and_experiments(
    house: House, project: Project
) -> None:
    base = await seeds(house, project, 8, [0.5])
    wide = await seeds(house, project, 64, [0.9])
    made = await house.hypotheses.create(
        house.actor, project.id, title="a", targets=TARGETS, baseline=base[0].id, experiments=(wide[0].id,)
    )
    views = [Action.PROJECT_VIEW, Action.HYPOTHESES_VIEW, Action.METRICS_VIEW, Action.EXPERIMENTS_VIEW]
    for lacking in views[2:]:
        actor = allowed(project, *(action for action in views if action is not lacking))
        for shown in (
            await house.hypotheses.get(actor, made.id),
            *await house.hypotheses.list(actor, project.id),
            *await house.hypotheses.recent(actor, project_id=project.id),
        ):
            assert shown.status is HypothesisStatus.SUPPORTED
            assert (shown.score, shown.headline) == (None, None)
            sees = lacking is Action.METRICS_VIEW
            assert shown.hypothesis == (made.hypothesis if sees else made.hypothesis.without_experiments())
        with pytest.raises(Forbidden, match=lacking.value):
            await house.hypotheses.evidence(actor, made.id)
    whole = allowed(project, *views)
    assert await house.hypotheses.get(whole, made.id) == made
    assert (await house.hypotheses.evidence(whole, made.id)).score == made.score


async def test_who_may_not_see_experiments_learns_nothing_of_them_by_linking(
    house: House, project: Project
) -> None:
    (run,) = await seeds(house, project, 8, [0.5])
    edits = [Action.PROJECT_VIEW, Action.HYPOTHESES_VIEW, Action.HYPOTHESES_EDIT, Action.HYPOTHESES_CREATE]
    actor = allowed(project, *edits)
    made = await house.hypotheses.create(house.actor, project.id, title="a")
    told = set()
    for key in (run.id, ExperimentId(new_id())):
        for attempt in (
            house.links.link(actor, made.id, [key]),
            house.links.unlink(actor, made.id, key),
            house.hypotheses.edit(actor, made.id, experiments=(key,)),
            house.hypotheses.edit(actor, made.id, baseline=key),
            house.hypotheses.create(actor, project.id, title="b", experiments=(key,)),
        ):
            with pytest.raises(Forbidden) as refusal:
                await attempt
            told.add(refusal.value.detail)
    assert len(told) == 1
    assert (await house.hypotheses.edit(actor, made.id, title="c")).hypothesis.title == "c"
