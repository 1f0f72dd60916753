"""API tokens."""

from __future__ import annotations

from typing import Any

from tracker.domain.identity.actions import parse_actions
from tracker.domain.identity.tokens.service import ApiTokenService
from tracker.domain.ids import ApiTokenId

from ..exchange import Call
from ..schemas.answers import DeletedOut, NoQuery
from ..schemas.api_tokens import ApiTokenCreate, ApiTokenEdit, ApiTokenMade, ApiTokenOut, api_token_out

__all__ = ["ApiTokens"]


class ApiTokens:
    """``/api/api-tokens``: the caller's own."""

    def __init__(self, tokens: ApiTokenService) -> None:
        self._tokens = tokens

    async def create(self, call: Call[ApiTokenCreate, NoQuery]) -> ApiTokenMade:
        """A new one, shown this once."""
        body = call.body
        token, plain = await self._tokens.create(
            call.actor,
            body.name,
            description=body.description or "",
            scopes=parse_actions(body.scopes),
            expires_in_days=body.expires_in_days,
        )
        call.headers["Cache-Control"] = "no-store"
        return {"id": token.id, "name": token.name, "token": plain, "createdAt": token.created_at}

    async def index(self, call: Call[None, NoQuery]) -> list[ApiTokenOut]:
        """All of them."""
        return [api_token_out(token) for token in await self._tokens.list(call.actor)]

    async def edit(self, call: Call[ApiTokenEdit, NoQuery]) -> ApiTokenOut:
        """One after changes."""
        changes: dict[str, Any] = call.body.given()
        if "scopes" in changes:
            changes["scopes"] = parse_actions(changes["scopes"])
        if "description" in changes:
            changes["description"] = changes["description"] or ""
        return api_token_out(await self._tokens.edit(call.actor, _id(call), **changes))

    async def revoke(self, call: Call[None, NoQuery]) -> DeletedOut:
        """Ends one for good."""
        await self._tokens.revoke(call.actor, _id(call))
        return {"success": True}


def _id(call: Call[Any, Any]) -> ApiTokenId:
    return ApiTokenId(call.path["token_id"])
