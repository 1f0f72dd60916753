"""Starts runs: from a project's name to an experiment that is running."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID, uuid5

from tracker.adapters.system.ids import UuidV7Generator
from tracker.adapters.system.processes import owner
from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.journal.carrier import Carrier
from tracker.journal.folder import JournalFolder
from tracker.journal.plan import RunPlan, address, next_step
from tracker.journal.segment import SegmentWriter
from tracker.opening import connect, environment
from tracker.run.jobs import job_key
from tracker.run.joining import guest_plan, known_experiment
from tracker.run.params import feature_tree, flat_params
from tracker.run.run import Run
from tracker.run_settings import RunSettings
from tracker.settings import Settings
from tracker.warning import warn_of

__all__ = ["attach", "init", "join"]

Parent = Run | Experiment | UUID | str

_WHERE = frozenset({"parent", "project", "resume", "resume_step", "token"})

START_SECONDS = 15.0
"""For how long a start waits for a server; then the run goes on, and its experiment is made later."""

_starts = itertools.count()


def init(
    project: str | None = None,
    name: str | None = None,
    *,
    params: Any = None,
    features: Any = None,
    tags: Sequence[str] = (),
    parent: Parent | None = None,
    description: str = "",
    data: str | PurePath | None = None,
    url: str | None = None,
    token: str | None = None,
    resume: str | None = None,
    step: int | None = None,
    mode: str | None = None,
    rank: int | None = None,
    capture: bool | None = None,
    console: bool | None = None,
    system: bool | None = None,
    strict: bool | None = None,
    silent: bool | None = None,
) -> Run:
    """Starts a run in the project of this name, which is created when it is not there.

    Everything that is not given comes from the environment (``TRACKER_PROJECT``, ``TRACKER_MODE``, ...).
    A server that does not answer holds up the start for a while, and never the run: what it logs is
    kept in the data folder until the server is back, or for ``tracker sync``.

    Args:
        project: the project's name.
        name: the experiment's; by default its number in the project, as in ``7_run`` or
            ``7_from_3_run``.
        params: numbers, text, bools, in a mapping or any other usual form; nested ones get dotted names.
        features: what the experiment is made of, as a JSON tree, or the path of a JSON or YAML file.
        tags: to find it by.
        parent: what it derives from: a run, an experiment, or the id or name of one in the project.
        description: free text.
        data: folder to write to; without it, what the environment's settings say.
        url: address of a server to write to instead; what is on its way there waits in the data folder.
        token: bearer token for the server; without it, ``TRACKER_TOKEN``, else what ``tracker login``
            kept.
        resume: id or name of an experiment to go on with, or ``auto``.
        step: with `resume`, the step of the checkpoint from which it goes on.
        mode: ``online``, ``offline`` (nothing is sent before ``tracker sync``) or ``disabled`` (nothing
            is kept).
        rank: number of this process in a distributed job; by default what its launcher says.
        capture: whether code, packages and hardware are kept.
        console: whether what is printed is kept.
        system: whether the machine's load is logged.
        strict: whether what cannot be logged is an error instead of a warning.
        silent: whether nothing is printed at the end.

    Raises:
        NotFound: there is no such parent.
        Invalid: a field breaks a rule.
        Unauthenticated, Forbidden: the server does not let this token in.
        Unavailable: the data folder cannot be used.
    """
    settings = _settings(
        data, url, project=project, name=name, description=description or None, tags=_several(tags),
        parent=None if parent is None else _text_of(parent), token=token, resume=resume, resume_step=step,
        mode=mode, rank=rank, capture=capture, console=console, system=system, strict=strict, silent=silent,
    )  # fmt: skip
    return _begun(settings, _plan(settings, params, features), None if settings.rerun else data)


def attach(data: str, plan: RunPlan, made: Experiment | None, settings: RunSettings, keeps: bool) -> Run:
    """The same run in another process of the job, which the first one finishes and carries for."""
    plan = replace(plan, is_guest=True)
    journal = JournalFolder(Path(data), plan.key)
    about = partial(_about, plan, lambda: made)
    writer = SegmentWriter(journal.path, about) if keeps else None
    return Run(plan, writer, None, journal, made=made, settings=settings)


def _settings(data: str | PurePath | None, url: str | None, **given: Any) -> Settings:
    """The environment's settings, and what the script says instead."""
    settings = Settings.load(data=None if data is None else str(data))
    if settings.rerun:  # what the script says may lead elsewhere than where its first run went
        settings, data, url = Settings.load(), None, None
        given = {field: value for field, value in given.items() if field not in _WHERE}
    if url is not None or data is not None:  # a folder that is named goes before the environment's server
        settings = settings.evolve(url=url)
    return settings.evolve(**{field: value for field, value in given.items() if value is not None})


def _begun(settings: Settings, plan: RunPlan, data: str | PurePath | None) -> Run:
    journal = JournalFolder(settings.data.absolute(), plan.key)  # a script may go to another folder
    if settings.mode == "disabled":
        return Run(plan, None, None, journal, settings=_of_run(settings))
    if settings.join and plan.key == settings.run_key:
        joined = _joined(settings, plan)
        if joined is not None:
            return joined
    plan.check()
    _tell(journal, plan)
    carrier: Carrier | None = None
    writer = SegmentWriter(
        journal.path, partial(_about, plan, lambda: None if carrier is None else carrier.experiment)
    )
    if settings.mode == "online":
        opened = partial(connect, None if plan.url else data, plan.url, settings.token)
        carrier = Carrier(
            journal, writer, opened, plan.make, url=plan.url, recovers_first=plan.resume is not None
        )
        _make(carrier, journal, plan)
        if plan.resume is not None:
            writer.step = _first_step(carrier, plan)
        carrier.start()
    run = Run(plan, writer, carrier, journal, settings=_of_run(settings))
    if plan.resume is not None and not plan.rank:
        _add(run, plan)
    return run


def _add(run: Run, plan: RunPlan) -> None:
    """Gives a run that there was already what this start says of it."""
    if plan.fields.get("params"):
        run.params(plan.fields["params"])
    if plan.fields.get("tags"):
        run.tag(*plan.fields["tags"])


def join() -> Run | None:
    """The run that ``tracker run`` started this process for, if it did; ``init`` gives it once as well."""
    settings = _settings(None, None)
    if not settings.join or settings.run_key is None:
        return None
    plan = RunPlan(key=settings.run_key, project=settings.project or "", rank=settings.rank or 0)
    return _joined(settings, plan)


def _joined(settings: Settings, own: RunPlan) -> Run | None:
    """This process's part in the run of another one, with what this one would have made of it added."""
    journal = JournalFolder(settings.data.absolute(), own.key)
    plan = guest_plan(journal, own)
    if plan is None:
        return None
    made = known_experiment(journal)
    writer = SegmentWriter(journal.path, partial(_about, plan, lambda: made))
    run = Run(plan, writer, None, journal, made=made, settings=_of_run(settings))
    _add(run, own)
    return run


def _of_run(settings: Settings) -> RunSettings:
    """What a run needs of the settings: nothing of it is secret, since runs are pickled."""
    return RunSettings(**{field: getattr(settings, field) for field in RunSettings.model_fields})


def _without_password(url: str | None) -> None:
    """Refuses an address with a password: it would stand in the journal.

    Raises:
        Invalid: there is one.
    """
    if url is not None and "@" in url.partition("://")[2].partition("/")[0]:
        raise Invalid.field("url", "must hold no user or password; give a token, or run: tracker login URL")


def _plan(settings: Settings, params: Any, features: Any) -> RunPlan:
    _without_password(settings.url)
    if not settings.project:
        raise Invalid.field("project", "name one, or set TRACKER_PROJECT")
    if settings.resume_step and settings.resume is None:
        raise Invalid.field("step", "goes with resume, which says what is to go on there")
    fields: dict[str, Any] = {"description": settings.description, "tags": settings.tags}
    fields["params"] = {**flat_params(params), **flat_params(json.loads(settings.params or "{}"))}
    fields["features"] = feature_tree(settings.features if features is None else features)
    return RunPlan(
        key=_key(settings),
        project=settings.project,
        name=settings.name,
        parent=settings.parent,
        fields=fields,
        url=address(settings.url),
        rank=settings.rank or 0,
        is_offline=settings.mode == "offline",
        resume=settings.resume,
        step=settings.resume_step,
        is_keyed=settings.run_key is not None,
    )


def _key(settings: Settings) -> UUID:
    """The run's key: alike in all processes of a distributed job, else a new one.

    A job's first run takes the key that was given to it, its further ones derive theirs from it.
    """
    count = next(_starts)
    key = settings.run_key or job_key(environment(), settings.rank)
    if key is not None:
        return key if count == 0 else uuid5(key, str(count))
    if settings.rank is not None:
        warn_of(
            [
                "rank: nothing tells which processes belong to one job, so each of them makes a run; "
                "set TRACKER_RUN_KEY to the same UUID in all of them"
            ]
        )
    return UuidV7Generator().new()


def _make(carrier: Carrier, journal: JournalFolder, plan: RunPlan) -> None:
    """Makes the experiment before the run begins, unless the store is away."""
    try:
        carrier.ready(START_SECONDS)
    except (Unavailable, TimeoutError) as error:
        place = plan.url or f"the database of {journal.data}"
        away = error if isinstance(error, Unavailable) else Unavailable(f"{place} does not answer")
        if plan.url is None:
            _give_up(carrier, journal)
            raise away from error
        carrier.tell(away)
    except BaseException:
        _give_up(carrier, journal)
        raise


def _first_step(carrier: Carrier, plan: RunPlan) -> int:
    """Where rows without a step go on."""
    if plan.step is not None or carrier.library is None or carrier.experiment is None:
        return plan.step or 0
    return carrier.wait(next_step(carrier.library, carrier.experiment), START_SECONDS)


def _give_up(carrier: Carrier, journal: JournalFolder) -> None:
    carrier.close(1.0)
    shutil.rmtree(journal.path, ignore_errors=True)


def _tell(journal: JournalFolder, plan: RunPlan) -> None:
    if plan.rank and journal.about().get("rank") == 0:  # whether the job lives is the first one's matter
        return
    try:
        journal.tell({**plan.told(), "owner": owner(), "ended": False})
    except OSError as error:
        raise Unavailable(f"cannot write to {journal.path}: {error.strerror}; set TRACKER_DATA") from error


def _about(plan: RunPlan, made: Callable[[], Experiment | None]) -> Mapping[str, Any]:
    """What heads the segments of this process; of the plan, what finds the experiment again."""
    known, experiment = replace(plan, fields={}, resume=None).told(), made()
    if experiment is not None:
        known["experiment_id"] = str(experiment.id)
    return {"format": 1, "run": plan.key.hex, "rank": plan.rank, "owner": owner(), "plan": known}


def _several(tags: Sequence[str]) -> tuple[str, ...] | None:
    """Tags as they are kept; one text is one of them, and not its letters."""
    return ((tags,) if isinstance(tags, str) else tuple(tags)) or None


def _text_of(parent: Parent) -> str:
    return str(parent.id) if isinstance(parent, Run | Experiment) else str(parent)
