from __future__ import annotations

from uuid import UUID

import pytest

from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.naming import (
    DEFAULT_PATTERN,
    check_pattern,
    parent_reference,
    parse_name,
    resolve_parent,
)

FIRST, SECOND, THIRD = (ExperimentId(UUID(int=n)) for n in (1, 2, 3))


def test_a_name_gives_its_number_parent_and_change() -> None:
    assert parse_name(DEFAULT_PATTERN, "12_from_8_wider_net") == {
        "num": "12",
        "parent": "8",
        "change": "wider_net",
    }


@pytest.mark.parametrize("name", ["baseline", "x_from_8_lr", "12_from__lr", "12_from_8_", ""])
def test_a_name_that_does_not_follow_the_pattern_gives_nothing(name: str) -> None:
    assert parse_name(DEFAULT_PATTERN, name) is None
    assert parent_reference(DEFAULT_PATTERN, name) is None


def test_a_parent_is_found_by_its_number_or_its_whole_name() -> None:
    family = [(FIRST, "1_baseline"), (SECOND, "2_from_1_lr"), (THIRD, "wide")]
    assert resolve_parent(DEFAULT_PATTERN, "1", family) == FIRST
    assert resolve_parent(DEFAULT_PATTERN, "2", family) == SECOND
    assert resolve_parent(DEFAULT_PATTERN, "wide", family) == THIRD
    assert resolve_parent(DEFAULT_PATTERN, "3", family) is None


def test_of_two_that_answer_the_oldest_is_the_parent() -> None:
    assert resolve_parent(DEFAULT_PATTERN, "1", [(FIRST, "1_a"), (SECOND, "1_b")]) == FIRST


@pytest.mark.parametrize(
    "pattern",
    [
        "{num",
        "num}",
        "{}",
        "{a-b}",
        "{num}_{num}",
        "{num}{parent}",
        "{é}",
        "{a}.{b}.{c}.{d}.{e}.{f}.{g}.{h}.{i}",
    ],
)
def test_an_unreadable_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid, match="naming_pattern"):
        check_pattern(pattern)


def test_text_around_the_fields_is_taken_literally() -> None:
    assert parse_name("run.{num}(x)", "run.7(x)") == {"num": "7"}
    assert parse_name("run.{num}(x)", "runs7(x)") is None
