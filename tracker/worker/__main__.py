"""``python -m tracker.worker [--held DESCRIPTORS] CONFIG``: what a runner starts for one attempt."""

from __future__ import annotations

import sys
from pathlib import Path

from tracker.worker.supervising import supervise


def main(arguments: list[str]) -> int:
    """Does the attempt whose config file is named; the exit code tells how it ended."""
    held: tuple[int, ...] = ()
    if arguments[:1] == ["--held"]:
        held = tuple(int(number) for number in arguments[1].split(",") if number)
        arguments = arguments[2:]
    if len(arguments) != 1:
        sys.stderr.write("python -m tracker.worker CONFIG: a runner starts this, not a person\n")
        return 2
    return supervise(Path(arguments[0]), held)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
