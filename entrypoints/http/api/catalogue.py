"""The model catalogue, secrets, and which deployment this is."""

from __future__ import annotations

from typing import Literal

from tracker.domain.errors import Invalid, Problem
from tracker.domain.evaluation.catalogue.service import ModelService
from tracker.domain.evaluation.secret_keeping.service import SecretService

from ..errors import UNKNOWN_TASK
from ..exchange import Call
from ..schemas.answers import NoQuery
from ..schemas.catalogue import (
    DeploymentOut,
    ModelIn,
    ModelKeyQuery,
    ModelOut,
    ModelPageOut,
    ModelQuery,
    SecretOut,
    SecretPut,
    entry_of,
    model_out,
    secret_out,
)

__all__ = ["Deployment", "Models", "Secrets"]

_OK, _NO_CONTENT = 200, 204
_LONGEST_NAME = 255


class Deployment:
    """``/api/v1/health``."""

    def __init__(self, kind: Literal["local", "development", "staging", "production"]) -> None:
        self._kind = kind

    async def show(self, call: Call[None, NoQuery]) -> DeploymentOut:
        """It answers."""
        return {"status": "OK", "deployment_type": self._kind}


class Models:
    """``/api/v1/models``."""

    def __init__(self, models: ModelService) -> None:
        self._models = models

    async def list(self, call: Call[None, ModelQuery]) -> ModelPageOut:
        """Some of them."""
        query = call.query
        try:
            found = await self._models.list(query.tasks)
        except Invalid as error:
            problem = Problem(("query", "tasks"), error.problems[0].msg, UNKNOWN_TASK)
            raise Invalid(f"tasks: {problem.msg}", [problem]) from error
        shown = found[query.skip : query.skip + query.limit]
        return {"total": len(found), "items": [model_out(each) for each in shown]}

    async def put(self, call: Call[ModelIn, NoQuery]) -> ModelOut:
        """Offers one."""
        entry = entry_of(call.body)
        if not await self._models.put(call.actor, entry):
            call.status = _OK
        found = await self._models.find(*entry.key)
        return model_out(found or entry)

    async def remove(self, call: Call[None, ModelKeyQuery]) -> None:
        """Offers one no more."""
        await self._models.remove(call.actor, call.query.provider, call.query.model)


class Secrets:
    """``/api/v1/settings/secrets``."""

    def __init__(self, secrets: SecretService) -> None:
        self._secrets = secrets

    async def list(self, call: Call[None, NoQuery]) -> list[SecretOut]:
        """The caller's, without their values."""
        return [secret_out(each) for each in await self._secrets.list(call.actor)]

    async def put(self, call: Call[SecretPut, NoQuery]) -> SecretOut | None:
        """Keeps a value."""
        name, body = call.words["name"], call.body
        if len(name) > _LONGEST_NAME:  # also where only spaces make it so long
            raise Invalid.field("name", f"must have at most {_LONGEST_NAME} characters", "string_too_long")
        if not await self._secrets.put(call.actor, name, body.value, body.description):
            call.status = _NO_CONTENT
            return None
        return {"name": name.strip().lower(), "description": body.description}

    async def delete(self, call: Call[None, NoQuery]) -> None:
        """Forgets one; that there is none is no error."""
        await self._secrets.delete(call.actor, call.words["name"])
