"""Users on the wire. Answers have each name twice, in snake_case and camelCase: clients use both."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AliasChoices, Field
from typing_extensions import TypedDict

from tracker.domain.identity.accounts.user import (
    EMAIL_PATTERN,
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    User,
)

from .wire import KEPT, NO_NUL, CamelBody, Closed, Json, NameText, absent

__all__ = [
    "EmailText", "FateQuery", "MeEdit", "PasswordText", "UserCreate", "UserEdit", "UserOut", "user_out",
]  # fmt: skip

EmailText = Annotated[
    str, Field(strict=True, min_length=3, max_length=254, pattern=f"^{EMAIL_PATTERN}$"), KEPT
]
PasswordText = Annotated[
    str,
    Field(
        strict=True,
        min_length=SHORTEST_PASSWORD,
        max_length=LONGEST_PASSWORD,
        json_schema_extra={"format": "password"},
    ),
    KEPT,
]
WebAddress = Annotated[
    str, Field(strict=True, max_length=2000, json_schema_extra={**NO_NUL, "format": "uri"}), KEPT
]


class MeEdit(CamelBody):
    """Changes to one's own account; a new e-mail or password needs the current password."""

    display_name: NameText = absent(validation_alias=AliasChoices("displayName", "display_name"))
    avatar_url: WebAddress | None = absent(validation_alias=AliasChoices("avatarUrl", "avatar_url"))
    email: EmailText = absent()
    password: PasswordText = absent(repr=False)
    current_password: Annotated[str, Field(strict=True, max_length=LONGEST_PASSWORD)] = absent(
        validation_alias=AliasChoices("currentPassword", "current_password"), repr=False
    )


class UserCreate(CamelBody):
    """A user whom an administrator makes; without a password they can sign in elsewhere only."""

    email: EmailText
    password: PasswordText | None = Field(default=None, repr=False)
    display_name: NameText | None = None
    is_superuser: Annotated[bool, Field(strict=True)] = False


class UserEdit(CamelBody):
    """What an administrator may change."""

    display_name: NameText = absent()
    is_active: Annotated[bool, Field(strict=True)] = absent()
    is_superuser: Annotated[bool, Field(strict=True)] = absent()
    is_verified: Annotated[bool, Field(strict=True)] = absent()
    password: PasswordText = absent(repr=False)

    def changes(self) -> Json:
        """The fields that the request had."""
        return self.given()


class FateQuery(Closed):
    """What becomes of the projects and teams of a user who goes."""

    fate: Literal["transfer", "delete"] | None = None
    transferTo: UUID | None = None


class UserOut(TypedDict):
    """A user."""

    id: UUID
    email: str
    is_active: bool
    is_superuser: bool
    is_verified: bool
    display_name: str
    avatar_url: str | None
    created_at: datetime
    displayName: str
    avatarUrl: str | None
    createdAt: datetime


def user_out(user: User) -> UserOut:
    """A user as the API shows it."""
    return {
        "id": user.id,
        "email": user.email,
        "is_active": user.is_active,
        "is_superuser": user.is_superuser,
        "is_verified": user.is_verified,
        "display_name": user.display_name,
        "avatar_url": user.avatar_url,
        "created_at": user.created_at,
        "displayName": user.display_name,
        "avatarUrl": user.avatar_url,
        "createdAt": user.created_at,
    }
