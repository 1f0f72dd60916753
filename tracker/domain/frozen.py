"""The base of every entity and value object: immutable, strict, closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tracker.domain.errors import Invalid, Problem

__all__ = ["Frozen", "invalid_from"]


class Frozen(BaseModel):
    """An immutable value whose fields always satisfy their rules.

    Construction and :meth:`evolve` validate strictly (no ``"1"`` for ``1``), refuse unknown fields
    and raise :class:`~tracker.domain.errors.Invalid`, never pydantic's own error. Collections are
    tuples, frozensets or read-only mappings, so that nothing inside can change either.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", arbitrary_types_allowed=True)

    if not TYPE_CHECKING:  # the synthesized, typed signature is the one callers should see

        def __init__(self, **data: Any) -> None:
            try:
                super().__init__(**data)
            except ValidationError as error:
                raise invalid_from(error) from error

    def evolve(self, **changes: Any) -> Self:
        """A copy with `changes`, validated as a whole.

        pydantic's ``model_copy(update=)`` skips validation and is banned by a lint rule.

        Raises:
            Invalid: a change breaks a rule, or names no field.
        """
        return type(self)(**{**self.__dict__, **changes})

    def __reduce__(self) -> tuple[Any, ...]:
        """It can be pickled; read-only mappings, which cannot, go as dicts and are frozen again."""
        return _restored, (type(self), _picklable(dict(self.__dict__)))


def _restored(kind: type[Frozen], fields: dict[str, Any]) -> Frozen:
    return kind(**fields)


def _picklable(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _picklable(item) for key, item in value.items()}
        case tuple():
            return tuple(_picklable(item) for item in value)
    return value


def invalid_from(error: ValidationError) -> Invalid:
    """Translates pydantic's error: one :class:`Problem` a field, the first one told in the detail."""
    problems = [
        Problem(tuple(item["loc"]), item["msg"], item["type"])
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = problems[0]
    where = ".".join(str(part) for part in first.loc)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Invalid(f"{where}: {first.msg}{more}" if where else f"{first.msg}{more}", problems)
