"""Standings that were looked up and have not changed since."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from uuid import UUID

from tracker.domain.identity.standing import Standing
from tracker.domain.ids import ApiTokenId

__all__ = ["RememberedStandings"]

_MOST = 4096


class RememberedStandings:
    """The standings of those who asked last, each with the number of changes before it was looked up.

    That number is asked for again with each request, so nothing is ever taken for present that is not.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, tuple[int, Standing]] = OrderedDict()

    def find(self, key: UUID, changes: int) -> Standing | None:
        """The standing of a user or token, if it is the one at this number of changes."""
        known = self._known.get(key)
        return known[1] if known is not None and known[0] == changes else None

    def keep(self, key: UUID, changes: int, standing: Standing) -> None:
        """Remembers a standing that was looked up after the number was."""
        self._known[key] = changes, standing
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def note_use(self, token_id: ApiTokenId, at: datetime) -> None:
        """Remembers that an API token is used now: noting it changes nobody's standing."""
        known = self._known.get(token_id)
        if known is not None and known[1].api_token is not None:
            used = known[1].api_token.evolve(last_used_at=at)
            self._known[token_id] = known[0], known[1].evolve(api_token=used)
