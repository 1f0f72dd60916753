"""The person or program on whose behalf a use case runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from tracker.domain.frozen import Frozen
from tracker.domain.identity.actions import Action
from tracker.domain.identity.permissions.grant import Grant
from tracker.domain.identity.roles import Role
from tracker.domain.ids import ApiTokenId, ProjectId, TeamId, UserId

__all__ = ["LOCAL_USER", "Access", "Actor", "local_actor"]

LOCAL_USER = UserId(UUID("00000000-0000-7000-8000-000000000001"))
"""The user of an installation without accounts; the first migration inserts it."""

_NOWHERE: Mapping[Any, Role] = MappingProxyType({})


class Access(Frozen):
    """What a user was given, anywhere.

    Attributes:
        teams: their role in each team they belong to.
        projects: their role on each project that was shared with them; owning one is not in here.
        grants: single actions allowed or denied, expired ones too.
    """

    teams: Mapping[TeamId, Role] = Field(default_factory=lambda: _NOWHERE)
    projects: Mapping[ProjectId, Role] = Field(default_factory=lambda: _NOWHERE)
    grants: tuple[Grant, ...] = ()


_NOTHING = Access()


class Actor(Frozen):
    """Who asks, with all the facts that the policy needs to answer.

    An edge has it built once a request; services pass it on untouched.

    Attributes:
        user_id: the user in whose name it happens.
        is_superuser: may do everything; the one local user is.
        access: what the user was given.
        scopes: with an API token, the actions it is limited to; ``None`` = no such limit.
        api_token_id: the API token that was shown, if one was.
        expires_at: when what was shown, token or session, runs out; ``None`` = never.
        at: the moment for which expiry is judged.
        origin: from where, for the audit log: an address, ``shell`` or ``library``.
    """

    user_id: UserId
    is_superuser: bool = False
    access: Access = Field(default_factory=lambda: _NOTHING)
    scopes: frozenset[Action] | None = None
    api_token_id: ApiTokenId | None = None
    expires_at: AwareDatetime | None = None
    at: AwareDatetime = datetime(1970, 1, 1, tzinfo=UTC)
    origin: str = ""


def local_actor(origin: str) -> Actor:
    """The one user of an installation without accounts."""
    return Actor(user_id=LOCAL_USER, is_superuser=True, origin=origin)
