"""What the environment says about runs: a variable for every argument of :func:`tracker.init`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tracker.domain.frozen import Frozen

__all__ = ["RUN_SWITCHES", "RUN_VARIABLES", "RunSettings", "rank_of_job"]

RUN_VARIABLES: Mapping[str, str] = {
    "TRACKER_MODE": "mode",
    "TRACKER_URL": "url",
    "TRACKER_PROJECT": "project",
    "TRACKER_NAME": "name",
    "TRACKER_DESCRIPTION": "description",
    "TRACKER_TAGS": "tags",
    "TRACKER_PARENT": "parent",
    "TRACKER_PARAMS": "params",
    "TRACKER_FEATURES": "features",
    "TRACKER_RESUME": "resume",
    "TRACKER_STEP": "resume_step",
    "TRACKER_RUN_KEY": "run_key",
    "TRACKER_JOIN": "join",
    "TRACKER_RANK": "rank",
    "TRACKER_CAPTURE": "capture",
    "TRACKER_CONSOLE": "console",
    "TRACKER_SYSTEM": "system",
    "TRACKER_STRICT": "strict",
    "TRACKER_SILENT": "silent",
    "TRACKER_EXIT_SECONDS": "exit_seconds",
}
"""Environment variable -> field of :class:`RunSettings`."""

RUN_SWITCHES = frozenset({"capture", "console", "join", "system", "strict", "silent"})
"""Fields that are on or off."""

# What starts processes of a job tells each its number and how many there are: torchrun, Open MPI, the
# process managers of MPICH and Intel, Slurm. A shell inside a Slurm job has a number, too, of 1 task.
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
)


def _json_object(text: str) -> str:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise PydanticCustomError("json_object", 'must be a JSON object such as {"lr": 0.1}')
    return text


class RunSettings(Frozen):
    """How runs start where their script does not say it.

    Attributes:
        mode: ``online`` sends a run's values as they come; ``offline`` keeps them until ``tracker sync``;
            ``disabled`` keeps nothing.
        url: address of a server to write to instead of the data folder.
        project: the project of a run.
        name: the name of its experiment.
        description: free text about it.
        tags: to find it by.
        parent: what it derives from: the id or name of an experiment.
        params: parameters that it gets besides those of its script, as a JSON object.
        features: a YAML or JSON file that says what it is made of.
        resume: id of an experiment to go on with, or ``auto`` for the one of the same run key.
        resume_step: the step of the checkpoint from which it goes on.
        run_key: UUID of the run; processes that share it write to one experiment.
        join: ``on`` = the run of that key is another process's, which finishes it and carries its values;
            ``tracker run`` says so to its script.
        rank: the number of this process in a distributed job, from 0; without it, what the launcher says.
        capture: ``on`` = keeps code, packages and hardware, so that the run can be restored.
        console: ``on`` = keeps what the run prints.
        system: ``on`` = logs what the run takes of processor, memory, disk, network and GPUs (extra
            ``system``).
        strict: ``on`` = what cannot be logged is an error, not a warning.
        silent: ``on`` = nothing is printed when a run starts or ends.
        exit_seconds: for how long leaving Python waits for what was not sent yet; it stays on disk.
    """

    mode: Literal["online", "offline", "disabled"] = "online"
    url: str | None = None
    project: str | None = None
    name: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    parent: str | None = None
    params: Annotated[str, AfterValidator(_json_object)] = ""
    features: str | None = None
    resume: str | None = None
    resume_step: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    run_key: UUID | None = None
    join: bool = False
    rank: Annotated[int, Field(ge=0)] | None = None
    capture: bool = True
    console: bool = False
    system: bool = False
    strict: bool = False
    silent: bool = False
    exit_seconds: Annotated[int, Field(ge=0)] = 10


def rank_of_job(environ: Mapping[str, str]) -> int | None:
    """The number that a launcher gave this process; ``None`` where there is one process, or no launcher.

    torchrun, Open MPI, MPICH, Intel MPI and Slurm are known.
    """
    for rank, size in _LAUNCHERS:
        number, count = environ.get(rank, ""), environ.get(size, "")
        if number.isascii() and number.isdigit() and count.isascii() and count.isdigit() and int(count) > 1:
            return int(number)
    return None
