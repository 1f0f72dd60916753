"""The errors of the domain, by family. Every edge maps a family once.

::

    TrackerError                     code                HTTP   CLI exit
    |-- NotFound                     not_found            404      1
    |-- Unauthenticated              unauthenticated      401      1
    |-- BadCredentials               LOGIN_BAD_CREDENTIALS          400  1
    |-- BadCode                      RESET_PASSWORD_BAD_TOKEN       400  1
    |-- Forbidden                    forbidden            403      1
    |-- Invalid                      invalid              422      1
    |   |-- TooLarge                 body_too_large       413      1
    |   `-- QuerySyntax              query_syntax         422      1
    |-- Conflict                     conflict             409      1
    |   |-- AlreadyExists            already_exists       409      1
    |   |   `-- AlreadyRegistered    REGISTER_USER_ALREADY_EXISTS   400  1
    |   |-- StaleVersion             stale_version        409      1
    |   |-- InvalidTransition        invalid_transition   409      1
    |   `-- LineageCycle             lineage_cycle        409      1
    |-- TooManyRequests              too_many_requests    429      1
    `-- Unavailable                  unavailable          503      3
        `-- SchemaMismatch           schema_mismatch      503      3

No ``KeyError`` or ``ValueError`` crosses a port: adapters translate with ``raise ... from error``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "AlreadyExists",
    "AlreadyRegistered",
    "BadCode",
    "BadCredentials",
    "Conflict",
    "Forbidden",
    "Invalid",
    "InvalidTransition",
    "LineageCycle",
    "NotFound",
    "Problem",
    "QuerySyntax",
    "SchemaMismatch",
    "StaleVersion",
    "TooLarge",
    "TooManyRequests",
    "TrackerError",
    "Unauthenticated",
    "Unavailable",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it is, what is wrong, and a stable kind."""

    loc: tuple[str | int, ...]
    msg: str
    type: str


class TrackerError(Exception):
    """Root of every error that tracker raises on purpose.

    Args:
        detail: one sentence for the person who reads it; it names the thing and, where there is
            one, the fix. It never contains a secret.
    """

    code: ClassVar[str] = "error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotFound(TrackerError):
    """It does not exist, or the caller may not know that it does."""

    code = "not_found"

    @classmethod
    def of(cls, kind: str, key: object) -> NotFound:
        """The one wording for a missing ``kind``, so that hidden and absent things look alike."""
        return cls(f"{kind} {key} not found")


class Unauthenticated(TrackerError):
    """There are no credentials, or they do not hold."""

    code = "unauthenticated"


class BadCredentials(TrackerError):
    """The e-mail or the password of a login does not hold; nobody is told which.

    Its code and text are those that web front ends of this API look for.
    """

    code = "LOGIN_BAD_CREDENTIALS"

    def __init__(self, detail: str = code) -> None:
        super().__init__(detail)


class BadCode(TrackerError):
    """A one-time code is unknown, used, or has run out; nobody is told which."""

    code = "RESET_PASSWORD_BAD_TOKEN"

    def __init__(self, detail: str = code) -> None:
        super().__init__(detail)


class Forbidden(TrackerError):
    """The caller may see the thing but not do this with it."""

    code = "forbidden"


class Invalid(TrackerError):
    """An input breaks a rule.

    Args:
        detail: the sentence to show.
        problems: each wrong field; edges render them (HTTP: ``errors``).
    """

    code = "invalid"

    def __init__(self, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.problems = tuple(problems)

    @classmethod
    def field(cls, name: str, msg: str, kind: str = "value_error") -> Invalid:
        """One field is wrong."""
        return cls(f"{name}: {msg}", [Problem((name,), msg, kind)])


class TooLarge(Invalid):
    """More than one request may carry; nothing of it was kept, so its halves may be tried."""

    code = "body_too_large"


class QuerySyntax(Invalid):
    """A filter or an order does not parse.

    Args:
        why: what is wrong there.
        column: where, in characters from 1.
        field: ``filter``, ``order_by``, or that of a metric's name.
    """

    code = "query_syntax"

    def __init__(self, why: str, column: int, field: str = "filter") -> None:
        super().__init__(f"{field}: {why} (column {column})", [Problem((field,), why, "query_syntax")])
        self.why = why
        self.column = column


class Conflict(TrackerError):
    """The request is well formed but the present state does not allow it."""

    code = "conflict"


class AlreadyExists(Conflict):
    """Something with this key is there already."""

    code = "already_exists"


class AlreadyRegistered(AlreadyExists):
    """There is an account with this e-mail."""

    code = "REGISTER_USER_ALREADY_EXISTS"

    def __init__(self, detail: str = code) -> None:
        super().__init__(detail)


class StaleVersion(Conflict):
    """Somebody else saved the thing after it was loaded."""

    code = "stale_version"

    @classmethod
    def of(cls, kind: str, key: object) -> StaleVersion:
        """The one wording for a lost race on ``kind``."""
        return cls(f"{kind} {key} was changed by somebody else meanwhile; load it again and retry")


class InvalidTransition(Conflict):
    """The life cycle does not lead from the present state to the wanted one."""

    code = "invalid_transition"


class LineageCycle(Conflict):
    """The wanted parent is the experiment itself or one of its descendants."""

    code = "lineage_cycle"


class TooManyRequests(TrackerError):
    """The caller did this too often lately.

    Args:
        detail: what was done too often.
        retry_after: seconds after which another try can succeed.
    """

    code = "too_many_requests"

    def __init__(self, detail: str, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(TrackerError):
    """Something behind the core did not answer: database, scalars store, disk.

    Args:
        detail: what did not answer.
        retry_after: seconds after which another try makes sense.
    """

    code = "unavailable"

    def __init__(self, detail: str, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class SchemaMismatch(Unavailable):
    """The database's schema is not the one this version of tracker was written for."""

    code = "schema_mismatch"
