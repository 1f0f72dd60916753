"""What state machines share that do the same to memory and SQLite and compare what both answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.sql.database import Database
from tracker.domain.errors import TrackerError
from tracker.domain.identity.actor import LOCAL_USER
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["SideBySide", "close_shared_database"]

Step = Callable[[WritingUnit], Awaitable[Any]]


class SideBySide(RuleBasedStateMachine):
    """Does the same to both and compares what they answer, errors by class."""

    def __init__(self) -> None:
        super().__init__()
        self.loop, self.database = shared_database()
        self.loop.run(emptied(self.database.units))
        self.memory = MemoryUnitsOfWork()

    def both(self, step: Step) -> Any:
        answers = [self.loop.run(attempt(units, step)) for units in (self.memory, self.database.units)]
        assert answers[0] == answers[1]
        return answers[0]


@cache
def shared_database() -> tuple[asyncio.Runner, Database]:
    """One migrated database for all examples: migrating costs more than an example."""
    loop, database = asyncio.Runner(), Database("sqlite://")
    loop.run(database.prepare(auto_upgrade=True))
    return loop, database


def close_shared_database() -> None:
    """At the end of a module, if any of its examples opened it."""
    if shared_database.cache_info().currsize:
        loop, database = shared_database()
        loop.run(database.dispose())
        loop.close()
        shared_database.cache_clear()


async def emptied(units: UnitsOfWork) -> None:
    async with units.writing() as unit:
        for project in await unit.projects.list():
            await unit.projects.delete(project.id)
        for team in await unit.teams.list():
            await unit.teams.delete(team.id)
        for user in await unit.users.list():
            if user.id != LOCAL_USER:
                await unit.users.delete(user.id)
        await unit.commit()


async def attempt(units: UnitsOfWork, step: Step) -> Any:
    try:
        async with units.writing() as unit:
            answer = await step(unit)
            await unit.commit()
    except TrackerError as error:
        return type(error)
    return answer
