from __future__ import annotations

import pytest

from tests.factories import NOON, a_project, a_user, new_id
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.projects.project import Project
from tracker.domain.search.saved_query import SavedQuery
from tracker.ports.unit_of_work import UnitsOfWork


def a_query(project: Project, **fields: object) -> SavedQuery:
    defaults = {"id": new_id(), "project_id": project.id, "name": "best", "created_at": NOON}
    return SavedQuery(**{**defaults, **fields})


class TestSavedQueryRepository:
    """What every adapter of the saved queries port keeps."""

    async def test_what_was_added_is_found_and_listed_by_name(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        kept = [a_query(project, name=name, filter='name like "ä%"', order_by="-acc") for name in "bäBa"]
        async with units.writing() as unit:
            for query in kept:
                await unit.saved_queries.add(query)
            await unit.commit()
        async with units.reading() as unit:
            assert [query.name for query in await unit.saved_queries.list(project.id)] == ["B", "a", "b", "ä"]
            assert await unit.saved_queries.get(kept[1].id) == kept[1]
            found = await unit.saved_queries.get_many([kept[0].id, new_id()])
            assert found == {kept[0].id: kept[0]}

    async def test_a_name_stands_once_in_a_project(self, units: UnitsOfWork, project: Project) -> None:
        other = a_project()
        first, second = a_query(project), a_query(project, name="other")
        async with units.writing() as unit:
            await unit.projects.add(other)
            for query in (first, second, a_query(other)):
                await unit.saved_queries.add(query)
            await unit.commit()
        for wrong in (a_query(project), second.evolve(id=first.id)):
            with pytest.raises(AlreadyExists):
                async with units.writing() as unit:
                    await unit.saved_queries.add(wrong)
        with pytest.raises(AlreadyExists):
            async with units.writing() as unit:
                await unit.saved_queries.save(second.evolve(name="best"))

    async def test_second_of_two_saves_of_one_version_is_stale(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        query = a_query(project)
        async with units.writing() as unit:
            await unit.saved_queries.add(query)
            saved = await unit.saved_queries.save(query.evolve(filter="acc > 1"))
            await unit.commit()
        assert saved == query.evolve(filter="acc > 1", version=1)
        with pytest.raises(StaleVersion):
            async with units.writing() as unit:
                await unit.saved_queries.save(query)

    async def test_what_it_belongs_to_must_exist(self, units: UnitsOfWork, project: Project) -> None:
        for wrong in (a_query(a_project()), a_query(project, author_id=new_id())):
            with pytest.raises(NotFound):
                async with units.writing() as unit:
                    await unit.saved_queries.add(wrong)

    async def test_it_goes_with_its_project_and_outlives_its_author(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        user = a_user()
        query = a_query(project, author_id=user.id)
        async with units.writing() as unit:
            await unit.users.add(user)
            await unit.saved_queries.add(query)
            await unit.users.delete(user.id)
            assert await unit.saved_queries.get(query.id) == query.evolve(author_id=None)
            await unit.projects.delete(project.id)
            with pytest.raises(NotFound):
                await unit.saved_queries.get(query.id)

    async def test_what_is_not_there_cannot_be_changed_or_deleted(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        query = a_query(project)
        async with units.writing() as unit:
            await unit.saved_queries.add(query)
            await unit.saved_queries.delete(query.id)
            with pytest.raises(NotFound):
                await unit.saved_queries.delete(query.id)
            with pytest.raises(NotFound):
                await unit.saved_queries.save(query)
