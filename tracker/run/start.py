"""Starts runs: from a project's name to an experiment that is running."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any
from uuid import UUID

from tracker.adapters.system.ids import UuidV7Generator
from tracker.blocking import Tracker
from tracker.domain.errors import NotFound
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.opening import open as open_tracker
from tracker.run.run import Run

__all__ = ["init"]

Parent = Run | Experiment | UUID | str


def init(
    project: str,
    name: str | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    features: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    parent: Parent | None = None,
    description: str = "",
    data: str | PurePath | None = None,
    url: str | None = None,
    token: str | None = None,
) -> Run:
    """Starts a run in the project of this name, which is created when it is not there.

    Args:
        project: the project's name.
        name: the experiment's; by default its number in the project, as in ``7_run`` or
            ``7_from_3_run``.
        params: numbers, text, bools; nested mappings get dotted names.
        features: what the experiment is made of, as a JSON tree.
        tags: to find it by.
        parent: what it derives from: a run, an experiment, or the id or name of one in the project.
        description: free text.
        data: folder to write to; without it, what the environment's settings say.
        url: address of a server to write to instead.
        token: bearer token for the server; without it, ``TRACKER_TOKEN``, else what ``tracker login``
            kept.

    Raises:
        NotFound: there is no such parent.
        Invalid: a field breaks a rule.
        Unavailable: the store does not answer.
    """
    library = open_tracker(None if data is None else str(data), url=url, token=token)
    try:
        home = library.projects.create(project, exist_ok=True)
        above = None if parent is None else _parent(library, home.id, parent)
        fields: dict[str, Any] = {} if above is None else {"parent_id": above.id}
        experiment = library.experiments.create(
            home.id,
            name=name if name is not None else _default_name(above),
            status=Status.RUNNING,
            description=description,
            params=_plain(params or {}),
            features=_plain(features or {}),
            tags=tuple(tags),
            **fields,
        )
        return Run(library, experiment, UuidV7Generator())
    except BaseException:
        library.close()
        raise


def _parent(library: Tracker, project_id: ProjectId, parent: Parent) -> Experiment:
    if isinstance(parent, Run | Experiment):
        return library.experiments.get(parent.id)
    if isinstance(parent, str):
        named = library.experiments.list(project_id, name=parent)
        if named:
            return named[0]
        try:
            parent = UUID(parent)
        except ValueError as error:
            raise NotFound.of("experiment", parent) from error
    return library.experiments.get(ExperimentId(parent))


def _default_name(parent: Experiment | None) -> str:
    """A name that gets the project's next number when it is created."""
    number = None if parent is None else _number(parent.name)
    return "{num}_run" if number is None else f"{{num}}_from_{number}_run"


def _number(name: str) -> int | None:
    match = re.match(r"[0-9]{1,9}(?=_|$)", name)
    return int(match[0]) if match else None


def _plain(value: Any) -> Any:
    """Numpy scalars as Python numbers and paths as text, all the way down."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "item") and not getattr(value, "shape", None):
        return value.item()
    return value
