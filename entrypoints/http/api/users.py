"""Users."""

from __future__ import annotations

from typing import Any

from tracker.domain.identity.accounts.service import AccountService
from tracker.domain.ids import UserId
from tracker.domain.projects.ownership.service import Fate, OwnershipService

from ..exchange import Call
from ..schemas.answers import DeletedOut, NoQuery
from ..schemas.users import FateQuery, MeEdit, UserCreate, UserEdit, UserOut, user_out

__all__ = ["Users"]


class Users:
    """``/api/users``."""

    def __init__(self, accounts: AccountService, ownership: OwnershipService) -> None:
        self._accounts = accounts
        self._ownership = ownership

    async def me(self, call: Call[None, NoQuery]) -> UserOut:
        """Oneself."""
        return user_out(await self._accounts.me(call.actor))

    async def edit_me(self, call: Call[MeEdit, NoQuery]) -> UserOut:
        """Oneself after changes."""
        return user_out(await self._accounts.edit_me(call.actor, **call.body.given()))

    async def delete_me(self, call: Call[None, FateQuery]) -> DeletedOut:
        """Removes oneself."""
        return await self._delete(call, call.actor.user_id)

    async def index(self, call: Call[None, NoQuery]) -> list[UserOut]:
        """All."""
        return [user_out(user) for user in await self._accounts.list(call.actor)]

    async def create(self, call: Call[UserCreate, NoQuery]) -> UserOut:
        """A new one."""
        body = call.body
        user = await self._accounts.create(
            call.actor,
            body.email,
            body.password,
            display_name=body.display_name,
            is_superuser=body.is_superuser,
        )
        return user_out(user)

    async def show(self, call: Call[None, NoQuery]) -> UserOut:
        """One."""
        return user_out(await self._accounts.get(call.actor, _id(call)))

    async def edit(self, call: Call[UserEdit, NoQuery]) -> UserOut:
        """One after changes."""
        return user_out(await self._accounts.edit(call.actor, _id(call), **call.body.changes()))

    async def delete(self, call: Call[None, FateQuery]) -> DeletedOut:
        """Removes one."""
        return await self._delete(call, _id(call))

    async def _delete(self, call: Call[None, FateQuery], user_id: UserId) -> DeletedOut:
        fate = None if call.query.fate is None else Fate(call.query.fate)
        heir = None if call.query.transferTo is None else UserId(call.query.transferTo)
        await self._ownership.delete_user(call.actor, user_id, fate=fate, heir_id=heir)
        return {"success": True}


def _id(call: Call[Any, Any]) -> UserId:
    return UserId(call.path["user_id"])
