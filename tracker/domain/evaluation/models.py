"""Language models: how one is named, and the catalogue of those that are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.tasks import TaskKind, task_kind
from tracker.domain.frozen import Frozen
from tracker.domain.json_tree import EMPTY, JsonObject
from tracker.domain.text import Description, storable

__all__ = ["BaseUrl", "CatalogueEntry", "ModelName", "ModelReference", "Origin", "merged", "of_tasks"]

# No user part, since a password would be kept, shown and logged.
_URL = re.compile(
    r"https?://(?:\[[0-9a-fA-F:.]+\]|[^\s/?#@:\[\]]+)(?::[0-9]{1,5})?(?:/[^\s?#]*)?(?:\?[^\s#]*)?"
)
_LONGEST_URL = 2000


def _checked_url(url: str) -> str:
    if len(url) > _LONGEST_URL or not _URL.fullmatch(url):
        raise PydanticCustomError(
            "base_url",
            "must be a URL such as https://host/v1, without a user or password (keys belong into a secret)",
        )
    return storable(url).rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_checked_url)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(storable)]
Provider = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")]
_Price = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)]


class ModelReference(Frozen):
    """A model, and where it is.

    Attributes:
        name: by which its endpoint knows it.
        provider: how it is reached.
        base_url: of its endpoint; ``None`` = the provider's own.
    """

    name: ModelName
    provider: Provider = "openai"
    base_url: BaseUrl | None = None

    @classmethod
    def parsed(cls, text: str, provider: str = "openai") -> Self:
        """The model that people write as ``URL#name``, or as ``name`` alone.

        Raises:
            Invalid: there is no name, or the URL is none.
        """
        if "://" not in text:
            return cls(name=text, provider=provider)
        url, sharp, name = text.partition("#")
        if not sharp or not name:
            raise Invalid.field("model", "write URL#name, such as http://localhost:8000/v1#small")
        return cls(name=name, provider=provider, base_url=url)

    def __str__(self) -> str:
        return self.name if self.base_url is None else f"{self.base_url}#{self.name}"


class Origin(StrEnum):
    """Who put a model into the catalogue."""

    SHIPPED = "shipped"
    ADDED = "added"


class CatalogueEntry(Frozen):
    """A model that is offered.

    Attributes:
        model: which; a provider's models have distinct names.
        tasks: what it is good for.
        requirements: what has to be there, such as the name of a key.
        info: parameter count, tensor type, size and the like, as its makers tell it.
        defaults: parameters of generation and loading.
        input_price, output_price: for a million tokens, in US dollars; ``None`` = not known.
        hidden: whether it stands in the catalogue only to take a shipped entry out of it.
    """

    model: ModelReference
    display_name: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(storable)]
    website_url: BaseUrl | None = None
    description: Description = ""
    tasks: Annotated[tuple[TaskKind, ...], Field(min_length=1, max_length=20)]
    requirements: Annotated[tuple[ModelName, ...], Field(max_length=20)] = ()
    info: JsonObject = Field(default_factory=lambda: EMPTY)
    defaults: JsonObject = Field(default_factory=lambda: EMPTY)
    input_price: _Price | None = None
    output_price: _Price | None = None
    origin: Origin = Origin.SHIPPED
    hidden: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Provider and name: its identity in the catalogue."""
        return self.model.provider, self.model.name

    def cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """In US dollars; ``None`` when a price is not known."""
        if self.input_price is None or self.output_price is None:
            return None
        return (input_tokens * self.input_price + output_tokens * self.output_price) / 1_000_000


def merged(shipped: Iterable[CatalogueEntry], added: Iterable[CatalogueEntry]) -> tuple[CatalogueEntry, ...]:
    """The catalogue: what is shipped, in its order, then what was added.

    An addition with the identity of an earlier entry takes its place; a hidden one takes it out.
    """
    entries = {entry.key: entry for entry in shipped}
    entries.update({entry.key: entry for entry in added})
    return tuple(entry for entry in entries.values() if not entry.hidden)


def of_tasks(entries: Iterable[CatalogueEntry], tasks: Sequence[str]) -> tuple[CatalogueEntry, ...]:
    """The entries that are good for any of `tasks`, whatever the case; all of them when none is named.

    Raises:
        Invalid: a task is not known; the choices are told.
    """
    wanted = {task_kind(task) for task in tasks}
    return tuple(entry for entry in entries if not wanted or wanted & set(entry.tasks))
