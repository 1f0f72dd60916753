"""A child process is shown, kept, sent its signals, and its end is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tracker.domain.errors import Invalid
from tracker.integrations.script.process import Ending, run_command

WRAPPER = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it runs beside it ignore it
from tracker.integrations.script.process import run_command
ending = run_command([sys.executable, "-c", sys.argv[1]], console=Path(sys.argv[2]))
print("ENDING", ending.code, ending.shell_code, ending.reason, flush=True)
"""


def wrapped(code: str, tmp_path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRAPPER, textwrap.dedent(code), str(tmp_path / "console")],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(child: subprocess.Popen[str]) -> tuple[str, str, str]:
    out, err = child.communicate(timeout=60)
    shown, _, ending = out.rpartition("ENDING ")
    return shown, err, ending.strip()


def test_what_it_prints_is_shown_as_it_is_and_kept(tmp_path: Path) -> None:
    code = """
        import os, sys
        os.write(1, b"to out \\xff\\n"); os.write(2, b"to err\\n"); print("\\n".join(["x" * 1000] * 200))
    """
    child = subprocess.run(
        [sys.executable, "-c", WRAPPER, textwrap.dedent(code), str(tmp_path / "console")],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert child.stdout.startswith(b"to out \xff\n" + (b"x" * 1000 + b"\n") * 200)
    assert child.stderr == b"to err\n"
    kept = (tmp_path / "console").read_bytes()
    assert sorted(kept.splitlines()) == sorted([b"to out \xff", b"to err", *[b"x" * 1000] * 200])


def test_an_exception_is_the_reason(tmp_path: Path) -> None:
    _, err, ending = ended(wrapped("raise ValueError('bad lr')", tmp_path))
    assert err.endswith("ValueError: bad lr\n")
    assert ending == "1 1 ValueError: bad lr (exit code 1)"


def test_an_exit_code_is_passed_on(tmp_path: Path) -> None:
    assert ended(wrapped("raise SystemExit(7)", tmp_path))[2] == "7 7 exit code 7"
    assert ended(wrapped("pass", tmp_path))[2] == "0 0 None"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_signals_are_passed_on(name: str, tmp_path: Path) -> None:
    code = f"""
        import signal, sys, time
        def heard(number, frame):
            print("heard", signal.Signals(number).name, flush=True)
            sys.exit(5)
        signal.signal(signal.{name}, heard)
        print("ready", flush=True)
        while True:
            time.sleep(0.01)
    """
    child = wrapped(code, tmp_path)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(getattr(signal, name))
    shown, _, ending = ended(child)
    assert shown == f"heard {name}\n"
    asked = "" if name == "SIGUSR1" else f", after {name}"
    assert ending == f"5 5 exit code 5{asked}"


def test_a_signal_that_was_ignored_before_ends_nothing_and_is_no_reason(tmp_path: Path) -> None:
    code = """
        import sys
        print("ready", flush=True)
        sys.stdin.readline()
        sys.exit(5)
    """
    with subprocess.Popen(
        ["nohup", sys.executable, "-c", WRAPPER, textwrap.dedent(code), str(tmp_path / "console")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGHUP)
        out, _ = child.communicate("go on\n", timeout=60)
    assert out.rpartition("ENDING ")[2].strip() == "5 5 exit code 5"


def test_a_signal_that_ends_it_is_the_reason(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert ended(wrapped(code, tmp_path))[2] == f"-9 {128 + 9} ended by SIGKILL"


def test_output_held_open_by_what_it_started_does_not_hold_up_the_end(tmp_path: Path) -> None:
    code = """
        import subprocess, sys
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(8)"])
        print("done")
    """
    shown, ending = ended_without_waiting_for_grandchildren(wrapped(code, tmp_path))
    assert (shown, ending) == ("done\n", "0 0 None")


def ended_without_waiting_for_grandchildren(child: subprocess.Popen[str]) -> tuple[str, str]:
    assert child.stdout is not None
    lines = []
    while not lines or not lines[-1].startswith("ENDING"):
        lines.append(child.stdout.readline())
    assert child.wait(timeout=20) == 0
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
    return "".join(lines[:-1]), lines[-1].removeprefix("ENDING ").strip()


def test_on_a_terminal_it_prints_to_a_terminal(tmp_path: Path) -> None:
    """In a pseudo-terminal of the test's own, of which the child is told the size."""
    pty = pytest.importorskip("pty")
    import termios

    source, end = pty.openpty()
    termios.tcsetwinsize(end, (33, 77))
    code = "import os, sys; print(sys.stdout.isatty(), os.get_terminal_size().columns)"
    child = subprocess.Popen(
        [sys.executable, "-c", WRAPPER, code, str(tmp_path / "console")], stdin=end, stdout=end, stderr=end
    )
    os.close(end)
    assert child.wait(timeout=60) == 0
    shown = os.read(source, 65536)
    os.close(source)
    assert shown == b"True 77\r\nENDING 0 0 None\r\n"
    assert (tmp_path / "console").read_bytes() == b"True 77\n"


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no-such-program cannot be started: No such file"):
        run_command(["no-such-program"], console=tmp_path / "console")
    with pytest.raises(Invalid, match="no-such-program"):
        run_command(["no-such-program"])


def test_an_ending_in_words() -> None:
    assert Ending(0).reason is None
    assert Ending(-9).kind == "killed"
    assert Ending(-9, is_out_of_memory=True).kind == "out_of_memory"
    assert Ending(-2).kind == Ending(130, was_asked=signal.SIGINT).kind == "interrupted"
    assert Ending(-15).kind == "terminated"
    assert Ending(1, error="ValueError: no").kind == "exception"
    assert Ending(1).kind == "other"
    assert Ending(-99).reason == "ended by signal 99"
    assert Ending(130, was_asked=signal.SIGINT).reason == "exit code 130, after SIGINT"
