"""A person with an account."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Invalid
from tracker.domain.frozen import Frozen
from tracker.domain.ids import UserId
from tracker.domain.text import Name, storable

__all__ = ["EMAIL_PATTERN", "Email", "Password", "User", "check_password", "normalized_email"]

# What browsers take for a valid e-mail address (WHATWG HTML, "E-mail state").
_HOST_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
EMAIL_PATTERN = rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_HOST_PART}(?:\.{_HOST_PART})*"
_EMAIL = re.compile(EMAIL_PATTERN)
_URL = re.compile(r"https?://[^\s\"'<>\\]+")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024


def normalized_email(text: str) -> str:
    """The form in which an e-mail address is kept and compared: lower case, no space around it."""
    return text.strip().lower()


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise PydanticCustomError("email", "is not an e-mail address")
    if text != normalized_email(text):
        raise PydanticCustomError("email", "must be in lower case")
    return text


def _web_address(text: str) -> str:
    if not _URL.fullmatch(text):  # a page shows it as a picture: never javascript: or data:
        raise PydanticCustomError("url", "must be an address that begins with http:// or https://")
    return text


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(storable), AfterValidator(_email)]
AvatarUrl = Annotated[
    str, StringConstraints(max_length=2000), AfterValidator(storable), AfterValidator(_web_address)
]
Password = Annotated[str, StringConstraints(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class User(Frozen):
    """Somebody with an account.

    Attributes:
        password_hash: PHC string of the password; ``None`` = cannot log in with one.
        is_active: an inactive user can do nothing, whatever they show.
        is_superuser: administers the installation and may do everything on it.
        is_verified: the address is known to be theirs.
        epoch: counts what ends all sessions (a new password, a deactivation); a session of an
            earlier epoch no longer holds.
        version: counts the saves; a save of an older one is refused.
    """

    id: UserId
    email: Email
    display_name: Name
    avatar_url: AvatarUrl | None = None
    password_hash: str | None = Field(default=None, repr=False)
    is_active: bool = True
    is_superuser: bool = False
    is_verified: bool = False
    epoch: int = 0
    created_at: AwareDatetime
    version: int = 0

    def with_password(self, password_hash: str) -> Self:
        """The user with another password, whose sessions have all ended."""
        return self.evolve(password_hash=password_hash, epoch=self.epoch + 1)

    def deactivated(self) -> Self:
        """The user who can do nothing until activated; their sessions have all ended."""
        return self.evolve(is_active=False, epoch=self.epoch + 1)


def check_password(password: str, email: str) -> None:
    """Lets pass a password that is worth its hash (NIST SP 800-63B: length counts, not its signs).

    Raises:
        Invalid: too short, too long, or the e-mail address itself.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid.field("password", f"must have at least {SHORTEST_PASSWORD} characters")
    if len(password) > LONGEST_PASSWORD:
        raise Invalid.field("password", f"must have at most {LONGEST_PASSWORD} characters")
    if password.lower() == email or password.lower() == email.partition("@")[0]:
        raise Invalid.field("password", "must not be the e-mail address")
    try:
        password.encode()
    except UnicodeEncodeError:
        raise Invalid.field("password", "must not contain lone surrogates") from None
