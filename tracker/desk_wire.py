"""What workers and the desk of their installation say to each other over HTTP, in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, ConfigDict, Field, ValidationError
from pydantic_core import SchemaValidator

from tracker.domain.artifacts.digest import Digest
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.models import CatalogueEntry
from tracker.domain.evaluation.secrets import PlainSecret
from tracker.domain.frozen import Frozen, invalid_from
from tracker.ports.evaluation.desk import Admission

__all__ = ["PAGE", "Admitted", "Answers", "Keeping", "Numbers", "Outcomes", "Until", "read"]

PAGE = 500
"""Rows that the desk gives at a time."""

_Message = TypeVar("_Message", bound=Frozen)


class Admitted(Frozen):
    """A worker's pass and its work.

    Attributes:
        token: to be shown from now on.
        job, dataset, model: its work.
        secrets: values by name.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    token: Annotated[str, Field(repr=False)]
    job: Job
    dataset: Dataset
    secrets: Annotated[Mapping[str, str], Field(repr=False)]
    model: CatalogueEntry | None = None

    @classmethod
    def of(cls, token: str, admission: Admission) -> Admitted:
        """What is said of `admission`."""
        secrets = {name: secret.value for name, secret in admission.secrets.items()}
        return cls(
            token=token, job=admission.job, dataset=admission.dataset, secrets=secrets, model=admission.model
        )

    @property
    def admission(self) -> Admission:
        """The work."""
        secrets = {name: PlainSecret(value=value) for name, value in self.secrets.items()}
        return Admission(self.job, self.dataset, secrets, self.model)


class Until(Frozen):
    """Until when a lease is believed."""

    until: AwareDatetime

    @classmethod
    def at(cls, until: datetime) -> Until:
        """Until then."""
        return cls(until=until)


class Numbers(Frozen):
    """Numbers of rows."""

    rows: tuple[int, ...]


class Answers(Frozen):
    """Known answers by cache key."""

    answers: Mapping[str, RowOutcome]


class Outcomes(Frozen):
    """What came of rows, by number."""

    items: tuple[RowOutcome, ...]


class Keeping(Frozen):
    """What came of rows, and the cache keys of those to be remembered, by row number."""

    outcomes: Annotated[tuple[RowOutcome, ...], Field(max_length=10_000)]
    keys: Mapping[int, Digest] = Field(default_factory=dict)


def read(kind: type[_Message], raw: bytes | str) -> _Message:
    """A message of this kind.

    Raises:
        Invalid: it is something else.
    """
    try:
        found: _Message = _reader(kind).validate_json(raw)
    except ValidationError as error:
        raise invalid_from(error) from None  # its cause would show the input, which may hold a secret
    return found


@cache
def _reader(kind: type[Frozen]) -> SchemaValidator:
    """Validates JSON as strictly as the entities do: a list is a tuple there, and a text a time or an id.

    Entities validate in their constructor, to which a JSON text has become Python's values already, of which
    they take no list for a tuple. So the same schema is used without the constructors.
    """
    return SchemaValidator(_without_constructors(kind.__pydantic_core_schema__), _use_prebuilt=False)


def _without_constructors(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: False if key == "custom_init" else _without_constructors(value)
            for key, value in schema.items()
        }
    return [_without_constructors(each) for each in schema] if isinstance(schema, list) else schema
