"""What a terminal would show, line by line, and the files it is kept in."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tries import tries
from tracker.run import console_log
from tracker.run.console_log import ConsoleLog, Screen

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\w+) (.*)")


def seen(*texts: str) -> list[str]:
    screen = Screen()
    return [line for text in texts for line in screen.feed(text)] + screen.close()


def kept(folder: Path) -> list[tuple[str, str]]:
    """Stream and text of each line."""
    lines = [line for path in sorted(folder.glob("*.log")) for line in path.read_text().split("\n")[:-1]]
    return [(found[1], found[2]) for found in map(LINE.fullmatch, lines) if found]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\nb\r\n\nc", ["a", "b", "", "c"]),
        ("\r10%\r20%\r100%\n", ["100%"]),
        ("10%\r5%\n", ["5%%"]),
        ("long line\r\x1b[Kshort\n", ["short"]),
        ("wait |\x08/\x08-\x08done\n", ["wait done"]),
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07text\n", ["red text"]),
        ("abc\x1b[2D_\n", ["a_c"]),
        ("a\x1b[5Gb\n", ["a   b"]),
        ("a\tb\x00\x07\n", ["a\tb"]),
        ("out 0\n\rin 0\x1b[A\rout 1\n\rin 1\x1b[A\rout 2\n\rin 2\n", ["out 0", "out 2", "in 2"]),
        ("a\nb\nc\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2Kx\ny\nz\n", ["a", "b", "x", "y", "z"]),
        ("\x1b[99999999Aa\nb\n", ["a", "b"]),
        ("\x1b[", []),
    ],
)  # fmt: skip
def test_a_line_is_what_a_terminal_shows_in_the_end(text: str, lines: list[str]):
    assert [line for line in seen(text) if line or "\n\n" in text] == [
        line for line in lines if line or "\n\n" in text
    ]


@settings(max_examples=tries(200), deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", "\n", "\r", "\x1b[A", "\x1b[2K", "\x1b[1m", "\x08", "\x1b]0;t\x07", "\x1b"])
    ),
    st.data(),
)  # fmt: skip
def test_it_does_not_matter_in_which_pieces_it_comes(tokens: list[str], data: st.DataObject):
    text = "".join(tokens)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert seen(*pieces) == seen(text)


@settings(max_examples=tries(100), deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]))))
def test_plain_lines_are_kept_as_they_are(lines: list[str]):
    assert seen(*(f"{line}\n" for line in lines)) == lines


def test_a_progress_bar_is_one_line_and_is_seen_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = ConsoleLog(tmp_path, "c", 10**6)
    for index in range(10_000):
        log.feed("err", f"\r{index}/10000".encode())
    monkeypatch.setattr(console_log, "SNAPSHOT_SECONDS", 0.0)
    log.feed("err", b"\rhalfway")
    monkeypatch.undo()
    log.feed("err", b"\rhalfway")
    log.feed("err", b"\rend    \n")
    log.close()
    assert kept(tmp_path) == [("err", "halfway000"), ("err", "end    000")]


def test_letters_that_come_in_pieces_are_put_together(tmp_path: Path):
    log = ConsoleLog(tmp_path, "c", 10**6)
    for byte in "Äé😀\n".encode() + b"\xff\n":
        log.feed("out", bytes([byte]))
    log.close()
    assert kept(tmp_path) == [("out", "Äé😀"), ("out", "\ufffd")]


def test_files_stay_within_their_limit_and_keep_the_beginning_and_the_end(tmp_path: Path):
    log = ConsoleLog(tmp_path, "c", 80_000)
    for index in range(20_000):
        log.feed("out", f"line {index}\n".encode())
    log.close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 82_000
    texts = [text for _, text in kept(tmp_path)]
    assert (texts[0], texts[-1]) == ("line 0", "line 19999")
    assert len(list(tmp_path.iterdir())) == console_log.PARTS


def test_a_line_without_an_end_is_cut_and_not_held(tmp_path: Path):
    log = ConsoleLog(tmp_path, "c", 10**7)
    for _ in range(100):
        log.feed("out", b"x" * 10_000)
    log.close()
    texts = [text for _, text in kept(tmp_path)]
    assert sum(map(len, texts)) == 10**6 and max(map(len, texts)) < 100_000


def test_a_folder_that_cannot_be_written_to_stops_nobody(tmp_path: Path):
    log = ConsoleLog(tmp_path / "missing", "c", 1000)
    log.feed("out", b"a\n")
    log.close()


def test_a_forked_child_keeps_lines_while_a_thread_of_the_parent_had_the_lock(tmp_path: Path):
    log = ConsoleLog(tmp_path, "c", 10**6)
    with log._lock:
        child = os.fork()
        if not child:
            log.feed("out", b"from the child\n")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert kept(tmp_path) == [("out", "from the child")]
