"""How ``wandb.init()`` starts a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.compat.wandb_config import mapping_of
from tracker.compat.wandb_errors import UsageError, ignored
from tracker.compat.wandb_run import Run
from tracker.domain.errors import Invalid
from tracker.integrations.attached import without_raising
from tracker.opening import open as open_tracker
from tracker.run.start import init

__all__ = ["started"]

UNNAMED = "uncategorized"
"""The project of runs that name none, as in wandb."""

_MODES = {None: None, "online": "online", "offline": "offline", "disabled": "disabled"}
_MEANINGLESS = frozenset(
    {"dir", "entity", "anonymous", "force", "magic", "monitor_gym", "save_code", "settings"}
)  # fmt: skip


def started(
    *,
    project: str | None,
    id: str | None,
    name: str | None,
    notes: str | None,
    tags: Any,
    config: Any,
    group: str | None,
    job_type: str | None,
    mode: str | None,
    resume: bool | str | None,
    config_exclude_keys: Any = None,
    config_include_keys: Any = None,
    allow_val_change: bool | None = None,
    resume_from: str | None = None,
    fork_from: str | None = None,
    sync_tensorboard: bool | None = None,
    tensorboard: bool | None = None,
    **more: Any,
) -> Run:
    """A run by the arguments of ``wandb.init()``.

    Raises:
        UsageError: arguments that exclude each other, or a run to be resumed that there is not.
        TrackerError: the run cannot be started.
    """
    _check(mode, resume_from or fork_from, more)
    names = (tags,) if isinstance(tags, str) else tuple(tags or ())
    options: dict[str, Any] = {
        "name": name, "tags": names, "mode": _MODES.get(mode), "description": notes or "",
    }  # fmt: skip
    found, start = (None, 0) if mode in ("disabled", "offline") else _resumed(project, id, resume)
    if found is not None:
        options = {"resume": found, "mode": options["mode"]}
    run = _begun(project, options)
    about = {
        "id": id, "entity": more.get("entity"), "group": group, "job_type": job_type, "notes": notes,
        "tags": names,
    }  # fmt: skip
    made = Run(run, about, start=start, may_change=bool(allow_val_change))
    _describe(made, about, mapping_of(config), config_include_keys, config_exclude_keys)
    if sync_tensorboard or tensorboard:
        from tracker.integrations.tensorboard import intercept  # noqa: PLC0415

        intercept(run)
    return made


def _check(mode: str | None, fork: str | None, more: Mapping[str, Any]) -> None:
    """Refuses arguments that there are not, and warns of those that mean nothing here."""
    for option, value in more.items():
        if option not in _MEANINGLESS:
            raise TypeError(f"init() got an unexpected keyword argument {option!r}")
        if value not in (None, False):
            ignored(f"wandb.init({option}=)")
    if fork:
        raise UsageError("resume_from= and fork_from= are not carried: tracker.init(resume=, step=) does it")
    if mode not in _MODES:
        ignored(f"wandb.init(mode={mode!r})")


def _begun(project: str | None, options: dict[str, Any]) -> Any:
    try:
        return init(project, **options)
    except Invalid as error:
        if project is None and any("project" in problem.loc for problem in error.problems):
            return init(UNNAMED, **options)
        raise


def _describe(made: Run, about: dict[str, Any], config: dict[str, Any], include: Any, exclude: Any) -> None:
    told = {name: about[name] for name in ("id", "group", "job_type") if about[name]}
    if told:
        with without_raising("id, group and job_type"):
            made.tracker_run.params({"wandb": told})
    if include:
        config = {key: value for key, value in config.items() if key in include}
    if exclude:
        config = {key: value for key, value in config.items() if key not in exclude}
    made.config.update(config)


def _resumed(project: str | None, id: str | None, resume: bool | str | None) -> tuple[str | None, int]:
    """The experiment of a run's id, with the step after its last; ``None`` where a new one is to be made.

    Raises:
        UsageError: there has to be one and is not, or there is one and must not be.
    """
    if resume in (None, False) or (id is None and resume in ("allow", "never", "auto", True)):
        return None, 0
    if id is None:
        raise UsageError("resume='must' needs an id")
    with open_tracker() as library:
        homes = library.projects.list(name=project or UNNAMED)
        runs = library.experiments.list(homes[0].id) if homes else ()
        same = [each for each in runs if each.params.get("wandb.id") == id or each.name == id]
        if resume == "must" and not same:
            raise UsageError(f"resume='must', but there is no run of the id {id} in {project or UNNAMED}")
        if resume == "never" and same:
            raise UsageError(f"resume='never', but there is a run of the id {id} in {project or UNNAMED}")
        if not same:
            return None, 0
        series = library.scalars.summary(homes[0].id, [same[-1].id])
        last = [each.last_step for each in series]
        return str(same[-1].id), max(last, default=-1) + 1
