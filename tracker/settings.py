"""What can be set from outside. The only module that reads the environment.

Every setting is an environment variable, or a line of a ``.env`` file in the working folder; the
environment wins. They are listed, with their defaults, in :data:`VARIABLES`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from tracker.domain.errors import Invalid
from tracker.domain.frozen import Frozen

__all__ = ["VARIABLES", "Settings", "read_env_file"]

VARIABLES: Mapping[str, str] = {
    "DATABASE_URL": "database_url",
    "TRACKER_DATA": "data",
    "TRACKER_SYNC": "scalars_sync",
    "SCALARS_URL": "scalars_url",
    "SCALARS_SERVICE_URL": "scalars_service_url",
    "CLICKHOUSE_URL": "clickhouse_url",
    "SCALARS_SERVICE_KEY": "scalars_service_key",
    "ALLOWED_ORIGINS": "allowed_origins",
    "TRACKER_MAX_BODY": "max_body_bytes",
    "TRACKER_LOG_FORMAT": "log_format",
    "TRACKER_LOG_LEVEL": "log_level",
    "TRACKER_TOKEN": "token",
}
"""Environment variable -> field of :class:`Settings`."""

DEFAULT_DATABASE = "sqlite:///./data.db"

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


class Settings(Frozen):
    """One installation.

    Attributes:
        database_url: SQLAlchemy URL in any usual form; never logged, since it may hold a password.
        data: folder of scalars and other files.
        scalars_sync: ``full`` survives a power cut; ``normal`` only a crash of the process, faster.
        scalars_url: where scalars are kept; empty = in `data`. Never logged, since it may hold a password.
        scalars_service_url: address of a scalars service that keeps them instead.
        clickhouse_url: a ClickHouse database that keeps them instead; never logged.
        scalars_service_key: the key of such a service and its clients, ASCII without spaces; never logged.
        allowed_origins: web origins that may call the API from a browser.
        max_body_bytes: the largest request body.
        log_format: ``auto`` = text on a terminal, JSON lines otherwise.
        token: bearer token that the library shows to a server; never logged.
    """

    database_url: str = Field(default=DEFAULT_DATABASE, repr=False)
    data: Path = Path("data")
    scalars_sync: Literal["full", "normal"] = "full"
    scalars_url: str = Field(default="", repr=False)
    scalars_service_url: str = Field(default="", repr=False)
    clickhouse_url: str = Field(default="", repr=False)
    scalars_service_key: Annotated[str, Field(pattern=r"^[!-~]+$")] | None = Field(default=None, repr=False)
    allowed_origins: tuple[str, ...] = ()
    max_body_bytes: Annotated[int, Field(gt=0)] = 8 * 2**20
    log_format: Literal["auto", "text", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    token: str | None = Field(default=None, repr=False)

    @classmethod
    def load(cls, data: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Self:
        """Settings from the environment and ``.env``.

        Args:
            data: a folder to use instead of ``TRACKER_DATA``; unless ``DATABASE_URL`` is set, the
                database then is ``tracker.db`` inside it.
            environ: instead of the process's environment and ``.env``.

        Raises:
            Invalid: a variable's value cannot be used; names the variable.
        """
        found = {**read_env_file(Path(".env")), **os.environ} if environ is None else environ
        values: dict[str, Any] = {
            field: found[name].strip() for name, field in VARIABLES.items() if found.get(name, "").strip()
        }
        if data is not None:
            values["data"] = str(data)
            values.setdefault("database_url", f"sqlite:///{Path(data).expanduser()}/tracker.db")
        if "data" in values:
            values["data"] = Path(values["data"]).expanduser()
        if "allowed_origins" in values:
            origins = values["allowed_origins"].split(",")
            values["allowed_origins"] = tuple(origin.strip() for origin in origins if origin.strip())
        if "max_body_bytes" in values:
            values["max_body_bytes"] = _whole_number("TRACKER_MAX_BODY", values["max_body_bytes"])
        try:
            return cls(**values)
        except Invalid as error:
            raise Invalid(_with_variable(error), error.problems) from error

    def export(self) -> None:
        """Puts these settings into the process's environment, for the worker processes it starts."""
        for name, field in VARIABLES.items():
            value = getattr(self, field)
            if value is not None:
                os.environ[name] = ",".join(value) if isinstance(value, tuple) else str(value)

    @property
    def is_default_sqlite(self) -> bool:
        """Whether the database is a SQLite file, which may upgrade itself."""
        return self.database_url.startswith("sqlite") and ":memory:" not in self.database_url


def read_env_file(path: Path) -> dict[str, str]:
    """The ``NAME=value`` lines of a file; none when it is not there. Quotes around a value and
    comments are left out; nothing is expanded."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    found = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match:
            found[match[1]] = _unquoted(match[2].strip())
    return found


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        return value[1:end] if end > 0 else value
    return value.split(" #", maxsplit=1)[0].rstrip()


def _whole_number(variable: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise Invalid.field(variable, f"{text!r} is not a whole number") from error


def _with_variable(error: Invalid) -> str:
    names = {field: name for name, field in VARIABLES.items()}
    problem = error.problems[0]
    return f"{names.get(str(problem.loc[0]), problem.loc[0])}: {problem.msg}"
