from __future__ import annotations

import signal
from collections.abc import Mapping

import pytest

from tracker.domain.experiments.ending import EndKind
from tracker.run.signals import ending_by

SLURM = {"SLURM_JOB_ID": "12"}


@pytest.mark.parametrize(
    ("number", "environ", "kind", "told"),
    [
        (signal.SIGTERM, {}, EndKind.TERMINATED, "SIGTERM"),
        (signal.SIGTERM, SLURM, EndKind.PREEMPTED, "job 12 was preempted or cancelled"),
        (signal.SIGTERM, {**SLURM, "SLURM_JOB_END_TIME": "1050"}, EndKind.TERMINATED, "time limit"),
        (signal.SIGTERM, {**SLURM, "SLURM_JOB_END_TIME": "9999"}, EndKind.PREEMPTED, "does not tell which"),
        (signal.SIGTERM, {**SLURM, "SLURM_JOB_END_TIME": "soon"}, EndKind.PREEMPTED, "job 12"),
        (signal.SIGTERM, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, EndKind.TERMINATED, "Kubernetes"),
        (signal.SIGUSR1, SLURM, EndKind.PREEMPTED, "--signal"),
        (signal.SIGXCPU, {}, EndKind.TERMINATED, "CPU time"),
        (signal.SIGHUP, SLURM, EndKind.TERMINATED, "terminal"),
    ],
)
def test_a_signal_means_what_can_be_told_from_here(
    number: int, environ: Mapping[str, str], kind: EndKind, told: str
) -> None:
    found = ending_by(number, environ, now=1000.0)
    assert found.kind is kind
    assert told in found.reason
