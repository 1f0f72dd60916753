"""The person or program on whose behalf a use case runs."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime

from tracker.domain.frozen import Frozen
from tracker.domain.ids import UserId
from tracker.domain.text import Name

__all__ = ["LOCAL_USER", "Actor", "User"]


class User(Frozen):
    """Somebody who owns projects."""

    id: UserId
    email: Name
    display_name: Name
    created_at: AwareDatetime


class Actor(Frozen):
    """Who asks, with all the facts that the policy needs to answer.

    An edge builds it once a request; services pass it on untouched.

    Attributes:
        user_id: the user in whose name it happens.
        is_superuser: may do everything; the one local user is.
    """

    user_id: UserId
    is_superuser: bool = False


LOCAL_USER = UserId(UUID("00000000-0000-7000-8000-000000000001"))
"""The user of an installation without accounts; the first migration inserts it."""
