"""Looking after jobs and workflows: what makes them go on, whoever dies."""

from __future__ import annotations

from datetime import datetime

__all__ = ["Overseer"]


class Overseer:
    """Looks at all jobs and workflows that have not ended, and does what is to be done with them.

    It remembers nothing between two looks. Any number of processes may look at one database: of those that
    want to change the same thing the first one does.
    """

    async def look(self) -> datetime | None:
        """Looks once at everything that has not ended; when to look again, ``None`` when all has.

        What goes wrong with one job never keeps it from the others.
        """
        raise NotImplementedError
