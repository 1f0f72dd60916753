"""Use cases of API tokens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from tracker.domain.errors import Forbidden, Invalid, NotFound
from tracker.domain.identity.actions import ALL_ACTIONS, Action
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.secret import SECRET_BYTES, secret_hash
from tracker.domain.identity.tokens.api_token import ApiToken, plain_api_token
from tracker.domain.ids import ApiTokenId
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.secrets import SecretSource
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["ApiTokenService"]

LONGEST_DAYS = 3650
_EDITABLE = frozenset({"name", "description", "scopes", "expires_in_days"})


class ApiTokenService:
    """Makes, lists, changes and revokes a user's own API tokens.

    A token may do this too, but only with tokens that can do no more than itself.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names tokens.
        secrets: makes them.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock, ids: IdGenerator, secrets: SecretSource) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._secrets = secrets

    async def create(
        self,
        actor: Actor,
        name: str,
        *,
        description: str = "",
        scopes: Collection[Action],
        expires_in_days: int | None = None,
    ) -> tuple[ApiToken, str]:
        """A new token, and its plain text, which nobody can be shown again.

        Args:
            actor: whose it will be.
            name: 1 to 255 characters.
            description: up to 1000 characters.
            scopes: the actions it is limited to; at least one.
            expires_in_days: 1 to 3650; ``None`` = never.

        Raises:
            Invalid: a field breaks a rule.
            Forbidden: `actor` shows a token that can do less, or is the local user.
        """
        if actor.user_id == LOCAL_USER:
            raise Forbidden("the local user needs no token; make an account: tracker user create")
        now = self._clock.now()
        secret = self._secrets.new(SECRET_BYTES)
        token = ApiToken(
            id=ApiTokenId(self._ids.new()),
            user_id=actor.user_id,
            name=name,
            description=description,
            digest=secret_hash(secret),
            scopes=_some(scopes),
            created_at=now,
            expires_at=expiry(now, expires_in_days),
        )
        _require_no_more_than(actor, token)
        async with self._units.writing() as unit:
            await unit.api_tokens.add(token)
            await record(
                unit, actor, "token.create", "api_token", token.id, at=now, scopes=sorted(token.scopes)
            )
            await unit.commit()
        return token, plain_api_token(token.id, secret)

    async def list(self, actor: Actor) -> tuple[ApiToken, ...]:
        """The actor's tokens, revoked ones too, oldest first."""
        async with self._units.reading() as unit:
            return await unit.api_tokens.of_user(actor.user_id)

    async def edit(self, actor: Actor, token_id: ApiTokenId, **changes: Any) -> ApiToken:
        """A token after changes to its name, description, scopes or expiry (in days from now).

        Raises:
            NotFound: the actor has no such token.
            Invalid: a change breaks a rule, or the token is revoked.
            Forbidden: `actor` shows a token that can do less, before or after the change.
        """
        for field in changes.keys() - _EDITABLE:
            raise Invalid.field(field, "cannot be changed")
        if "scopes" in changes:
            changes["scopes"] = _some(changes["scopes"])
        if "expires_in_days" in changes:
            changes["expires_at"] = expiry(self._clock.now(), changes.pop("expires_in_days"))
        return await self._change(actor, token_id, "token.edit", changes)

    async def revoke(self, actor: Actor, token_id: ApiTokenId) -> None:
        """Ends a token for good; ending it again is no error.

        Raises:
            NotFound: the actor has no such token.
            Forbidden: `actor` shows a token that can do less.
        """
        await self._change(actor, token_id, "token.revoke", {"revoked_at": self._clock.now()})

    async def _change(
        self, actor: Actor, token_id: ApiTokenId, what: str, changes: dict[str, Any]
    ) -> ApiToken:
        now = self._clock.now()
        async with self._units.writing() as unit:
            token = await unit.api_tokens.get(token_id)
            if token.user_id != actor.user_id:
                raise NotFound.of("API token", token_id)
            if "revoked_at" in changes:
                changed = token.revoked(now)
            elif token.revoked_at is not None:
                raise Invalid.field("revoked", "a revoked token cannot be changed; make a new one")
            else:
                changed = token.evolve(**changes)
            _require_no_more_than(actor, token)
            _require_no_more_than(actor, changed)
            await unit.api_tokens.save(changed)
            fields = ", ".join(sorted(changes))
            await record(unit, actor, what, "api_token", token_id, at=now, fields=fields)
            await unit.commit()
        return changed


def expiry(now: datetime, days: int | None) -> datetime | None:
    """When a token ends that holds for so many days.

    Raises:
        Invalid: not within 1 to 3650.
    """
    if days is None:
        return None
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid.field("expires_in_days", f"must be from 1 to {LONGEST_DAYS}")
    return now + timedelta(days=days)


def _some(scopes: Collection[Action]) -> frozenset[Action]:
    if not scopes:
        raise Invalid.field("scopes", "name at least one action; a token without any can do nothing")
    return frozenset(scopes)


def _require_no_more_than(actor: Actor, token: ApiToken) -> None:
    """A token must not make, widen or end one that can do more or lives longer than itself."""
    if actor.api_token_id is None:
        return
    wider = token.scopes - (ALL_ACTIONS if actor.scopes is None else actor.scopes)
    longer = actor.expires_at is not None and (
        token.expires_at is None or token.expires_at > actor.expires_at
    )
    if wider:
        raise Forbidden(f"scopes: the API token that you show lacks {', '.join(sorted(wider))}")
    if longer:
        raise Forbidden(
            "expires_at: the API token that you show ends earlier; give fewer days, or log in "
            "(run: tracker login URL --session)"
        )
