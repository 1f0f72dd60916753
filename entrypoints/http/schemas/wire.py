"""What every schema of the wire shares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from tracker.domain.text import storable

__all__ = [
    "KEPT",
    "NO_NUL",
    "WHOLE",
    "Bounded64",
    "CamelBody",
    "Closed",
    "DescriptionText",
    "Json",
    "LabelText",
    "MetricKeyText",
    "MetricNameText",
    "NameText",
    "WireNumber",
    "absent",
    "in_utc",
]

Json = dict[str, Any]


def _without_null_defaults(schema: Json) -> None:
    """``None`` is how a schema here says that a field was left out; it is no value to document."""
    for field in schema.get("properties", {}).values():
        if field.get("default", 0) is None:
            del field["default"]


class Closed(BaseModel):
    """A query or a body in snake_case; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_null_defaults)


class CamelBody(Closed):
    """A body in camelCase. Fields are called as in the domain; where the wire has another word
    than the camelCase of it, the field names its alias."""

    model_config = ConfigDict(alias_generator=to_camel)

    def given(self) -> Json:
        """The fields that the request had, under the domain's names."""
        return {
            name: getattr(self, name) for name in self.__class__.model_fields if name in self.model_fields_set
        }


def absent(**constraints: Any) -> Any:
    """A field that may be left out but, where its type does not say so, not be null."""
    return Field(default=None, **constraints)


def in_utc(at: datetime) -> datetime:
    """The moment in UTC; at the edges of the calendar, where there is none, the same digits."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


NO_NUL: Json = {"pattern": r"^[^\u0000]*$"}
"""Tells clients of the one character that PostgreSQL cannot hold; :func:`storable` enforces it."""

KEPT = AfterValidator(storable)

NameText = Annotated[str, Field(strict=True, min_length=1, max_length=100, json_schema_extra=NO_NUL), KEPT]
DescriptionText = Annotated[str, Field(strict=True, max_length=1000, json_schema_extra=NO_NUL), KEPT]
MetricKeyText = Annotated[str, Field(strict=True, min_length=1, max_length=255, json_schema_extra=NO_NUL)]
"""A metric's name within a collection that is checked by :func:`all_storable`."""

MetricNameText = Annotated[MetricKeyText, KEPT]
LabelText = NameText


def _whole(value: object) -> object:
    """To JSON, ``3.0`` is an integer; text and booleans are not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
Bounded64 = Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1), WHOLE]

WireNumber = Annotated[float, Field(strict=True)] | Literal["NaN", "Infinity", "-Infinity"]
"""JSON has no token for a non-finite number, so these three are text; ``float()`` reads them."""
