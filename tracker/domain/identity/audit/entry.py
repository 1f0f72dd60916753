"""An entry of the audit log, and the chain that shows when one was changed or taken out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from enum import StrEnum
from typing import Any, Self

from pydantic import AwareDatetime, Field

from tracker.domain.frozen import Frozen
from tracker.domain.ids import ApiTokenId, ProjectId, TeamId, UserId
from tracker.domain.json_tree import EMPTY, JsonObject, thaw

__all__ = ["GENESIS", "AuditEntry", "Event", "Outcome", "broken_links"]

GENESIS = bytes(32)
"""What the first entry holds in place of the one before it."""


class Outcome(StrEnum):
    """How it went."""

    DONE = "done"
    REFUSED = "refused"


class Event(Frozen):
    """Something that somebody did, or tried.

    Attributes:
        what: such as ``team.member.add``.
        kind, key: on what: ``user`` and its id, and so on.
        user_id: who; ``None`` = nobody who was known.
        api_token_id: with which API token, if one was shown.
        project_id, team_id: whose owners may read it; with neither only superusers may.
        detail: names of changed fields, roles, actions; never a secret.
    """

    what: str
    kind: str
    key: str
    at: AwareDatetime
    user_id: UserId | None = None
    api_token_id: ApiTokenId | None = None
    origin: str = ""
    outcome: Outcome = Outcome.DONE
    project_id: ProjectId | None = None
    team_id: TeamId | None = None
    detail: JsonObject = Field(default_factory=lambda: EMPTY)


class AuditEntry(Event):
    """An event in its place.

    Attributes:
        number: 1 for the first, then one more each.
        digest: SHA-256 over this entry's fields and the digest of the one before.
    """

    number: int
    digest: bytes

    @classmethod
    def after(cls, last: Self | None, event: Event) -> Self:
        """The entry that follows `last` (``None``: the first of all)."""
        number, before = (1, GENESIS) if last is None else (last.number + 1, last.digest)
        return cls(**event.__dict__, number=number, digest=_digest(before, number, event))

    def follows(self, before: bytes) -> bool:
        """Whether the digest is that of these fields behind `before`."""
        return self.digest == _digest(before, self.number, self)


def broken_links(entries: Iterable[AuditEntry], *, number: int = 0, digest: bytes = GENESIS) -> Iterable[str]:
    """What is wrong with a run of the chain, a sentence each; nothing when all of it holds.

    Args:
        entries: by number.
        number: of the entry before the first of them.
        digest: of that entry.
    """
    for entry in entries:
        if entry.number != number + 1:
            yield f"entries {number + 1} to {entry.number - 1} are missing"
        elif not entry.follows(digest):
            yield f"entry {entry.number} was changed, or the one before it was"
        number, digest = entry.number, entry.digest


def _digest(before: bytes, number: int, event: Event) -> bytes:
    fields: Mapping[str, Any] = {
        "number": number,
        "what": event.what,
        "kind": event.kind,
        "key": event.key,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "user": event.user_id and str(event.user_id),
        "token": event.api_token_id and str(event.api_token_id),
        "origin": event.origin,
        "outcome": event.outcome.value,
        "project": event.project_id and str(event.project_id),
        "team": event.team_id and str(event.team_id),
        "detail": thaw(event.detail),
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(before + text.encode()).digest()
