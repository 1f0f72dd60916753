"""What a runner hands to a worker: a file, and for a local one what comes through its standard input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, ValidationError

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.jobs.errand import Errand
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.frozen import Frozen

__all__ = ["CONFIG_FILE", "PROGRAM", "Handover", "WorkerConfig"]

CONFIG_FILE = "config.json"
PROGRAM = "tracker.worker.attempt:attempt"


class WorkerConfig(Frozen):
    """The file of one attempt. It holds no secret but the errand's handle, which is good for one use.

    Attributes:
        desk_url: address of the desk over HTTP; ``None`` = the worker opens the same database.
        rules: by which its lease is kept.
        program: ``module:function`` that does the attempt, given this config and what was handed over.
        output: where what the worker prints goes: to ``worker.log`` beside this file, or on to the standard
            output of its watcher.
    """

    errand: Errand
    desk_url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    rules: Rules = Field(default_factory=Rules)
    program: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")] = PROGRAM
    output: Literal["file", "stdout"] = "file"

    def to_bytes(self) -> bytes:
        """The file."""
        rules = self.rules.model_dump()
        for name, value in rules.items():
            rules[name] = value.total_seconds() if isinstance(value, timedelta) else value
        return json.dumps({**self.model_dump(mode="json"), "rules": rules}).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> WorkerConfig:
        """Reads the file.

        Raises:
            Invalid: it is no such file, or one of another version of tracker.
        """
        try:
            found = json.loads(raw)
            errand, rules = found.pop("errand"), found.pop("rules")
            errand |= {"job_id": UUID(errand["job_id"]), "kind": JobKind(errand["kind"])}
            for name in rules.keys() - {"fruitless", "attempts"}:
                rules[name] = timedelta(seconds=rules[name])
            return cls(errand=Errand(**errand), rules=Rules(**rules), **found)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Invalid(f"no config file of a worker of this version: {type(error).__name__}") from error


class Handover(Frozen):
    """What a local worker reads from its standard input, so that it is in no file, environment or list
    of processes.

    Attributes:
        settings: of the installation, by the names of their environment variables; a database's address may
            hold a password.
        environment: variables that libraries read by themselves, such as proxies and keys of a blob store;
            the worker sets them when it runs, which shows in no list of processes.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    settings: Annotated[Mapping[str, str], Field(repr=False)] = Field(default_factory=dict)
    environment: Annotated[Mapping[str, str], Field(repr=False)] = Field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As it goes through the pipe."""
        return json.dumps({"settings": dict(self.settings), "environment": dict(self.environment)}).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Handover:
        """Reads it; of nothing, nothing is in it.

        Raises:
            Invalid: it is something else.
        """
        if not raw:
            return cls()
        try:
            return cls.model_validate_json(raw)
        except (ValidationError, Invalid):  # which would show a part of it in the log of the worker
            raise Invalid("what was handed to the worker cannot be read") from None
