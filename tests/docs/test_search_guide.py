"""What the guide to searches shows is what the language takes."""

from __future__ import annotations

import re
from pathlib import Path

from tests.factories import NOON
from tracker.domain.search.parsing import parse_filter, parse_order
from tracker.domain.search.query import Builtin

PAGE = (Path(__file__).parents[2] / "docs/guide/search.md").read_text(encoding="utf-8")


def test_every_filter_and_order_that_it_shows_parses() -> None:
    shown = re.findall(r"^```\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    shown += [text for text in re.findall(r"`([^`\n]+)`", PAGE) if re.match(r"\w.* (=|!=) ", text)]
    assert len(shown) >= 3
    for text in shown:
        parse_filter(text, now=NOON)
    parse_order("-val.acc,name")


def test_every_field_that_all_have_is_in_it() -> None:
    for field in Builtin:
        assert f"`{field}`" in PAGE
