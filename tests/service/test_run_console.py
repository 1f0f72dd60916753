"""Console capture in processes of its own, as a terminal, a file or a pipe sees it."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.test_console_log import kept
from tracker.run.console import ConsoleCapture
from tracker.warning import TrackerWarning

ROOT = Path(__file__).parents[2]
START = """
import os, subprocess, sys, threading
from pathlib import Path
from tracker.run.console import ConsoleCapture
capture = ConsoleCapture(Path(sys.argv[1]))
capture.start()
assert capture.level == "descriptors"
"""
PRINTS = """
print("one")
subprocess.run(["echo", "two"])
os.write(1, b"\\rthree\\rthird")
print(flush=True)
child = os.fork()
if not child:
    print("four", flush=True)
    os._exit(0)
os.waitpid(child, 0)
thread = threading.Thread(target=print, args=("five",))
thread.start(); thread.join()
"""
LINES = ["one", "two", "third", "four", "five"]


def run(folder: Path, script: str, *, same: bool = True) -> subprocess.CompletedProcess[bytes]:
    """Until nobody can write to its output any more, so that all is kept when it returns."""
    return subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if same else subprocess.PIPE,
        timeout=60,
        check=False,
    )


def test_what_everybody_prints_is_kept_and_passed_on_byte_by_byte(tmp_path: Path):
    plain = run(
        tmp_path,
        "import os, subprocess, sys, threading\n" + PRINTS.replace("(1,", "(sys.stdout.flush() or 1,"),
    )
    watched = run(tmp_path, START + PRINTS + "capture.stop()\nprint('after')\n")
    assert watched.returncode == 0, watched.stdout
    # Python writes line by line while it is watched, so that nothing is in its hands when it crashes.
    assert sorted(watched.stdout.split(b"\n")) == sorted([*plain.stdout.split(b"\n"), b"after"])
    assert kept(tmp_path) == [("out", line) for line in LINES]


def test_two_streams_are_told_apart(tmp_path: Path):
    script = START + "os.write(1, b'a\\n'); os.write(2, b'b\\n'); capture.stop()"
    found = run(tmp_path, script, same=False)
    assert (found.stdout, found.stderr) == (b"a\n", b"b\n")
    assert sorted(kept(tmp_path)) == [("err", "b"), ("out", "a")]


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), 9)", "os._exit(3)", "os.abort()", "sys.exit(1)", "1 / 0"]
)
def test_no_line_is_lost_however_the_process_ends(tmp_path: Path, end: str):
    found = run(
        tmp_path,
        START + f"for index in range(2000): print('line', index)\nprint('no end', end='', flush=True)\n{end}",
    )
    assert found.returncode != 0
    assert found.stdout.startswith(b"line 0\nline 1\n") and b"\nline 1999\nno end" in found.stdout
    texts = [text for _, text in kept(tmp_path)]
    assert texts[:2000] == [f"line {index}" for index in range(2000)]
    assert texts[2000].startswith("no end") and ("ZeroDivision" in texts[-1]) == (end == "1 / 0")


def test_a_line_that_python_would_hold_back_is_not_lost(tmp_path: Path):
    run(tmp_path, START + "print('held back')\nos.kill(os.getpid(), 9)")
    assert kept(tmp_path) == [("out", "held back")]


def test_a_process_that_holds_the_interpreter_while_it_prints_is_not_held_up(tmp_path: Path):
    found = run(
        tmp_path,
        START + "import ctypes\ntext = b'x' * 99 + b'\\n'\nwrite = ctypes.PyDLL(None).write\n"
        "for _ in range(10): assert write(1, text * 10_000, 1_000_000) == 1_000_000\ncapture.stop()",
    )
    assert (found.returncode, len(found.stdout)) == (0, 10_000_000)


def test_the_run_goes_on_when_the_process_beside_it_is_killed(tmp_path: Path):
    found = run(
        tmp_path,
        START + "print('before')\ncapture._tee._ask(b's', 5)\nos.kill(capture._tee._process.pid, 9)\n"
        "for index in range(20_000): print('line', index)\ncapture.stop()\nprint('after')",
    )
    lines = found.stdout.decode().split("\n")
    assert (found.returncode, len(lines)) == (0, 20_003)
    assert (lines[0], lines[1], lines[-2]) == ("before", "line 0", "after")


def test_a_terminal_stays_a_terminal_of_the_same_size(tmp_path: Path):
    master, slave = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
    script = START + "print(sys.stdout.isatty(), os.isatty(2), *os.get_terminal_size(1))\n"
    script += "subprocess.run(['sh', '-c', 'test -t 1 && echo terminal'])\nos.kill(os.getpid(), 9)"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdout=slave, stderr=slave, stdin=slave
    )
    os.close(slave)
    output = b""
    while True:
        try:
            output += os.read(master, 1000)
        except OSError:
            break
    os.close(master)
    assert process.wait() == -9
    assert output == b"True True 90 30\r\nterminal\r\n"
    assert kept(tmp_path) == [("out", "True True 90 30"), ("out", "terminal")]


def test_captures_may_end_in_any_order(tmp_path: Path):
    script = START + (
        "second = ConsoleCapture(Path(sys.argv[1]) / 'second')\nsecond.start()\nprint('both', flush=True)\n"
        "__import__('time').sleep(1)\n"
        "capture.stop()\nprint('second')\nsecond.stop()\nprint('none')\n"
        "capture.start()\nprint('first again')\ncapture.stop()\nprint('end')"
    )
    found = run(tmp_path, script)
    assert found.stdout.decode().split() == ["both", "second", "none", "first", "again", "end"]
    assert [text for _, text in kept(tmp_path)] == ["both", "first again"]
    assert [text for _, text in kept(tmp_path / "second")] == ["both", "second"]


def test_where_stdout_is_no_descriptor_pythons_streams_are_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with ConsoleCapture(tmp_path) as capture:
        assert capture.level == "streams"
        print("a")
        sys.stderr.writelines(["b\n", "c"])
        assert kept(tmp_path) == [("out", "a"), ("err", "b")], "at once"
    assert sys.stdout is out and sys.stderr is err
    assert (out.getvalue(), err.getvalue()) == ("a\n", "b\nc")
    assert kept(tmp_path) == [("out", "a"), ("err", "b"), ("err", "c")]
    assert capture.files == (tmp_path / "console-0001.log",) and capture.level is None


def test_a_folder_that_cannot_be_made_is_told_and_nothing_else_changes(tmp_path: Path):
    (tmp_path / "file").write_text("")
    before = sys.stdout
    capture = ConsoleCapture(tmp_path / "file" / "folder")
    with pytest.warns(TrackerWarning, match="console: what is printed is not kept"):
        assert capture.start() is False
    capture.stop()
    assert sys.stdout is before


@pytest.mark.parametrize(
    "end", [lambda capture: capture.stop(), lambda capture: (capture.stop(), capture.stop())]
)
def test_stopping_twice_is_stopping(tmp_path: Path, end: Callable[[ConsoleCapture], object]):
    capture = ConsoleCapture(tmp_path)
    end(capture)
    assert capture.start() and capture.start()
    end(capture)
    assert capture.level is None
