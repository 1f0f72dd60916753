"""Errors of SQLAlchemy and the drivers, as the domain's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from tracker.domain.errors import AlreadyExists, NotFound, Unavailable

__all__ = ["inserting", "translated"]


@contextmanager
def translated() -> Iterator[None]:
    """Turns whatever keeps the database from answering into ``Unavailable``.

    Raises:
        Unavailable: locked, gone, full, unreachable, or the pool is exhausted.
    """
    try:
        yield
    except exc.IntegrityError:
        raise
    except exc.DBAPIError as error:
        raise Unavailable(f"the database did not answer: {_first_line(error.orig)}") from error
    except exc.TimeoutError as error:
        raise Unavailable("the database did not answer: all connections are busy") from error
    except (OSError, TimeoutError) as error:
        raise Unavailable(f"the database did not answer: {_first_line(error)}") from error


@contextmanager
def inserting(kind: str, key: object) -> Iterator[None]:
    """Tells what an integrity error of an insert or update means.

    Raises:
        NotFound: what it refers to does not exist.
        AlreadyExists: the key is taken.
    """
    try:
        yield
    except exc.IntegrityError as error:
        if "foreign key" in str(error.orig).lower():
            raise NotFound(f"{kind} {key}: what it belongs to was not found") from error
        raise AlreadyExists(f"{kind} {key} is there already") from error


def _first_line(error: BaseException | None) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
