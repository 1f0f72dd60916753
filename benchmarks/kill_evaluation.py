"""Kills the server, workers and the model endpoint at random moments of workflows, and looks what came of it.

Run: ``python benchmarks/kill_evaluation.py [--rounds 50] [--seed 1] [--ray]``. In each round a workflow is
posted to a server; one to three times something is killed with SIGKILL: the server, a process of a worker or
all of them, the endpoint, or with ``--ray`` the Ray head that runs the workers (which needs the Python of
``make ray``). The server, the endpoint and the head are started again after up to three seconds. Then time
passes until the workflow has ended. The endpoint writes down, before it answers, each row that it is paid
for.

Bad is: a workflow that has not ended; one that ended without a reason; a row that was paid for twice although
no attempt that had it under way was cut off; answers that are missing from the result of one that succeeded.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # not this folder, whose http.py hides the library's http

import httpx  # noqa: E402

from tests.e2e.processes import ServerProcess  # noqa: E402
from tests.endpoint.live import EndpointProcess  # noqa: E402
from tests.ray_head import RayHead, free_ports  # noqa: E402

__all__ = ["BAD", "kill_rounds"]

BAD = ("stuck", "without a reason", "paid twice too often", "answers missing")
ROWS, SLOTS, SECONDS = 120, 4, 0.05
_LONGEST_END = 180.0


@dataclass
class House:
    """An installation: its folder, its server, the endpoint, and perhaps a Ray head."""

    folder: Path
    endpoint: EndpointProcess
    head: RayHead | None = None
    server: ServerProcess | None = field(init=False, default=None)
    address: str = field(init=False, default="")

    def start_server(self) -> None:
        words, variables = (), {"JOBS_SLOTS": "2"}
        if self.head is not None:
            # Workers on Ray ask at one address, whether the server was started again or not.
            port = self.address.rpartition(":")[2] or str(free_ports(1)[0])
            words, variables = ("--port", port), {
                "JOBS_RUNNER": "ray", "RAY_DASHBOARD_URL": self.head.url, "RAY_TOKEN": self.head.token,
                "TRACKER_PUBLIC_URL": f"http://127.0.0.1:{port}",
            }  # fmt: skip
        self.server = ServerProcess(self.folder, *words, **variables)
        with self.server.client() as client:
            self.address = str(client.base_url)

    def kill_server(self) -> None:
        if self.server is not None:
            self.server.ended(signal.SIGKILL)

    def workers(self) -> list[int]:
        """The processes of its workers."""
        found, homes = [], [self.folder, *([self.head.folder] if self.head else [])]
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (place / "cmdline").read_bytes().split(b"\0")
                # Ray's work in its own folder, and the others name that of their attempt.
                told = [*words, bytes((place / "cwd").readlink())]
                ours = any(str(home).encode() in each for home in homes for each in told)
                if b"tracker.worker" in words and ours:
                    found.append(int(place.name))
        return found

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """What the server answers; it is asked again while it is away."""
        for _ in range(600):
            with suppress(httpx.TransportError):
                answer = httpx.request(method, f"{self.address}/api/v1{path}", timeout=20, **options)
                if answer.status_code != 503:
                    answer.raise_for_status()
                    return answer.json()
            time.sleep(0.1)
        raise TimeoutError(path)


def posted(house: House, number: int) -> str:
    """A new workflow on rows that no other round has; its id."""
    lines = "".join(f"round {number} row {row},ROUND {number} ROW {row}\n" for row in range(ROWS))
    files = {"dataset": (f"round-{number}.csv", f"examples,ground_truth\n{lines}".encode(), "text/csv")}
    dataset = house.ask("POST", "/datasets/", files=files, data={"format": "job"})
    evaluation = house.ask(
        "POST", "/experiments/", json={"name": f"round {number}", "dataset": dataset["id"]}
    )
    workflow = {
        "name": "killed", "experiment_id": evaluation["id"], "model": "small", "provider": "openai",
        "base_url": house.endpoint.base_url, "batch_size": SLOTS, "metrics": ["exact_match"],
    }  # fmt: skip
    return str(house.ask("POST", "/workflows/", json=workflow)["id"])


def kill_something(house: House, dice: random.Random, found: Counter[str]) -> int:
    """Kills something, and starts again what would be; how many rows it may have cut off."""
    what = dice.choice(["server", "worker", "worker", "endpoint", *(["head"] * 3 if house.head else [])])
    found[f"{what} killed"] += 1
    if what == "server":
        house.kill_server()
        time.sleep(dice.uniform(0, 3))
        house.start_server()
        return 0
    if what == "endpoint":
        house.endpoint.kill()
        time.sleep(dice.uniform(0, 3))
        house.endpoint.start()
        return SLOTS
    if what == "head" and house.head is not None:
        house.head.kill()
        time.sleep(dice.uniform(0, 3))
        house.head.start()
        return SLOTS
    victims = house.workers()
    for victim in victims if dice.random() < 0.5 else victims[-1:]:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    return SLOTS if victims else 0


def kill_round(house: House, number: int, dice: random.Random, paid: Path, found: Counter[str]) -> None:
    """One workflow, and what is killed during it."""
    workflow, cut_off = posted(house, number), 0
    for _ in range(dice.randint(1, 3)):
        time.sleep(dice.uniform(0.1, 6))
        cut_off += kill_something(house, dice, found)
    began = time.monotonic()
    while (detail := house.ask("GET", f"/workflows/{workflow}"))["status"] in ("created", "running"):
        if time.monotonic() - began > _LONGEST_END:
            found["stuck"] += 1
            print(f"round {number} is stuck:\n{house.ask('GET', f'/workflows/{workflow}/logs')['logs']}")
            return
        time.sleep(0.3)
    found[detail["status"]] += 1
    logs = house.ask("GET", f"/workflows/{workflow}/logs")["logs"]
    last = next(line for line in reversed(logs.partition("--- job")[0].splitlines()) if line.strip())
    if not last.partition(": ")[2].strip():
        found["without a reason"] += 1
    if detail["status"] != "succeeded":
        print(f"round {number}: {last}")
    rows = map(json.loads, paid.read_text().splitlines())
    lines = Counter(row for row in rows if row.startswith(f"round {number} row "))
    again = sum(count - 1 for count in lines.values())
    found["rows"], found["paid again"] = found["rows"] + len(lines), found["paid again"] + again
    if again > cut_off:
        found["paid twice too often"] += 1
        print(f"round {number}: {again} rows were paid again, {cut_off} may have been cut off\n{logs}")
    if detail["status"] == "succeeded" and detail["metrics"].get("exact_match") != 1.0:
        found["answers missing"] += 1
        print(f"round {number}: {detail['metrics']}")


def kill_rounds(rounds: int, *, seed: int, on_ray: bool = False) -> Counter[str]:
    """What was found in so many rounds."""
    dice, found = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="tracker-killed-") as folder:
        paid = Path(folder) / "paid.txt"
        paid.touch()
        head = RayHead(2) if on_ray else None
        house = House(Path(folder) / "data", EndpointProcess(paid, seconds=SECONDS), head)
        try:
            house.endpoint.start()
            if head is not None:
                head.start()
            house.start_server()
            for number in range(rounds):
                kill_round(house, number, dice, paid, found)
        finally:
            house.kill_server()
            house.endpoint.kill()
            for worker in house.workers():
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            if head is not None:
                head.remove()
    return found


def main() -> int:
    """Prints what was found; 1 when any of it is bad."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ray", action="store_true", help="workers run on a Ray head, which is killed too")
    given = parser.parse_args()
    began = time.monotonic()
    found = kill_rounds(given.rounds, seed=given.seed, on_ray=given.ray)
    for what, count in sorted(found.items()):
        print(f"{what:24} {count:8}")
    print(f"{'seconds':24} {time.monotonic() - began:8.0f}")
    return int(any(found[what] for what in BAD))


if __name__ == "__main__":
    sys.exit(main())
