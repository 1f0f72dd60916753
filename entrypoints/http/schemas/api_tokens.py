"""API tokens on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.identity.actions import Action
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.identity.tokens.service import LONGEST_DAYS

from .wire import KEPT, NO_NUL, WHOLE, CamelBody, DescriptionText, absent

__all__ = ["ApiTokenCreate", "ApiTokenEdit", "ApiTokenMade", "ApiTokenOut", "api_token_out"]

TokenName = Annotated[str, Field(strict=True, min_length=1, max_length=255, json_schema_extra=NO_NUL), KEPT]
_KINDS = sorted({action.partition(".")[0] for action in Action})
_SCOPES = [*Action, *(f"{kind}.*" for kind in _KINDS), "*"]
Scopes = Annotated[
    list[Annotated[str, Field(strict=True, max_length=40, json_schema_extra={"enum": _SCOPES})]],
    Field(min_length=1, max_length=100, description="Actions; `experiments.*` names all of a kind"),
]
Days = Annotated[int, Field(strict=True, ge=1, le=LONGEST_DAYS), WHOLE]


class ApiTokenCreate(CamelBody):
    """A new API token."""

    name: TokenName
    description: DescriptionText | None = None
    scopes: Scopes
    expires_in_days: Days | None = None


class ApiTokenEdit(CamelBody):
    """Changes to an API token; `expiresInDays` counts from now, `null` = never."""

    name: TokenName = absent()
    description: DescriptionText | None = absent()
    scopes: Scopes = absent()
    expires_in_days: Days | None = absent()


class ApiTokenMade(TypedDict):
    """The one answer that holds the token."""

    id: UUID
    name: str
    token: str
    createdAt: datetime


class ApiTokenOut(TypedDict):
    """An API token, without itself."""

    id: UUID
    name: str
    description: str
    scopes: Sequence[str]
    createdAt: datetime
    expiresAt: datetime | None
    revoked: bool
    lastUsedAt: datetime | None


def api_token_out(token: ApiToken) -> ApiTokenOut:
    """A token as the API lists it."""
    return {
        "id": token.id,
        "name": token.name,
        "description": token.description,
        "scopes": sorted(token.scopes),
        "createdAt": token.created_at,
        "expiresAt": token.expires_at,
        "revoked": token.revoked_at is not None,
        "lastUsedAt": token.last_used_at,
    }
