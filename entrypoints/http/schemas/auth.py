"""Registering, logging in and one-time codes on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.identity.accounts.user import LONGEST_PASSWORD

from .users import EmailText, PasswordText
from .wire import CamelBody, Closed, NameText

__all__ = ["CallbackQuery", "LoginForm", "NewPassword", "Register", "ResetRequest", "SetUp", "TokenOut"]

CodeText = Annotated[str, Field(strict=True, max_length=200)]


class Register(CamelBody):
    """An account for oneself."""

    email: EmailText
    password: PasswordText = Field(repr=False)
    display_name: NameText | None = None


class LoginForm(Closed):
    """The form of OAuth 2.0's password grant; only two of its fields say anything here."""

    username: Annotated[str, Field(max_length=254, description="The e-mail address")]
    password: Annotated[str, Field(max_length=LONGEST_PASSWORD)] = Field(repr=False)
    grant_type: Any = Field(default=None, description="Ignored, like all below")
    scope: Any = None
    client_id: Any = None
    client_secret: Any = Field(default=None, repr=False)


class ResetRequest(CamelBody):
    """Asks for a letter with a code."""

    email: EmailText


class NewPassword(CamelBody):
    """A new password, with the code from the letter."""

    token: CodeText = Field(repr=False)
    password: PasswordText = Field(repr=False)


class SetUp(Register):
    """The first administrator, with the code that the server printed."""

    code: CodeText = Field(repr=False)


class CallbackQuery(Closed):
    """What the identity provider sends the browser back with."""

    code: Annotated[str, Field(max_length=4000)] | None = Field(default=None, repr=False)
    state: Annotated[str, Field(max_length=1000)] | None = Field(default=None, repr=False)
    error: Annotated[str, Field(max_length=1000)] | None = None
    error_description: Annotated[str, Field(max_length=4000)] | None = None
    iss: Annotated[str, Field(max_length=1000)] | None = None
    session_state: Annotated[str, Field(max_length=1000)] | None = None
    scope: Annotated[str, Field(max_length=4000)] | None = None


class TokenOut(TypedDict):
    """A session token."""

    access_token: str
    token_type: Literal["bearer"]
