from __future__ import annotations

import pytest

from tracker.domain.experiments.ending import LONGEST_REASON, EndKind
from tracker.run.reasons import is_clean_exit, reason_of


class Odd(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


def raised(error: BaseException) -> BaseException:
    def fail() -> None:
        raise error

    try:
        fail()
    except BaseException as caught:
        return caught
    raise AssertionError


def test_an_exception_gives_its_type_its_text_and_its_line() -> None:
    kind, reason = reason_of(raised(ValueError("no such split: tset")))
    assert kind is EndKind.EXCEPTION
    first, second = reason.splitlines()
    assert first == "ValueError: no such split: tset"
    assert second.startswith("in fail, ")
    assert second.endswith("test_reasons.py:16: raise error")


@pytest.mark.parametrize(
    ("error", "kind", "begins"),
    [
        (KeyboardInterrupt(), EndKind.INTERRUPTED, "interrupted by Ctrl-C"),
        (SystemExit(3), EndKind.OTHER, "the script left with exit status 3"),
        (Odd(), EndKind.EXCEPTION, f"{__name__}.Odd: (its text cannot be shown)"),
        (ValueError(), EndKind.EXCEPTION, "ValueError\nin fail"),
        (ValueError("a\x00b\ud800"), EndKind.EXCEPTION, "ValueError: ab?"),
    ],
)
def test_whatever_ends_a_run_gives_a_reason(error: BaseException, kind: EndKind, begins: str) -> None:
    told = reason_of(raised(error))
    assert told.kind is kind
    assert told.reason.startswith(begins)
    assert reason_of(error.with_traceback(None)).kind is kind


def test_of_a_text_without_end_the_place_is_kept() -> None:
    reason = reason_of(raised(ValueError("x" * 100_000))).reason
    assert len(reason) <= LONGEST_REASON
    assert reason.startswith("ValueError: xxx")
    assert reason.endswith("raise error")


def test_only_an_exit_without_complaint_is_clean() -> None:
    assert [is_clean_exit(SystemExit(code)) for code in (None, 0, 1, "no")] == [True, True, False, False]
    assert not is_clean_exit(KeyboardInterrupt())
