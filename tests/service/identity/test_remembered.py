"""What is remembered of who asks is only ever taken for what it still is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.callers.remembered import RememberedActors, RememberedStandings
from tracker.domain.identity.standing import Standing
from tracker.domain.ids import UserId

NOW = datetime(2030, 1, 1, tzinfo=UTC)
KEY = UUID(int=7)
SECOND = timedelta(seconds=1)


@pytest.fixture
def standing() -> Standing:
    return Standing(user=User(id=UserId(KEY), email="ada@example.org", display_name="ada", created_at=NOW))


def test_a_standing_is_that_of_one_number_of_changes(standing: Standing) -> None:
    known = RememberedStandings()
    known.keep(KEY, 3, standing, NOW)
    assert [known.find(KEY, changes, NOW) for changes in (2, 3, 4)] == [None, standing, None]


def test_a_table_edited_by_hand_is_heeded_after_a_minute(standing: Standing) -> None:
    known = RememberedStandings()
    known.keep(KEY, 3, standing, NOW)
    at = (NOW - SECOND, NOW, NOW + 59 * SECOND, NOW + 60 * SECOND)
    assert [known.find(KEY, 3, now) for now in at] == [None, standing, standing, None]


def test_a_token_ends_at_its_own_end_even_within_the_second() -> None:
    known, half = RememberedActors(), SECOND / 2
    actor = Actor(user_id=UserId(KEY), expires_at=NOW + half)
    known.keep(("token", "address"), 3, actor, NOW)
    found = [known.find(("token", "address"), 3, now) for now in (NOW, NOW + half - half / 9, NOW + half)]
    assert found == [actor, actor, None]


def test_those_who_asked_longest_ago_are_forgotten() -> None:
    known = RememberedActors()
    actor = Actor(user_id=UserId(KEY))
    for number in range(4097):
        known.keep((str(number), ""), 0, actor, NOW)
    assert ("0", "") not in known and ("1", "") in known and ("4096", "") in known
