"""The model catalogue and secrets on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.evaluation.models import CatalogueEntry, ModelReference
from tracker.domain.evaluation.secrets import Secret
from tracker.domain.evaluation.tasks import TaskKind

from .evaluation import ModelText, ProviderText, UrlText
from .wire import KEPT, NO_NUL, Closed, DescriptionText

__all__ = [
    "DeploymentOut", "ModelIn", "ModelKeyQuery", "ModelOut", "ModelPageOut", "ModelQuery", "SecretOut",
    "SecretPut", "entry_of", "model_out", "secret_out",
]  # fmt: skip

_Price = Annotated[float, Field(strict=True, ge=0, le=1e9)]
_UNTOLD = {"parameter_count": "", "tensor_type": "", "model_size": ""}
"""What clients want of `info`, where there is one."""

_TaskText = Literal["summarization", "translation", "text-generation"]


class DeploymentOut(TypedDict):
    """The service answers."""

    status: Literal["OK"]
    deployment_type: Literal["local", "development", "staging", "production"]


class ModelQuery(Closed):
    """Some of the catalogue."""

    tasks: list[Annotated[str, Field(max_length=100, json_schema_extra={"format": "task"})]] = Field(
        default_factory=list, description="Good for any of these, whatever the case"
    )
    skip: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class ModelKeyQuery(Closed):
    """Which model."""

    provider: ProviderText
    model: ModelText


class ModelIn(Closed):
    """A model to offer; one of the same provider and name is replaced."""

    model: ModelText
    provider: ProviderText
    tasks: Annotated[list[_TaskText], Field(min_length=1, max_length=20)]
    display_name: ModelText | None = Field(default=None, description="Left out: its name")
    base_url: UrlText | None = None
    website_url: UrlText | None = None
    description: DescriptionText = ""
    requirements: Annotated[list[ModelText], Field(max_length=20)] = Field(default_factory=list)
    input_price: _Price | None = Field(default=None, description="For a million tokens, in US dollars")
    output_price: _Price | None = None


class ModelOut(TypedDict):
    """A model that is offered; `tasks` have the parameters that go with them. The last fields are ours."""

    display_name: str
    model: str
    provider: str
    website_url: str
    description: str
    requirements: list[str]
    info: dict[str, Any] | None
    tasks: list[dict[str, dict[str, Any] | None]]
    base_url: str | None
    input_price: float | None
    output_price: float | None
    origin: str


class ModelPageOut(TypedDict):
    """Some of the models, and how many match in all."""

    total: int
    items: list[ModelOut]


class SecretPut(Closed):
    """A value, which no answer will show again."""

    value: Annotated[
        str, Field(strict=True, min_length=1, max_length=1024, json_schema_extra=NO_NUL, repr=False), KEPT
    ]
    description: DescriptionText = ""


class SecretOut(TypedDict):
    """What anybody may know of a secret."""

    name: str
    description: str


def entry_of(body: ModelIn) -> CatalogueEntry:
    """The entry that a body describes.

    Raises:
        Invalid: a URL is none.
    """
    return CatalogueEntry(
        model=ModelReference(name=body.model, provider=body.provider, base_url=body.base_url),
        display_name=body.display_name or body.model,
        website_url=body.website_url,
        description=body.description,
        tasks=tuple(TaskKind(task) for task in dict.fromkeys(body.tasks)),
        requirements=tuple(body.requirements),
        input_price=body.input_price,
        output_price=body.output_price,
    )


def model_out(entry: CatalogueEntry) -> ModelOut:
    """A model as clients see it."""
    defaults = dict(entry.defaults)
    return {
        "display_name": entry.display_name,
        "model": entry.model.name,
        "provider": entry.model.provider,
        "website_url": entry.website_url or "",
        "description": entry.description,
        "requirements": list(entry.requirements),
        "info": {**_UNTOLD, **entry.info} if entry.info else None,
        "tasks": [{task.value: defaults or None} for task in entry.tasks],
        "base_url": entry.model.base_url,
        "input_price": entry.input_price,
        "output_price": entry.output_price,
        "origin": entry.origin.value,
    }


def secret_out(secret: Secret) -> SecretOut:
    """A secret without its value."""
    return {"name": secret.name, "description": secret.description}
