"""The schema of whatever database the units of work run on."""

from __future__ import annotations

from typing import Protocol

__all__ = ["SchemaCheck"]


class SchemaCheck(Protocol):
    """Tells whether the database has the tables that this version of tracker works with."""

    async def check_schema(self) -> None:
        """Lets pass a database that fits; cheap enough to be asked every second.

        Raises:
            SchemaMismatch: it is older, newer or empty; says what to run.
            Unavailable: it does not answer.
        """
        ...
