"""Runs out of MLflow's folder of files: ``EXPERIMENT/RUN/{meta.yaml,params,tags,metrics}``."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tracker.domain.errors import Invalid, Unavailable
from tracker.importers.columns import Columns
from tracker.importers.mlflow.runs import MlflowRun
from tracker.importers.records import LeftOut, Points

__all__ = ["is_folder_of_files", "points_in_files", "runs_in_files"]

_STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}
_META = "meta.yaml"
_LINE = re.compile(r"([A-Za-z_]+):(?: (.*))?")


def is_folder_of_files(path: Path) -> bool:
    """Whether some folder in `path` is an experiment of MLflow."""
    return any(path.glob(f"*/{_META}"))


def runs_in_files(root: Path) -> list[MlflowRun]:
    """Every run that is not deleted, without its points, by start; and where each lies.

    Raises:
        Invalid: a file is not as MLflow writes it.
        Unavailable: one cannot be read.
    """
    runs = []
    for meta in sorted(root.glob(f"*/{_META}")):
        experiment = _meta(meta)
        if experiment.get("lifecycle_stage", "active") != "active":
            continue
        for inner in sorted(meta.parent.glob(f"*/{_META}")):
            told = _meta(inner)
            if "run_id" not in told and "run_uuid" not in told:
                continue  # a dataset, a model
            if told.get("lifecycle_stage", "active") != "active":
                continue
            folder = inner.parent
            runs.append(
                MlflowRun(
                    experiment=experiment.get("name") or meta.parent.name,
                    id=told.get("run_id") or told.get("run_uuid", ""),
                    name=told.get("run_name", ""),
                    status=_STATUS.get(told.get("status", ""), told.get("status", "")),
                    start=_whole(told, "start_time", inner),
                    end=_whole(told, "end_time", inner),
                    # The folder may have been moved since; then its own place is the right one.
                    artifacts=_artifacts(told.get("artifact_uri", ""), folder),
                    params=_texts(folder / "params"),
                    tags=_texts(folder / "tags"),
                )
            )
    return sorted(runs, key=lambda run: run.start or 0)


def points_in_files(root: Path, run_id: str) -> tuple[dict[str, Points], tuple[LeftOut, ...]]:
    """The whole history of each metric of a run.

    Raises:
        Invalid: a line is not ``TIME VALUE STEP``; names file and line.
    """
    columns = Columns()
    for folder in root.glob(f"*/{run_id}/metrics"):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix()
            for number, line in enumerate(_text(path).splitlines(), 1):
                try:
                    time, value, *step = line.split(" ")[:3]
                    columns.add(name, int(step[0]) if step else 0, int(time) * 1000, float(value))
                except ValueError as error:
                    raise Invalid.field(
                        "PATH", f"{path}, line {number}: {line!r} is not TIME VALUE STEP"
                    ) from error
    return columns.series, ()


def _artifacts(uri: str, folder: Path) -> str:
    here = folder / "artifacts"
    return str(here) if here.is_dir() or uri.startswith(("file:", "/")) or not uri else uri


def _whole(told: dict[str, str], name: str, path: Path) -> int | None:
    text = told.get(name, "")
    if text in ("", "null"):
        return None
    try:
        return int(text)
    except ValueError as error:
        raise Invalid.field("PATH", f"{path}: {name} is {text!r}, not milliseconds") from error


def _texts(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return {path.relative_to(folder).as_posix(): _text(path) for path in files}


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror or error}") from error


def _meta(path: Path) -> dict[str, str]:
    """The plain part of YAML that MLflow writes: one ``key: value`` a line, long values folded."""
    found: dict[str, str] = {}
    last = ""
    for line in _text(path).splitlines():
        match = _LINE.fullmatch(line)
        if match:
            last = match[1]
            found[last] = match[2] or ""
        elif last and line.startswith((" ", "\t")):
            found[last] = f"{found[last]} {line.strip()}"
    return {key: _unquoted(value, path) for key, value in found.items()}


def _unquoted(value: str, path: Path) -> str:
    if value.startswith("'"):
        return value[1:-1].replace("''", "'")
    if value.startswith('"'):
        try:
            text = json.loads(re.sub(r"\\x([0-9A-Fa-f]{2})", r"\\u00\1", value.replace("\\ ", " ")))
        except ValueError as error:
            raise Invalid.field("PATH", f"{path}: {value} cannot be read") from error
        return str(text)
    return "" if value == "null" else value
