"""Which job the processes of a distributed training belong to, so that all of them write to one run."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid5

from tracker.adapters.system.processes import parent

__all__ = ["job_key"]

_NAMESPACE = UUID("b8f6b2f0-6c0e-5a35-9a0d-0c1f1d3a7e52")
_SIZES = (
    ("LOCAL_WORLD_SIZE", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_SIZE"),
    ("MPI_LOCALNRANKS", "PMI_SIZE"),
)


def job_key(environ: Mapping[str, str], rank: int | None) -> UUID | None:
    """The key that all processes of this job have in common; ``None`` where nothing tells it.

    On one machine it is their launcher: the process that started them all. Over several it is the number
    of a step of Slurm, or the namespace of an MPI job; the processes of other launchers, whose jobs have no
    number of their own, need ``TRACKER_RUN_KEY``.

    Args:
        environ: the process's environment.
        rank: of this process; ``None`` = it is no part of a job.
    """
    if rank is None:
        return None
    if _is_on_one_machine(environ):
        told = f"launcher/{parent()}"
    elif environ.get("SLURM_JOB_ID"):
        names = ("SLURM_CLUSTER_NAME", "SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT")
        told = "/".join(["slurm", *(environ.get(name, "") for name in names)])
    elif environ.get("PMIX_NAMESPACE"):
        told = f"pmix/{environ['PMIX_NAMESPACE']}"
    else:
        return None
    return uuid5(_NAMESPACE, told)


def _is_on_one_machine(environ: Mapping[str, str]) -> bool:
    if environ.get("SLURM_NTASKS", "1") != "1" and "RANK" not in environ:
        return environ.get("SLURM_NNODES") == "1"
    return any(
        environ.get(local) is not None and environ[local] == environ.get(all_of_them)
        for local, all_of_them in _SIZES
    )
