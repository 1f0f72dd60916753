"""Runs Alembic from a checkout or an installed wheel.

The scripts are the folder ``alembic`` of the checkout; the wheel has it as ``_migrations`` beside
this module.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from alembic import command
from tracker.adapters.sql.engine import normalized, sqlite_file
from tracker.adapters.sql.failures import translated
from tracker.domain.errors import Conflict, SchemaMismatch, Unavailable

__all__ = ["check", "current", "downgrade", "head", "revision", "upgrade", "upgrade_connection"]

_HERE = Path(__file__).parent


def upgrade(url: str, to: str = "head") -> None:
    """Brings the database of `url` up to a revision, creating a SQLite file where there is none.

    Raises:
        Unavailable: the database does not answer.
        Conflict: there is no such revision.
    """
    _run(url, lambda config: command.upgrade(config, to))


def downgrade(url: str, to: str = "-1") -> None:
    """Takes the database of `url` back to a revision. Raises what :func:`upgrade` raises."""
    _run(url, lambda config: command.downgrade(config, to))


def current(url: str) -> str | None:
    """The database's revision; ``None`` when it has none. Raises what :func:`upgrade` raises."""
    found: list[str | None] = []
    config = _config(url)
    config.attributes["on_revision"] = found.append
    _guarded(lambda: command.current(config))
    return found[0] if found else None


def head() -> str | None:
    """The newest revision that this tracker has."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def check(url: str) -> None:
    """Returns when the database is at the newest revision and has exactly the tables of the code.

    Raises:
        SchemaMismatch: it has not; says what differs.
    """
    try:
        _run(url, command.check)
    except Conflict as error:
        raise SchemaMismatch(f"{error.detail}; run: tracker db upgrade") from error


def revision(url: str, message: str) -> Path:
    """Writes a new migration from the difference between the tables and the database of `url`.

    Raises:
        Conflict: the database is not at the newest revision.
    """
    config = _config(url)
    made: list[Path] = []

    def write() -> None:
        script = command.revision(config, message=message, autogenerate=True)
        made.append(Path(script.path))  # type: ignore[union-attr]

    _guarded(write)
    return made[0]


def upgrade_connection(connection: sa.Connection, to: str = "head") -> None:
    """Upgrades over a connection that is open already."""
    config = _config(None)
    config.attributes["connection"] = connection
    _guarded(lambda: command.upgrade(config, to))


def _run(url: str, what: Callable[..., object]) -> None:
    config = _config(url)
    _guarded(lambda: what(config))


def _guarded(what: Callable[..., object]) -> None:
    try:
        with translated():
            what()
    except CommandError as error:
        raise Conflict(f"migration: {error}") from error
    except sa.exc.IntegrityError as error:
        raise Conflict(f"migration: {error.orig}") from error


def _config(url: str | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.set_main_option("path_separator", "os")
    if url is not None:
        config.attributes["url"] = url
        file = sqlite_file(normalized(url))
        if file is not None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Unavailable(f"cannot create the folder of {file}: {error.strerror}") from error
    return config


def _scripts() -> Path:
    installed = _HERE / "_migrations"
    return installed if installed.is_dir() else _HERE.parents[2] / "alembic"
