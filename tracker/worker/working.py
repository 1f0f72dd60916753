"""The process that works: forked by the watcher, it runs the program and says how that ended."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from importlib import import_module

from tracker.adapters.runners.handover import Handover, WorkerConfig
from tracker.settings import adopt
from tracker.worker.endings import Ended, Ending, in_a_line
from tracker.worker.kernel_calls import die_with_parent

__all__ = ["work"]


def work(config: WorkerConfig, handed_over: bytes, *, watcher: int, output: int, ending: int) -> int:
    """Does the attempt, and says how it ended.

    Args:
        config: of the attempt.
        handed_over: what came through standard input.
        watcher: the process that forked this one.
        output: where what is printed goes.
        ending: where the ending goes, as JSON.

    Returns:
        The exit code.
    """
    die_with_parent()
    if os.getppid() != watcher:  # it ended before that took effect
        return 1
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    told = _told(config, handed_over)
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(ending, json.dumps({"status": told.status, "why": told.why[:4000]}).encode())
    return 0


def _told(config: WorkerConfig, handed_over: bytes) -> Ending:
    try:
        if config.errand.memory_bytes is not None:
            _limit_memory(config.errand.memory_bytes)
        handover = Handover.from_bytes(handed_over)
        adopt(handover.environment)
        module, _, name = config.program.partition(":")
        told: Ending = getattr(import_module(module), name)(config, handover)
    except BaseException as error:
        traceback.print_exc()
        return Ending(Ended.REFUSED, in_a_line(error, config.errand.memory_bytes))
    return told


def _limit_memory(most: int) -> None:
    """For this process and each that it starts, by itself: their data, as setrlimit(2) counts it. What all
    of them take together is watched besides."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > most:
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
