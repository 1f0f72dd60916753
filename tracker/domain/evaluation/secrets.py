"""Secrets, such as keys of endpoints: what is known of one is never its value."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from tracker.domain.frozen import Frozen
from tracker.domain.ids import UserId
from tracker.domain.text import Description, storable

__all__ = ["PlainSecret", "SealedSecret", "Secret", "SecretName", "bound_to"]


def _folded(name: str) -> str:
    # Lower case and not casefold, which would give two names that look different one identity.
    return storable(name).lower()


SecretName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True), AfterValidator(_folded),
    StringConstraints(max_length=255),
]  # fmt: skip
"""The case does not matter; kept in lower case."""

KeyId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]


class Secret(Frozen):
    """What anybody may know of a secret.

    Attributes:
        updated_at: when its value was last set.
        version: counts the saves; a save of an older one is refused.
    """

    name: SecretName
    description: Description = ""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    updated_by: UserId | None = None
    version: int = 0


class PlainSecret(Frozen):
    """A value on its way from or to whom it is for: in no log, no repr, no error."""

    model_config = ConfigDict(hide_input_in_errors=True)

    value: Annotated[
        str, StringConstraints(min_length=1, max_length=1024), AfterValidator(storable), Field(repr=False)
    ]

    def __str__(self) -> str:
        return "(secret)"


def bound_to(owner_id: UserId, name: str, key_id: str) -> bytes:
    """What is authenticated beside a value: whose it is, what it is called, which key seals it."""
    return f"tracker-secret-1\n{key_id}\n{owner_id}\n{name}".encode()


class SealedSecret(Frozen):
    """A value as it is kept: encrypted and authenticated.

    Attributes:
        name: of its secret. It is authenticated with the value and its owner, so that nobody who can write
            rows can pass one secret off as another, or as somebody else's.
        key_id: of the key that opens it.
        nonce: never used twice with that key.
        ciphertext: with its tag.
    """

    name: SecretName
    key_id: KeyId
    nonce: Annotated[bytes, Field(min_length=12, max_length=24, repr=False)]
    ciphertext: Annotated[bytes, Field(min_length=17, max_length=8192, repr=False)]

    def bound_to(self, owner_id: UserId) -> bytes:
        """What is authenticated beside the value."""
        return bound_to(owner_id, self.name, self.key_id)

    def is_under(self, key_id: str) -> bool:
        """Whether this key opens it; a rotation seals those anew that are under another."""
        return self.key_id == key_id
