"""System metrics: of this process, of a container, and of GPUs that are not there."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import Invalid, Unavailable
from tracker.run.cgroups import Allowance
from tracker.run.system import MOST_PER_CENT, SystemSampler, interval_after

MIB = 2**20


def samples(count: int, **options: object) -> list[Mapping[str, float]]:
    """The first ones of a sampler."""
    found: list[Mapping[str, float]] = []
    enough = threading.Event()

    def log(values: Mapping[str, float]) -> None:
        found.append(values)
        if len(found) == count:
            enough.set()
        raise RuntimeError("which reaches nobody")

    sampler = SystemSampler(log, 0.1, **options)
    sampler.start()
    assert enough.wait(60)
    sampler.stop()
    assert sampler.cost > 0
    return found


def container(folder: Path, files: Mapping[str, str], own: str) -> Allowance:
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "own").write_text(own)
    return Allowance(folder / "cgroup", folder / "own")


def test_a_sampler_tells_of_this_process_and_its_machine(tmp_path: Path):
    found = samples(3, folder=tmp_path)
    values = found[-1]
    for name in ("cpu.percent", "memory.percent", "disk.percent", "sampler.percent"):
        assert 0 <= values[f"system.{name}"] <= 100, name
    assert MIB < values["system.memory.process"] < values["system.memory.used"] * 2
    assert values["system.cpu.process"] >= 0
    assert not any("gpu" in name for name in values)


def test_its_thread_ends_when_it_is_stopped(tmp_path: Path):
    def own() -> set[threading.Thread]:
        return {each for each in threading.enumerate() if each.name == "tracker-system"}

    before = own()
    sampler = SystemSampler(lambda values: None, 3600.0, folder=tmp_path)
    sampler.start()
    (thread,) = own() - before
    sampler.stop()
    thread.join(60)  # a busy machine may take longer than the sampler waits for it
    assert not thread.is_alive()


def test_within_a_container_its_limits_count(tmp_path: Path):
    files = {
        "job/memory.max": "max\n", "job/cpu.max": "max 100000\n", "memory.max": f"{100 * MIB}\n",
        "memory.current": f"{60 * MIB}\n", "memory.stat": f"anon 5\ninactive_file {10 * MIB}\n",
    }  # fmt: skip
    allowance = container(tmp_path, files, "0::/job\n")
    assert (allowance.memory(), allowance.processors) == ((50 * MIB, 100 * MIB), None)
    (values,) = samples(1, folder=tmp_path, allowance=allowance)[:1]
    assert (values["system.memory.percent"], values["system.memory.used"]) == (50.0, 50.0 * MIB)


@pytest.mark.parametrize(
    ("files", "own", "processors", "seconds", "memory"),
    [
        ({}, "0::/\n", None, None, None),
        ({"a/cpu.max": "150000 100000", "a/cpu.stat": "usage_usec 2500000\nuser_usec 1"},
         "0::/a\n", 1.5, 2.5, None),
        ({"cpu.max": "50000 100000", "cpu.stat": "usage_usec 1", "a/cpu.max": "max 100000"},
         "0::/a\n", 0.5, 1e-6, None),
        ({"cpu.max": "50000 100000"}, "0::/../../x\n", 0.5, None, None),
        ({"memory.max": "100", "memory.current": "50"}, "0::/gone/deeper\n", None, None, (50, 100)),
        ({"memory.max": "1000", "a/memory.max": "100", "a/memory.current": "120"},
         "0::/a\n", None, None, (120, 100)),
        ({"memory.max": "100"}, "0::/\n", None, None, None),
        ({"memory/j/memory.limit_in_bytes": "100", "memory/j/memory.usage_in_bytes": "70",
          "memory/j/memory.stat": "cache 1\ntotal_inactive_file 20\n",
          "memory/memory.limit_in_bytes": str(2**63 - 4096),
          "cpu,cpuacct/j/cpu.cfs_quota_us": "200000", "cpu,cpuacct/j/cpu.cfs_period_us": "100000",
          "cpu,cpuacct/j/cpuacct.usage": "3000000000"},
         "5:memory:/j\n4:cpu,cpuacct:/j\n0::/\n", 2.0, 3.0, (50, 100)),
        ({"cpu/j/cpu.cfs_quota_us": "-1", "cpu/j/cpu.cfs_period_us": "100000"},
         "3:cpu:/j\n", None, None, None),
        ({"cpu/j/cpu.cfs_quota_us": "100000", "cpu/j/cpu.cfs_period_us": "100000",
          "cpuacct/j/cpuacct.usage": "1000000000"}, "3:cpu:/j\n2:cpuacct:/j\n", 1.0, 1.0, None),
        ({"cpu.max": "nonsense here", "memory.max": "\u00b2"}, "0::/\n", None, None, None),
    ],
)  # fmt: skip
def test_control_groups_of_both_versions_are_read(
    tmp_path: Path,
    files: Mapping[str, str],
    own: str,
    processors: float | None,
    seconds: float | None,
    memory: tuple[int, int] | None,
):
    allowance = container(tmp_path, files, own)
    assert (allowance.processors, allowance.processor_seconds()) == (processors, seconds)
    assert allowance.memory() == memory


def test_where_there_are_no_control_groups_nothing_is_limited(tmp_path: Path):
    allowance = Allowance(tmp_path / "none", tmp_path / "none")
    assert (allowance.processors, allowance.processor_seconds(), allowance.memory()) == (None, None, None)


def test_a_gpu_tells_what_it_can(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def cannot(handle: int) -> int:
        raise RuntimeError("Not Supported")

    closed = []
    driver = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: closed.append(True),
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=90 + handle),
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=2, total=8),
        nvmlDeviceGetPowerUsage=cannot,
        nvmlDeviceGetTemperature=lambda handle, sensor: 60,
    )
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    (values,) = samples(1, folder=tmp_path)[:1]
    assert {name: value for name, value in values.items() if "gpu.1" in name} == {
        "system.gpu.1.percent": 91.0, "system.gpu.1.memory.used": 2.0, "system.gpu.1.memory.percent": 25.0,
        "system.gpu.1.temperature": 60.0,
    }  # fmt: skip
    assert closed == [True]


def test_without_psutil_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(Unavailable, match=r"pip install 'tracker\[system\]'"):
        SystemSampler(print)


@pytest.mark.parametrize("every", [0.0, -1.0, 1e9, float("nan")])
def test_an_interval_that_makes_no_sense_is_refused(every: float):
    with pytest.raises(Invalid, match="every"):
        SystemSampler(print, every)


@given(st.floats(0, 100), st.floats(0.1, 3600))
def test_what_costs_much_is_done_rarely(taken: float, every: float):
    interval = interval_after(taken, every)
    assert interval >= every
    assert interval == 3600 or 100 * taken / interval <= MOST_PER_CENT * (1 + 1e-12)


def test_a_forked_child_may_stop_it(tmp_path: Path):
    sampler = SystemSampler(lambda values: None, 3600.0, folder=tmp_path)
    sampler.start()
    child = os.fork()
    if not child:
        sampler.stop()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    sampler.stop()
    sampler.stop()
