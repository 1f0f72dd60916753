"""Fixtures of the suites that every adapter of a repository passes."""

from __future__ import annotations

import pytest

from tests.factories import a_project
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import UnitsOfWork


@pytest.fixture
async def project(units: UnitsOfWork) -> Project:
    """A project that is there."""
    project = a_project()
    async with units.writing() as unit:
        await unit.projects.add(project)
        await unit.commit()
    return project
