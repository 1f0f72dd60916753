from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import NOON, a_metric, a_project, a_user, an_experiment, new_id
from tests.strategies import experiments
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.graph import Member
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import UnitsOfWork

HOUR = timedelta(hours=1)


async def kept(units: UnitsOfWork, *runs: Experiment) -> None:
    async with units.writing() as unit:
        for run in runs:
            await unit.experiments.add(run)
        await unit.commit()


class TestExperimentRepository:
    """What every adapter of the experiments port keeps."""

    async def test_an_experiment_comes_with_the_scope_of_its_project(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        experiment = an_experiment(project)
        async with units.writing() as unit:
            await unit.experiments.add(experiment)
            assert await unit.experiments.with_scope(experiment.id) == (experiment, project.scope)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.experiments.with_scope(experiment.id) == (experiment, project.scope)
            with pytest.raises(NotFound):
                await unit.experiments.with_scope(new_id())

    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )  # fmt: skip
    @given(st.data())
    async def test_an_experiment_comes_back_as_it_was(
        self, units: UnitsOfWork, project: Project, data: st.DataObject
    ) -> None:
        run = data.draw(experiments(ExperimentId(new_id()), project.id, None))
        run = run.evolve(run_key=run.run_key and new_id())  # examples share the project
        await kept(units, run)
        async with units.reading() as unit:
            found = await unit.experiments.get(run.id)
        assert found == run
        for tree in ("features", "params"):  # 1, 1.0 and true stay apart
            assert repr(getattr(found, tree)) == repr(getattr(run, tree))

    async def test_what_was_never_added_is_not_found(self, units: UnitsOfWork, project: Project) -> None:
        absent = an_experiment(project)
        async with units.writing() as unit:
            for attempt in (
                unit.experiments.get(absent.id),
                unit.experiments.save(absent),
                unit.experiments.delete(absent.id),
            ):
                with pytest.raises(NotFound):
                    await attempt
            assert await unit.experiments.get_many([absent.id]) == {}
            assert await unit.experiments.line(absent.id) == ()
            assert await unit.experiments.ancestors([absent.id]) == frozenset()
            assert await unit.experiments.graph(absent.project_id) == ()

    async def test_an_experiment_needs_its_project_and_its_parent(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        for orphan in (an_experiment(a_project()), an_experiment(project, parent_id=new_id())):
            with pytest.raises(NotFound):
                await kept(units, orphan)

    async def test_an_id_is_taken_once(self, units: UnitsOfWork, project: Project) -> None:
        run = an_experiment(project)
        await kept(units, run)
        with pytest.raises(AlreadyExists):
            await kept(units, run)

    async def test_the_second_of_two_racing_saves_is_stale(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        run = an_experiment(project)
        await kept(units, run)
        async with units.writing() as unit:
            first = await unit.experiments.save(run.evolve(name="first"))
            await unit.commit()
        async with units.writing() as unit:
            with pytest.raises(StaleVersion):
                await unit.experiments.save(run.evolve(name="second"))
        async with units.reading() as unit:
            assert await unit.experiments.get(run.id) == first == run.evolve(name="first", version=1)

    async def test_lists_are_by_position_then_age(self, units: UnitsOfWork, project: Project) -> None:
        late = an_experiment(project, name="late", position=0, created_at=NOON + timedelta(hours=1))
        early = an_experiment(project, name="early", position=0)
        front = an_experiment(project, name="back", position=2)
        await kept(units, front, late, early)
        async with units.reading() as unit:
            assert [e.name for e in await unit.experiments.list(project.id)] == ["early", "late", "back"]
            assert await unit.experiments.next_position(project.id) == 3
            assert [n for _, n in await unit.experiments.names(project.id)] == ["early", "back", "late"]
            assert [e.id for e in await unit.experiments.named(project.id, "late")] == [late.id]
            assert await unit.experiments.next_position(a_project().id) == 0

    async def test_recent_is_newest_first_and_limited(self, units: UnitsOfWork, project: Project) -> None:
        runs = [an_experiment(project, created_at=NOON + timedelta(minutes=m)) for m in range(5)]
        await kept(units, *runs)
        newest = [run.id for run in reversed(runs)]
        async with units.reading() as unit:
            assert [e.id for e in await unit.experiments.recent([project.id], 3)] == newest[:3]
            assert [e.id for e in await unit.experiments.recent(None, 9)] == newest
            assert await unit.experiments.recent([], 9) == ()

    async def test_a_primary_line_is_nearest_first(self, units: UnitsOfWork, project: Project) -> None:
        top = an_experiment(project)
        middle = an_experiment(project, parent_id=top.id)
        bottom = an_experiment(project, parent_id=middle.id)
        await kept(units, top, middle, bottom)
        async with units.reading() as unit:
            assert await unit.experiments.line(bottom.id) == (middle.id, top.id)
            assert await unit.experiments.line(top.id) == ()

    async def test_ancestors_are_those_over_edges_of_both_kinds(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        a, b, aside = (an_experiment(project) for _ in range(3))
        below_a = an_experiment(project, parent_id=a.id)
        joined = an_experiment(project, parent_id=b.id, merged_from=(below_a.id,))
        last = an_experiment(project, merged_from=(joined.id, a.id))
        await kept(units, a, b, aside, below_a, joined, last)
        async with units.reading() as unit:
            above_joined = {a.id, b.id, below_a.id}
            assert await unit.experiments.ancestors([joined.id]) == above_joined
            assert await unit.experiments.ancestors([last.id]) == above_joined | {joined.id}
            assert await unit.experiments.ancestors([aside.id, below_a.id]) == {a.id}
            assert await unit.experiments.ancestors([]) == frozenset()

    async def test_further_parents_come_back_by_id_wherever_an_experiment_does(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        a, b, c = (an_experiment(project, name=name) for name in "abc")
        child = an_experiment(project, name="d", parent_id=a.id, merged_from=(c.id, b.id))
        await kept(units, a, b, c, child)
        async with units.writing() as unit:
            for found in (
                await unit.experiments.get(child.id),
                (await unit.experiments.with_scope(child.id))[0],
                (await unit.experiments.get_many([child.id]))[child.id],
                (await unit.experiments.list(project.id))[-1],
                (await unit.experiments.recent(None, 1))[0],
                (await unit.experiments.named(project.id, "d"))[0],
            ):
                assert found == child
                assert found.merged_from == tuple(sorted((b.id, c.id)))

    async def test_a_save_replaces_the_further_parents(self, units: UnitsOfWork, project: Project) -> None:
        a, b, child = (an_experiment(project) for _ in range(3))
        await kept(units, a, b, child)
        for merged in ((a.id,), (a.id, b.id), (b.id,), (b.id,), ()):
            async with units.writing() as unit:
                child = await unit.experiments.save(child.evolve(merged_from=merged))
                await unit.commit()
            async with units.reading() as unit:
                assert await unit.experiments.get(child.id) == child
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.experiments.save(child.evolve(merged_from=(new_id(),)))

    async def test_many_are_added_at_once_each_behind_its_parents(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        runs = [an_experiment(project, position=0)]
        for place in range(1, 40):
            older = (runs[-1].id, runs[place // 2].id)
            merged = tuple({older[1]} - {older[0]})
            runs.append(an_experiment(project, position=place, parent_id=older[0], merged_from=merged))
        async with units.writing() as unit:
            await unit.experiments.add_many([])
            await unit.experiments.add_many(runs)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.experiments.list(project.id) == tuple(runs)
        async with units.writing() as unit:
            with pytest.raises(AlreadyExists):
                await unit.experiments.add_many([an_experiment(project), runs[3]])
        for orphan in (an_experiment(a_project()), an_experiment(project, merged_from=(new_id(),))):
            async with units.writing() as unit:
                with pytest.raises(NotFound):
                    await unit.experiments.add_many([an_experiment(project), orphan])

    async def test_a_graph_is_everybody_in_order_without_what_they_are_made_of(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        elsewhere = a_project()
        a = an_experiment(project, name="\u00e4", position=1, tags=("x", "y"), status=Status.FAILED)
        b = an_experiment(project, position=0, color="#123456")
        child = an_experiment(project, position=2, parent_id=a.id, merged_from=(b.id,), created_at=NOON)
        async with units.writing() as unit:
            await unit.projects.add(elsewhere)
            await unit.experiments.add_many([a, b, child, an_experiment(elsewhere)])
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.experiments.graph(project.id) == tuple(
                Member(e.id, e.name, e.status, e.parent_id, e.merged_from, e.color, e.position, e.tags, NOON)
                for e in (b, a, child)
            )
            assert list(await unit.experiments.positions(project.id)) == [b.id, a.id, child.id]
            assert dict(await unit.experiments.positions(project.id)) == {b.id: 0, a.id: 1, child.id: 2}

    async def test_names_that_contain_a_text_are_found_whatever_it_is(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        names = ("12_a", "a%b", "a_b", "A%B", "\u00e412")
        runs = [
            an_experiment(project, name=name, created_at=NOON + timedelta(seconds=age))
            for age, name in enumerate(names)
        ]
        await kept(units, *reversed(runs))
        async with units.reading() as unit:
            for text, wanted in (("12", (0, 4)), ("%", (1, 3)), ("a_", (2,)), ("A", (3,)), ("x", ())):
                found = await unit.experiments.names(project.id, containing=text)
                assert list(found) == [(runs[place].id, names[place]) for place in wanted]

    async def test_deleting_hands_the_children_to_the_parent(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        top = an_experiment(project)
        middle = an_experiment(project, parent_id=top.id)
        bottom = an_experiment(project, parent_id=middle.id)
        await kept(units, top, middle, bottom)
        async with units.writing() as unit:
            await unit.metrics.put([a_metric(middle)])
            await unit.experiments.delete(middle.id)
            await unit.commit()
        async with units.reading() as unit:
            assert (await unit.experiments.get(bottom.id)).parent_id == top.id
            assert await unit.metrics.of_project(project.id) == ()

    async def test_deleting_heals_edges_of_both_kinds(self, units: UnitsOfWork, project: Project) -> None:
        top, aside = an_experiment(project), an_experiment(project)
        gone = an_experiment(project, parent_id=top.id, merged_from=(aside.id,))
        child = an_experiment(project, parent_id=gone.id)
        torn = an_experiment(project, parent_id=gone.id, merged_from=(top.id,))
        merged = an_experiment(project, parent_id=aside.id, merged_from=(gone.id,))
        both = an_experiment(project, parent_id=top.id, merged_from=(gone.id,))
        twice = an_experiment(project, merged_from=(gone.id, top.id))
        other = an_experiment(project, parent_id=top.id)
        await kept(units, top, aside, gone, child, torn, merged, both, twice, other)
        async with units.writing() as unit:
            await unit.experiments.delete(gone.id)
            await unit.commit()
        async with units.reading() as unit:
            for before, parents in (
                (child, (top.id,)), (torn, (top.id,)), (merged, (aside.id, top.id)), (both, (top.id,)),
                (twice, (top.id,)), (other, (top.id,)),
            ):  # fmt: skip
                found = await unit.experiments.get(before.id)
                assert found.parents == parents
                assert found.version == (0 if before is other else 1)
            assert (await unit.experiments.get(torn.id)).merged_from == ()
            assert (await unit.experiments.get(twice.id)).parent_id is None

    async def test_deleting_a_root_leaves_roots(self, units: UnitsOfWork, project: Project) -> None:
        root = an_experiment(project)
        child, merged = (
            an_experiment(project, parent_id=root.id),
            an_experiment(project, merged_from=(root.id,)),
        )
        await kept(units, root, child, merged)
        async with units.writing() as unit:
            await unit.experiments.delete(root.id)
            await unit.commit()
        async with units.reading() as unit:
            for key in (child.id, merged.id):
                assert (await unit.experiments.get(key)).parents == ()

    async def test_who_made_it_is_nobody_once_they_are_deleted(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        user = a_user()
        run = an_experiment(project, created_by=user.id)
        async with units.writing() as unit:
            await unit.users.add(user)
            await unit.experiments.add(run)
            await unit.commit()
        async with units.writing() as unit:
            await unit.users.delete(user.id)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.experiments.get(run.id) == run.evolve(created_by=None)

    async def test_reordering_makes_an_older_copy_stale(self, units: UnitsOfWork, project: Project) -> None:
        a, b = an_experiment(project, position=0), an_experiment(project, position=1)
        await kept(units, a, b)
        async with units.writing() as unit:
            await unit.experiments.reorder({a.id: 1, b.id: 0, ExperimentId(new_id()): 5})
            await unit.commit()
        async with units.reading() as unit:
            assert [e.id for e in await unit.experiments.list(project.id)] == [b.id, a.id]
        async with units.writing() as unit:
            with pytest.raises(StaleVersion):
                await unit.experiments.save(a.evolve(name="late"))

    async def test_many_at_once_each_get_their_own(self, units: UnitsOfWork, project: Project) -> None:
        runs = [an_experiment(project, name=f"run {n}") for n in range(50)]
        await kept(units, *runs)
        async with units.reading() as unit:
            found = await unit.experiments.get_many([*(run.id for run in runs), ExperimentId(new_id())])
        assert found == {run.id: run for run in runs}

    async def test_a_beat_makes_no_edit_stale_and_no_edit_takes_it_back(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        run = an_experiment(project, status=Status.RUNNING, heartbeat_at=NOON)
        await kept(units, run)
        async with units.writing() as unit:
            assert await unit.experiments.beat(run.id, NOON + HOUR)
            await unit.commit()
        async with units.writing() as unit:
            saved = await unit.experiments.save(run.evolve(description="edited"))
            await unit.commit()
        assert saved == run.evolve(description="edited", heartbeat_at=NOON + HOUR, version=1)
        async with units.reading() as unit:
            assert await unit.experiments.get(run.id) == saved

    async def test_a_save_without_a_heartbeat_forgets_it(self, units: UnitsOfWork, project: Project) -> None:
        run = an_experiment(project, status=Status.RUNNING, heartbeat_at=NOON)
        await kept(units, run)
        async with units.writing() as unit:
            await unit.experiments.save(run.evolve(heartbeat_at=None))
            await unit.commit()
        async with units.reading() as unit:
            assert (await unit.experiments.get(run.id)).heartbeat_at is None
            assert await unit.experiments.beating() == ()

    async def test_only_what_runs_beats(self, units: UnitsOfWork, project: Project) -> None:
        runs = [an_experiment(project, status=status) for status in Status]
        await kept(units, *runs)
        async with units.writing() as unit:
            answers = [await unit.experiments.beat(run.id, NOON) for run in runs]
            assert not await unit.experiments.beat(new_id(), NOON)
            await unit.commit()
        assert answers == [status is Status.RUNNING for status in Status]
        async with units.reading() as unit:
            beating = await unit.experiments.beating()
        assert [(run.status, run.heartbeat_at) for run in beating] == [(Status.RUNNING, NOON)]

    async def test_a_run_key_is_one_of_its_project(self, units: UnitsOfWork, project: Project) -> None:
        key, other = new_id(), a_project()
        run = an_experiment(project, run_key=key)
        await kept(units, run, an_experiment(project), an_experiment(project))
        async with units.writing() as unit:
            await unit.projects.add(other)
            await unit.experiments.add(an_experiment(other, run_key=key))
            with pytest.raises(AlreadyExists):
                await unit.experiments.add(an_experiment(project, run_key=key))
        async with units.reading() as unit:
            assert await unit.experiments.with_run_key(project.id, key) == run
            assert await unit.experiments.with_run_key(project.id, new_id()) is None

    async def test_a_save_leaves_the_run_key_as_it_is(self, units: UnitsOfWork, project: Project) -> None:
        run = an_experiment(project, run_key=new_id())
        await kept(units, run)
        async with units.writing() as unit:
            assert (await unit.experiments.save(run.evolve(run_key=None))).run_key == run.run_key
