"""Whoever has a number or a name is among those that the filter for it finds."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from entrypoints.cli.experiment_keys import names_or_numbers
from tracker.domain.errors import Invalid
from tracker.domain.projects.naming import check_pattern, number_of
from tracker.domain.search.parsing import parse_filter
from tracker.domain.search.query import Compare, Either, Filter, Like

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PIECES = st.sampled_from(
    ["{num}", "{parent}", "{what}", "_", "-", "run", "(", ".*", "é", "\\", '"', "$", "\n", "0"]
)
ODD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)


def readable(pattern: str) -> bool:
    try:
        check_pattern(pattern)
    except Invalid:
        return False
    return True


PATTERNS = st.lists(st.one_of(PIECES, ODD), min_size=1, max_size=6).map("".join).filter(readable)


def finds(test: Filter, name: str) -> bool:
    match test:
        case Either(tests):
            return any(finds(each, name) for each in tests)
        case Compare():
            return name == test.value
        case Like():
            return test.pattern.fits(name)
    raise AssertionError(test)


@given(st.data(), st.lists(PATTERNS, max_size=25), st.integers(0, 1200))
def test_a_number_finds_every_name_that_has_it(data: st.DataObject, patterns: list[str], number: int) -> None:
    filling = st.one_of(ODD, st.sampled_from(["1", "x", "_from_", "07"]))
    shape = data.draw(st.sampled_from([*patterns, "{num}_x", "{num}", "{num}{what}"]))
    name = shape.replace("{num}", "0" * data.draw(st.integers(0, 2)) + str(number))
    for field in ("{parent}", "{what}"):
        name = name.replace(field, data.draw(filling))
    found = number_of(patterns, name)
    if found is None or not 0 < len(name) <= 100:
        return
    filter = names_or_numbers(f"0{found}", [patterns])
    assert filter is not None
    assert finds(parse_filter(filter, now=NOW), name)


@given(st.one_of(ODD, st.text(max_size=100)).filter(lambda name: len(name) > 0))
def test_a_name_finds_itself(name: str) -> None:
    filter = names_or_numbers(name, [["{num}_from_{parent}_{change}"]])
    if filter is None:
        assert "\x00" in name or any("\ud800" <= character <= "\udfff" for character in name)
    else:
        assert finds(parse_filter(filter, now=NOW), name)
