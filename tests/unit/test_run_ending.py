"""The last words of a run: few, narrow, and fit for where they are written."""

from __future__ import annotations

import io
import os
import pty
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from tests.tries import tries
from tracker.run.ending import MOST_LINES, Curve, Ending, ending, tell

texts = st.text(max_size=60) | st.text("ab\n\r\t\x1b[31m漢字é\u0301…\ud800", max_size=200)
numbers = st.none() | st.floats()
counts = st.integers(0, 10**18)
curves = st.builds(
    Curve,
    name=texts,
    values=st.lists(st.floats(), max_size=40),
    last=numbers,
    best=numbers,
    extent=st.none() | st.tuples(st.floats(), st.floats()),
    parent=numbers,
    delta=numbers,
    is_better=st.none() | st.booleans(),
)
endings = st.builds(
    Ending,
    name=texts,
    project=texts,
    status=st.sampled_from(["complete", "failed", "running"]) | texts,
    reason=st.none() | texts,
    seconds=st.floats(0, 1e12),
    points=counts,
    overhead=st.none() | st.floats(0, 10),
    curves=st.lists(curves, max_size=9),
    further=counts,
    parent=texts,
    hypotheses=st.lists(st.tuples(texts, texts), max_size=5),
    waiting=counts,
    sync=texts,
    where=texts,
    unknown=st.lists(texts, max_size=3),
)
FULL = Ending(
    name="7_from_3_lr",
    project="mnist",
    status="failed",
    reason="ValueError: wrong\nshape",
    seconds=4000,
    points=120_000,
    overhead=0.0002,
    curves=[
        Curve("val.acc", [1, 2, 3, float("nan")], 0.5, 0.75, None, 0.25, 0.5, True),
        Curve("loss", [3, 2, 1], 1, None, (1, 3), 0.5, 0.5, False),
        Curve("acc", (), 0.5),
        Curve("x" * 50, [1, 1], 1, None, (1, 1), 1, 0),
        Curve("a"), Curve("b"), Curve("c"),
    ],
    further=1000,
    parent="3_base",
    hypotheses=[("lower is better", "supported"), ("b", "testing"), ("c", "testing")],
    waiting=12_345,
    sync="tracker --data d sync",
    where="tracker show 7",
    unknown=["final values"],
)  # fmt: skip


@settings(max_examples=tries(300), deadline=None)
@given(endings, st.integers(1, 200), st.booleans(), st.booleans())
def test_it_is_never_longer_or_wider_than_it_may_be(ended: Ending, width: int, plain: bool, colour: bool):
    text = ending(ended, width=width, plain=plain, colour=colour)
    lines = text.split("\n")
    assert lines.pop() == ""
    assert 2 <= len(lines) <= MOST_LINES
    whole = bool(ended.where) + bool(ended.waiting) if plain else 0  # the last ones, to be copied
    for index, line in enumerate(lines):
        shown = Text.from_ansi(line).plain if colour and not plain else line
        assert index >= len(lines) - whole or cell_len(shown) <= width
        assert shown.isprintable()
    if plain:
        assert text.isascii()


def test_it_says_what_there_is_to_say():
    assert ending(FULL) == (
        "7_from_3_lr in mnist: failed\n"
        "  ValueError: wrong shape\n"
        "  1 h 6 min, 120,000 points, overhead 0.02 %, parent 3_base\n"
        "  val.acc                   _=#x  last 0.5  best 0.75  +0.5 better than 0.25\n"
        "  loss                      #=_   last 1  (1 to 3)  +0.5 worse than 0.5\n"
        "  acc                             last 0.5\n"
        "  xxxxxxxxxxxx~xxxxxxxxxxx  ==    last 1  as its parent\n"
        "  and 1003 more series, final values unknown\n"
        "  hypothesis supported: lower is better\n"
        "  hypothesis testing (and 1 more): b\n"
        "  12,345 values wait: tracker --data d sync\n"
        "  tracker show 7\n"
    )
    assert "▁▅█×" in ending(FULL, plain=False)
    assert ending(Ending(name="1_run")) == "1_run: complete\n  0 s, 0 points\n"


def written_to_terminal(ended: Ending) -> str:
    master, slave = pty.openpty()
    found: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(master, 10_000):
                found.append(data)
        except OSError:  # nobody has it open any more
            return

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        tell(ended, stream)
    reader.join()
    os.close(master)
    return b"".join(found).decode()


def test_a_terminal_gets_colours_and_its_width(monkeypatch: pytest.MonkeyPatch):
    for name in ("NO_COLOR", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("TERM", "xterm-256color")
    text = written_to_terminal(FULL)
    assert "\x1b[" in text and "▁" in text
    assert all(cell_len(Text.from_ansi(line).plain) <= 30 for line in text.splitlines())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in written_to_terminal(FULL)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "utf-16"])
def test_a_file_gets_plain_text(encoding: str):
    target = io.BytesIO()
    stream = io.TextIOWrapper(target, encoding=encoding)
    tell(FULL._replace(name="Ä漢"), stream)
    assert target.getvalue().decode(encoding).startswith("\\xc4\\u6f22 in mnist: failed\n")


def test_a_stream_that_refuses_is_left_alone():
    stream = io.StringIO()
    stream.close()
    tell(FULL, stream)


def test_in_a_file_a_command_that_is_there_to_be_copied_is_whole():
    sync = f"tracker --data /{'long/' * 30}data sync"
    text = ending(Ending("a", waiting=5, sync=sync, where=f"tracker show {'n' * 90}"), width=80, plain=True)
    assert text.splitlines()[-2:] == [f"  5 values wait: {sync}", f"  tracker show {'n' * 90}"]
