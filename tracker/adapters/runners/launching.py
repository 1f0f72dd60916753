"""Starts the process of an attempt on this machine."""

from __future__ import annotations

import contextlib
import site
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from tracker.adapters.runners.attempt_folder import AttemptFolder

__all__ = ["launch", "scrubbed"]

_ROOT = Path(__file__).resolve().parents[3]  # where the package is

# What a program needs to find its files, speak its user's language and use this machine as it was set up.
# Proxies are not among them: their addresses may hold passwords, and are handed over otherwise.
_HARMLESS = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONHOME",
     "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
     "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "HF_HOME", "HF_HUB_OFFLINE", "HF_HUB_CACHE",
     "TRANSFORMERS_OFFLINE", "XDG_CACHE_HOME", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_CORETYPE",
     "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS"}
)  # fmt: skip


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """What a worker's environment may have of `environment`: nothing that could be a secret."""
    kept = {name: value for name, value in environment.items() if name in _HARMLESS or name.startswith("LC_")}
    if str(_ROOT) not in site.getsitepackages():  # a checkout; it must not stand before the standard library
        kept["PYTHONPATH"] = ":".join(filter(None, [str(_ROOT), kept.get("PYTHONPATH")]))
    return kept


def launch(
    folder: AttemptFolder, held: tuple[int, ...], environment: Mapping[str, str], handed_over: bytes
) -> None:
    """Starts it in a session of its own, in which it outlives this process.

    Args:
        folder: of the attempt.
        held: descriptors of locks, which the process takes over.
        environment: for it, scrubbed.
        handed_over: goes through its standard input.

    Raises:
        OSError: there is no room for another process.
    """
    # -P: whatever lies in the present folder is not imported.
    command = [sys.executable, "-P", "-m", "tracker.worker", "--held", ",".join(map(str, held))]
    with folder.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603
            [*command, str(folder.config)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=dict(environment),
            pass_fds=held,
            start_new_session=True,
        )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:  # it may have died already, which is found out
        process.stdin.write(handed_over)
    # So that it does not stay in the list of processes when it has ended before this one.
    threading.Thread(target=process.wait, name=f"reaper-{process.pid}", daemon=True).start()
