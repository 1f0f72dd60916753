"""The program that does one attempt at a job: ``python -m tracker.worker CONFIG``.

A runner starts it. Its first process (:mod:`tracker.worker.supervising`) only watches: it forks a second one
that works, and sees to it that nothing is left of that when time, memory or patience is over.

What works is a module for each kind of job with one function::

    async def run(desk: Desk, admission: Admission, lease: LeaseKeeper) -> None

* It calls ``await lease.begin(rows_total)`` once, when it knows how many rows there are and before the first
  is sent. Heartbeats come by themselves from the start on; they need the event loop, so whatever computes
  for longer than a moment belongs in ``asyncio.to_thread``.
* It calls ``await lease.turn()`` before each row that costs something, and ``await lease.keep(outcomes,
  keys)`` with what came of it. Everything else it asks of the desk goes through ``await lease.ask(lambda:
  desk.answered())``, which asks again while the desk does not answer.
* Each of these raises ``Conflict`` once the attempt has lost its job or has to stop: `run` lets what is under
  way end, keeps it, and leaves by that error.
* It returns once the job's result is left at the desk.
* It raises a :class:`~tracker.domain.errors.TrackerError` where another attempt would meet the same again,
  such as a refused key: the job fails with its text. Anything else it raises is a bug, and is told in one
  line, with the traceback in the log.
"""
