"""How values read on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["moment", "number", "one_line", "visible"]


def visible(text: str) -> str:
    """`text` without anything a terminal would obey: control characters are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """`text` on one line, safe to print."""
    return visible(" ".join(text.split()))


def number(value: float | None) -> str:
    """Six significant digits; empty when there is no value."""
    return "" if value is None else f"{value:.6g}"


def moment(at: datetime | None) -> str:
    """UTC to the second; empty when it has not happened."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
