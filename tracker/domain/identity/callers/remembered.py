"""Who asked lately, for as long as nobody's standing has changed since."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from tracker.domain.identity.actor import Actor
from tracker.domain.identity.standing import Standing
from tracker.domain.ids import ApiTokenId

__all__ = ["Remembered", "RememberedActors", "RememberedStandings"]

_MOST = 4096
Key = TypeVar("Key")
Found = TypeVar("Found")


class _Known(NamedTuple, Generic[Found]):
    changes: int
    since: datetime
    found: Found


class Remembered(Generic[Key, Found]):
    """What was found last, each with the number of changes of standings before it was looked up.

    That number is asked for again with each request, so nothing that the tracker changes is ever taken
    for present when it is not.

    Args:
        longest: after which everything is looked up again, for what does not count the number up.
    """

    def __init__(self, longest: timedelta) -> None:
        self._longest = longest
        self._known: OrderedDict[Key, _Known[Found]] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        """Whether it is worth asking for the number of changes."""
        return key in self._known

    def find(self, key: Key, changes: int, now: datetime) -> Found | None:
        """What was found under the key, if it is so at this number of changes."""
        known = self._known.get(key)
        if known is None or known.changes != changes or not known.since <= now < known.since + self._longest:
            return None
        return known.found

    def keep(self, key: Key, changes: int, found: Found, now: datetime) -> None:
        """Remembers what was looked up after the number was."""
        self._known[key] = _Known(changes, now, found)
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)


class RememberedStandings(Remembered[UUID, Standing]):
    """Where users, and the users of API tokens, stand.

    Who edits the tables by hand does not count the changes; a minute later it is heeded all the same.
    """

    def __init__(self) -> None:
        super().__init__(timedelta(minutes=1))

    def note_use(self, token_id: ApiTokenId, at: datetime) -> None:
        """Remembers that an API token is used now: noting it changes nobody's standing."""
        known = self._known.get(token_id)
        if known is not None and known.found.api_token is not None:
            used = known.found.api_token.evolve(last_used_at=at)
            self._known[token_id] = known._replace(found=known.found.evolve(api_token=used))


class RememberedActors(Remembered[tuple[str, str], Actor]):
    """Who shows which token from which address.

    For a second, in which a signing key may be withdrawn or a grant run out; a token does not outlive
    its own end.
    """

    def __init__(self) -> None:
        super().__init__(timedelta(seconds=1))

    def find(self, key: tuple[str, str], changes: int, now: datetime) -> Actor | None:
        """The actor, if what they show still holds."""
        actor = super().find(key, changes, now)
        return None if actor is None or (actor.expires_at is not None and now >= actor.expires_at) else actor
