"""What one call that logs costs, with us and with others, and what of it outlives a kill.

Run: ``python benchmarks/log_call.py [--rounds 3] [--calls 20000] [--tools "tracker;wandb"]``. Each other
tool is installed from PyPI into an environment of its own (kept in ``--envs``) and called as its guide
says, with its defaults, offline; where the machine allows it, in a network namespace that has nothing
but the loopback device, so that no tool can reach anybody. How each is called and read stands in
``peers/``.
In every round the tools take turns; a figure is the median of the rounds.

A row has two loops. *Tight*: calls one after the other, which is the worst that can be asked of a
thread in the background; then `finish` until all is durable. *Paced*: a call a millisecond, as a
quick training loop has it; right after the last call returns, the process is killed by SIGKILL, in
another run its children too (a scheduler that ends a job kills them all). What survives is then counted by
the tool's own reader, ours after `tracker sync`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORKER = HERE / "peers" / "worker.py"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tracker-log-call"
FEW = 20  # calls of the run whose size is what a run costs without points
QUIET = {
    "WANDB_MODE": "offline", "WANDB_SILENT": "true", "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1",
    "WANDB_ERROR_REPORTING": "false", "AIM_ANALYTICS": "false", "SWANLAB_MODE": "offline",
    "TQDM_DISABLE": "1",
    "TRACKER_SILENT": "1",
}  # fmt: skip


@dataclass(frozen=True)
class Tool:
    """One way to log.

    Attributes:
        module: ``peers/to_MODULE.py``.
        requires: packages to install; none are needed in this environment.
        variables: of its environment.
        server: whether it logs to a server of ours.
        most: calls of the tight loop, for one whose queue takes minutes to empty.
    """

    module: str
    requires: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    server: bool = False
    most: int = 10**9


TOOLS = {
    "floor": Tool("floor"),
    "tracker": Tool("tracker"),
    "tracker, server": Tool("tracker", server=True),
    "tracker, offline": Tool("tracker", variables={"TRACKER_MODE": "offline"}),
    "trackio": Tool("trackio", ("trackio",)),
    "swanlab": Tool("swanlab", ("swanlab",)),
    "tensorboardX": Tool("tensorboardX", ("tensorboardX", "tensorboard")),
    "wandb": Tool("wandb", ("wandb",)),
    "aim": Tool("aim", ("aim",)),
    "mlflow": Tool("mlflow", ("mlflow",)),
    "mlflow, async": Tool("mlflow_async", ("mlflow",), most=2000),
}


class Failed(Exception):
    """A tool could not be installed, or did not do what it was asked for."""


def python_of(tool: Tool, envs: Path) -> Path:
    """The interpreter of the tool's environment, which is made when it is not there."""
    if not tool.requires:
        return Path(sys.executable)
    home = envs / tool.requires[0]
    python, stamp = home / "bin" / "python", home / ".requires"
    if not stamp.exists() or stamp.read_text().split() != list(tool.requires):
        uv = shutil.which("uv")
        make = [uv, "venv", "--quiet", str(home)] if uv else [sys.executable, "-m", "venv", str(home)]
        install = (
            [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
        )
        for command in (make, [*install, "--quiet", *tool.requires]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
            if done.returncode:
                raise Failed(f"cannot be installed: {done.stderr.strip().splitlines()[-1]}")
        stamp.write_text("\n".join(tool.requires))
    return python


def alone() -> list[str]:
    """Words before a command that leave it no network but loopback; none where that is not allowed."""
    up = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    for words in (["unshare", "--net", *up], ["unshare", "--map-root-user", "--net", *up]):
        try:
            if not subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
                return words
        except OSError:
            break
    return []


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def served(tool: Tool, folder: Path) -> Iterator[dict[str, str]]:
    """What the environment says about where to log: a server over a folder in `folder`, if it needs one."""
    if not tool.server:
        yield {}
        return
    port, data = free_port(), folder / "server"
    command = [sys.executable, "-m", "tracker", "--data", str(data), "server", "--port", str(port)]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=environment(tool, folder), stdout=log, stderr=log)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield {"TRACKER_URL": f"http://127.0.0.1:{port}"}
    finally:
        process.terminate()
        process.wait(60)


def environment(tool: Tool, folder: Path) -> dict[str, str]:
    """The environment without anybody's settings; the tool's home is in `folder`."""
    prefixes = ("TRACKER_", "WANDB_", "MLFLOW_", "TRACKIO_", "SWANLAB_", "AIM_", "HF_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    kept.pop("DATABASE_URL", None)
    own = {"PYTHONPATH": str(ROOT)} if tool.module == "tracker" else {}
    return {**kept, "HOME": str(folder), **QUIET, **own, **tool.variables}


@dataclass(frozen=True)
class Loop:
    """What one loop took: nanoseconds of each call, seconds to finish and to start, points, bytes."""

    calls: list[int]
    finish: float
    start: float
    survived: float
    twice: int
    size: int


class Bench:
    """Runs loops of tools in new folders."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._alone = alone()

    def loop(self, tool: Tool, values: int, end: str, calls: int, pause: float) -> Loop:
        """One loop, and what is found of it.

        Raises:
            Failed: it ended otherwise than it should, or its points cannot be read.
        """
        with tempfile.TemporaryDirectory(prefix="log_call", dir=self._given.data) as place:
            folder, times = Path(place) / "log", Path(place) / "times"
            folder.mkdir()
            with served(tool, folder) as address:
                words = [
                    "write", tool.module, str(folder), str(times), f"--calls={calls}", f"--end={end}",
                    f"--pause={pause}", f"--seconds={self._given.seconds}",
                ]  # fmt: skip
                self._run(tool, folder, address, values, words, killed=end != "finish")
                if tool.module == "tracker" and end != "finish":
                    self._sync(tool, folder, address)
                out = self._run(tool, folder, address, values, ["read", tool.module, str(folder)])
            found = json.loads(re.findall(r"^points (.*)$", out, re.MULTILINE)[-1])
            numbers = struct.unpack(f"{calls + 2}q", times.read_bytes())
            made = [number for number in numbers[:-2] if number]
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            return Loop(
                made, numbers[-2] / 1e9, numbers[-1] / 1e9,
                found["distinct"] / (len(made) * values), found["all"] - found["distinct"], size,
            )  # fmt: skip

    def _run(
        self,
        tool: Tool,
        folder: Path,
        address: dict[str, str],
        values: int,
        words: list[str],
        *,
        killed: bool = False,
    ) -> str:
        command = [str(python_of(tool, self._given.envs)), str(WORKER), *words, f"--values={values}"]
        if not address:
            command = [*self._alone, *command]
        env = {**environment(tool, folder), **address}
        with tempfile.TemporaryFile("w+") as out:  # a child that lives on would hold a pipe open
            done = subprocess.run(
                command, cwd=folder, env=env, stdout=out, stderr=out, timeout=900, check=False
            )
            out.seek(0)
            text = out.read()
        if done.returncode != (-9 if killed else 0) and not (killed and done.returncode == 137):
            raise Failed(f"{words[0]} ended with {done.returncode}: {text[-2000:]}")
        return text

    def _sync(self, tool: Tool, folder: Path, address: dict[str, str]) -> None:
        """Carries what the killed process left."""
        data = [] if address else ["--data", str(folder / "data")]
        env = {**environment(tool, folder), **address}
        env.pop("TRACKER_MODE", None)
        command = [sys.executable, "-m", "tracker", *data, "sync"]
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=900, check=False
        )
        if done.returncode:
            raise Failed(f"sync: {done.stderr[-2000:]}")


def microseconds(calls: list[int], part: float) -> float:
    """The quantile of the calls."""
    return sorted(calls)[min(len(calls) - 1, int(len(calls) * part))] / 1000


def measure(bench: Bench, given: argparse.Namespace, tool: Tool, values: int) -> dict[str, float]:
    """One round of one tool."""
    few = bench.loop(tool, values, "finish", FEW, 0)
    tight = bench.loop(tool, values, "finish", min(given.calls, tool.most), 0)
    paced = bench.loop(tool, values, "kill", given.paced, given.pause)
    ended = bench.loop(tool, values, "kill-all", given.paced, given.pause)
    return {
        "p50": microseconds(tight.calls, 0.5),
        "p99": microseconds(tight.calls, 0.99),
        "worst ms": max(tight.calls) / 1e6,
        "paced p50": microseconds(paced.calls, 0.5),
        "paced p99": microseconds(paced.calls, 0.99),
        "finish s": tight.finish,
        "kept %": 100 * tight.survived,
        "killed %": 100 * paced.survived,
        "all killed %": 100 * ended.survived,
        "twice": tight.twice + paced.twice + ended.twice,
        "B/point": (tight.size - few.size) / max(1, (len(tight.calls) - FEW) * values),
        "start s": tight.start,
        "calls": len(tight.calls),
    }


def table(figures: dict[tuple[str, int], list[dict[str, float]]], failures: dict[str, str]) -> str:
    """Medians as a table in Markdown."""
    heads = list(next(iter(figures.values()))[0]) if figures else []
    lines = [f"| tool | values | {' | '.join(heads)} |", f"| --- | ---: |{' ---: |' * len(heads)}"]
    for (name, values), rounds in sorted(figures.items(), key=lambda item: item[0][1]):
        cells = [f"{statistics.median(found[head] for found in rounds):,.{places(head)}f}" for head in heads]
        lines.append(f"| {name} | {values} | {' | '.join(cells)} |")
    return "\n".join([*lines, *(f"{name}: {reason}" for name, reason in failures.items())])


def places(head: str) -> int:
    """Digits after the point."""
    return {"calls": 0, "twice": 0, "finish s": 2, "start s": 2, "killed %": 2, "all killed %": 2}.get(
        head, 1
    )


def versions(names: list[str], envs: Path) -> str:
    """What was measured."""
    found = [f"Python {sys.version.split()[0]}"]
    for package in dict.fromkeys(TOOLS[name].requires[0] for name in names if TOOLS[name].requires):
        ask = f"import importlib.metadata as m; print(m.version({package!r}))"
        python = envs / package / "bin" / "python"
        if python.exists():
            done = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=False)
            found.append(f"{package} {done.stdout.strip()}")
    return ", ".join(found)


def main() -> None:
    """Measures the tools by turns and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tools", default=";".join(TOOLS), help=f"separated by semicolons: {'; '.join(TOOLS)}"
    )
    parser.add_argument("--values", default="5,20", help="values a call")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=20_000, help="of the tight loop")
    parser.add_argument("--paced", type=int, default=3_000, help="calls of the paced loop")
    parser.add_argument("--pause", type=float, default=0.001, help="seconds between them")
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="that a loop may take; slow tools make fewer calls"
    )
    parser.add_argument("--envs", type=Path, default=CACHE, help="where the tools' environments are kept")
    parser.add_argument(
        "--data", type=Path, default=None, help="where the tools write; a folder on a real disk"
    )
    given = parser.parse_args()
    names = [name.strip() for name in given.tools.split(";")]
    bench, failures = Bench(given), {}
    figures: dict[tuple[str, int], list[dict[str, float]]] = defaultdict(list)
    for _ in range(given.rounds):
        for values in map(int, given.values.split(",")):
            for name in names:
                if name in failures:
                    continue
                try:
                    figures[name, values].append(measure(bench, given, TOOLS[name], values))
                except (Failed, subprocess.TimeoutExpired) as error:
                    failures[name] = str(error)
                    figures.pop((name, values), None)
                print(
                    name,
                    values,
                    figures.get((name, values), [failures.get(name)])[-1],
                    file=sys.stderr,
                    flush=True,
                )
    print(versions(names, given.envs))
    print(table(figures, failures))


if __name__ == "__main__":
    main()
