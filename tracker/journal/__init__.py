"""The journal: what a run logs is in a file of its own process before ``log()`` returns.

::

    <data>/journal/<run key>/run.json            what the run is, where it goes, who runs it
                             <writer>-<n>.open   the segment that a process appends to
                             <writer>-<n>.seg    a closed one, on its way to the store
                             staged/<digest>     files that travel with it
                             capture/            what ran, until it is sent
                             console/*.log       what the run printed, until it is over
                             carrier.lock        held by the one process that carries now

A segment is a row of frames (:mod:`~tracker.journal.frames`). Each process appends to its own
(:mod:`~tracker.journal.segment`), without a lock between processes and without a memory map, so
that network file systems do. Closed segments are carried to the store in batches whose names follow
from the segment's (:mod:`~tracker.journal.carrying`), so that one which is carried twice is kept
once; then they are deleted.
"""
