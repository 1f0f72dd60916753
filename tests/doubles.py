"""Stand-ins for the world's unpredictable parts; the core itself is never replaced."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

from tracker.domain.errors import Unauthenticated, Unavailable
from tracker.domain.identity.sign_in.external import ExternalIdentity
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.ports.sign_in import SignInStart

__all__ = ["OutBox", "QuickPasswords", "SettableClock", "SilentScalars", "UndeletableScalars", "Vouching"]


class SettableClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> datetime:
        self._now += timedelta(**by)
        return self._now


class UndeletableScalars:
    """The part of a scalars store that a sweep uses, out of order until `works` is set."""

    def __init__(self) -> None:
        self.works = False
        self.deleted: list[tuple[ProjectId, ExperimentId | None]] = []

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        if not self.works:
            raise Unavailable("the scalars store does not answer")
        self.deleted.append((project_id, experiment_id))


class SilentScalars:
    """The part of a scalars store that evidence reads, out of order."""

    async def summary(
        self, project_id: ProjectId, experiments: object = None, names: object = None
    ) -> tuple[object, ...]:
        raise Unavailable("the scalars store does not answer")


class QuickPasswords:
    """A password hasher that takes no time and counts what it is asked; its parameters can be outdated."""

    def __init__(self) -> None:
        self.rounds = 2
        self.hashed = 0
        self.verified: list[bool] = []  # for each: whether there was a hash to compare with

    async def hash(self, password: str) -> str:
        self.hashed += 1
        return self._phc(password, self.rounds)

    async def verify(self, password: str, kept: str | None) -> bool:
        self.verified.append(kept is not None)
        await asyncio.sleep(0)
        return kept is not None and kept == self._phc(password, int(kept.split("$")[1]))

    def is_outdated(self, kept: str) -> bool:
        return int(kept.split("$")[1]) < self.rounds

    @staticmethod
    def _phc(password: str, rounds: int) -> str:
        return f"quick${rounds}${hashlib.sha256(password.encode()).hexdigest()}"


class OutBox:
    """A mailer that keeps the letters."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str]] = []

    async def send(self, to: str, subject: str, text: str) -> None:
        self.letters.append((to, text))

    def code(self) -> str:
        """The code of the last letter, which stands alone on a line."""
        (line,) = [line for line in self.letters[-1][1].splitlines() if line.startswith("    ")]
        return line.strip()


class Vouching:
    """An identity provider that vouches for whoever it was told last."""

    def __init__(self) -> None:
        self.identity: ExternalIdentity | None = None

    async def begin(self, redirect_uri: str) -> SignInStart:
        return SignInStart("https://idp.example/authorize", "state", "verifier", "nonce")

    async def finish(self, redirect_uri: str, code: str, start: SignInStart) -> ExternalIdentity:
        if self.identity is None:
            raise Unauthenticated("the provider knows nobody")
        return self.identity

    async def aclose(self) -> None:
        """Nothing to close."""
