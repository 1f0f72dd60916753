"""Which processes belong to one job, by what launchers tell them."""

from __future__ import annotations

from tracker.run.jobs import job_key

TORCHRUN = {"RANK": "0", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "8"}
SLURM = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "16", "SLURM_NNODES": "2"}


def test_a_process_that_is_no_part_of_a_job_has_no_key() -> None:
    assert job_key(TORCHRUN, None) is None


def test_what_one_launcher_started_on_one_machine_has_one_key() -> None:
    assert job_key(TORCHRUN, 0) == job_key({**TORCHRUN, "RANK": "5"}, 5) != job_key(SLURM, 0)


def test_tasks_of_a_step_have_one_key_on_all_machines_and_another_one_after_a_restart() -> None:
    found = job_key(SLURM, 0)
    assert found is not None
    assert found == job_key({**SLURM, "SLURM_PROCID": "9"}, 9)
    assert found == job_key({**SLURM, **TORCHRUN, "WORLD_SIZE": "16"}, 9)
    others = ({"SLURM_JOB_ID": "8"}, {"SLURM_STEP_ID": "1"}, {"SLURM_RESTART_COUNT": "1"})
    assert len({found, *(job_key({**SLURM, **other}, 0) for other in others)}) == 4


def test_the_launcher_of_several_machines_that_numbers_nothing_gives_no_key() -> None:
    assert job_key({**TORCHRUN, "WORLD_SIZE": "16"}, 0) is None
