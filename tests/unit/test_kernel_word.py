"""What the kernel says, on files of the forms in which it says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.adapters.system.kernel import kills_in, oom_counter, word_of_kernel
from tracker.domain.experiments.ending import EndKind

V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
V2 = "low 0\nhigh 0\nmax 12\noom 4\noom_kill 2\noom_group_kill 0\n"


def laid(tmp_path: Path, listing: str, file: str, text: str) -> tuple[Path, Path]:
    """A listing of control groups, and a mount with one file in it."""
    listed, mounted = tmp_path / "cgroup", tmp_path / "mount"
    listed.write_text(listing)
    (mounted / file).parent.mkdir(parents=True, exist_ok=True)
    (mounted / file).write_text(text)
    return listed, mounted


@pytest.mark.parametrize(
    ("listing", "file", "text", "kills"),
    [
        ("0::/user.slice/job\n", "user.slice/job/memory.events", V2, 2),
        ("0::/job\n", "unified/job/memory.events", V2, 2),
        ("0::/path/of/the/host\n", "memory.events", V2, 2),  # seen from inside a container
        ("9:cpu:/a\n4:memory:/slurm/job_7\n0::/\n", "memory/slurm/job_7/memory.oom_control", V1, 3),
        ("4:hugetlb,memory:/\n", "memory/memory.oom_control", V1, 3),
    ],
)
def test_the_counter_of_ones_own_group_is_found(
    tmp_path: Path, listing: str, file: str, text: str, kills: int
) -> None:
    listed, mounted = laid(tmp_path, listing, file, text)
    counter = oom_counter(listed, mounted)
    assert counter == mounted / file
    assert kills_in(counter) == kills


@pytest.mark.parametrize("listing", ["", "0::/job\n", "garbage", "4:cpu:/x\n"])
def test_where_there_is_no_counter_none_is_found(tmp_path: Path, listing: str) -> None:
    listed, mounted = laid(tmp_path, listing, "job/memory.events", "low 0\n")
    assert oom_counter(listed, mounted) is None
    assert oom_counter(tmp_path / "nowhere", mounted) is None
    assert kills_in(tmp_path / "nowhere") is None


LOG = """\
6,1,1000000,-;Memory cgroup out of memory: Killed process 77 (python) total-vm:9kB, UID:0
 SUBSYSTEM=memory
6,2,5000000,-;Out of memory: Killed process 78 (python) total-vm:9kB
6,3,6000000,-;python[79]: segfault at 0 ip 00007f sp 00007f error 4 in libc.so
6,4,7000000,-;something else about 80 (python)
cut off
"""


@pytest.mark.parametrize(
    ("pid", "since", "kind"),
    [
        (77, 0.5, EndKind.OUT_OF_MEMORY),
        (77, 2.0, None),  # another process had this number before
        (78, 2.0, EndKind.OUT_OF_MEMORY),
        (79, 0.0, EndKind.OTHER),
        (7, 0.0, None),
        (80, 0.0, None),
    ],
)
def test_the_log_names_whom_the_kernel_ended(
    tmp_path: Path, pid: int, since: float, kind: EndKind | None
) -> None:
    log = tmp_path / "kmsg"
    log.write_text(LOG)
    told = word_of_kernel(pid, since, log)
    assert (told and told.kind) == kind
    assert word_of_kernel(pid, since, tmp_path / "nowhere") is None
