"""The models that tracker ships with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from tracker.domain.evaluation.models import CatalogueEntry, ModelReference
from tracker.domain.evaluation.tasks import task_kind

__all__ = ["shipped_models"]


@cache
def shipped_models() -> tuple[CatalogueEntry, ...]:
    """What ``models.yaml`` beside this file says, read once.

    The file is YAML of the kind that is JSON too, so that reading it needs no package: one that reads YAML is
    an extra. It has no prices: they change, and nobody would notice.
    """
    text = files(__package__).joinpath("models.yaml").read_text(encoding="utf-8")
    return tuple(_entry(fields) for fields in json.loads(text))


def _entry(fields: Mapping[str, Any]) -> CatalogueEntry:
    read = dict(fields)
    reference = ModelReference(
        name=read.pop("model"), provider=read.pop("provider"), base_url=read.pop("base_url", None)
    )
    tasks = tuple(task_kind(task) for task in read.pop("tasks"))
    requirements = tuple(read.pop("requirements", ()))
    return CatalogueEntry(model=reference, tasks=tasks, requirements=requirements, **read)
