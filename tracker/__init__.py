"""Track machine-learning experiments.

>>> import tracker                                              # doctest: +SKIP
>>> with tracker.init("digits", params={"lr": 0.1}) as run:     # doctest: +SKIP
...     run.log({"loss": 0.5})

Importing this package costs almost nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.areas import AsyncTracker
    from tracker.blocking import Tracker
    from tracker.domain.artifacts.artifact import Artifact
    from tracker.domain.artifacts.snapshot import Snapshot, SnapshotFile
    from tracker.domain.comparison.budget import BudgetComparison
    from tracker.domain.comparison.compared import Comparison
    from tracker.domain.comparison.importance import Importance
    from tracker.domain.comparison.matrix import Matrix
    from tracker.domain.comparison.pareto import Front
    from tracker.domain.errors import (
        AlreadyExists,
        AlreadyRegistered,
        BadCode,
        BadCredentials,
        Conflict,
        Forbidden,
        Invalid,
        InvalidTransition,
        LineageCycle,
        NotFound,
        SchemaMismatch,
        StaleVersion,
        TooManyRequests,
        TrackerError,
        Unauthenticated,
        Unavailable,
    )
    from tracker.domain.experiments.ending import EndKind
    from tracker.domain.experiments.experiment import Experiment
    from tracker.domain.experiments.graph import Graph
    from tracker.domain.experiments.lifecycle import Status
    from tracker.domain.experiments.names import NameCheck
    from tracker.domain.hypotheses.evidence import Evidence
    from tracker.domain.hypotheses.hypothesis import Hypothesis, HypothesisStatus, Target
    from tracker.domain.hypotheses.judged import JudgedHypothesis
    from tracker.domain.identity.actions import Action
    from tracker.domain.identity.roles import Role
    from tracker.domain.metrics.aggregation import ExperimentMetric
    from tracker.domain.metrics.metric import Metric
    from tracker.domain.projects.project import (
        Aggregation,
        Direction,
        MetricDefinition,
        Project,
        ProjectSettings,
    )
    from tracker.domain.scalars.record import ScalarRecord
    from tracker.domain.scalars.series import Series, SeriesSummary
    from tracker.opening import aopen, open
    from tracker.run.run import Run
    from tracker.run.start import init
    from tracker.warning import TrackerWarning

__all__ = [
    "Action", "Aggregation", "AlreadyExists", "AlreadyRegistered", "Artifact", "AsyncTracker", "BadCode",
    "BadCredentials", "BudgetComparison", "Comparison", "Conflict", "Direction", "EndKind", "Evidence",
    "Experiment", "ExperimentMetric", "Forbidden", "Front", "Graph", "Hypothesis", "HypothesisStatus",
    "Importance", "Invalid", "InvalidTransition", "JudgedHypothesis", "LineageCycle", "Matrix", "Metric",
    "MetricDefinition", "NameCheck", "NotFound", "Project", "ProjectSettings", "Role", "Run",
    "ScalarRecord", "SchemaMismatch", "Series", "SeriesSummary", "Snapshot", "SnapshotFile", "StaleVersion",
    "Status", "Target", "TooManyRequests", "Tracker", "TrackerError", "TrackerWarning", "Unauthenticated",
    "Unavailable", "__version__", "aopen", "init", "open",
]  # fmt: skip

__version__ = "0.1.0"

_HOMES = {
    "tracker.areas": ("AsyncTracker",),
    "tracker.blocking": ("Tracker",),
    "tracker.domain.artifacts.artifact": ("Artifact",),
    "tracker.domain.artifacts.snapshot": ("Snapshot", "SnapshotFile"),
    "tracker.domain.comparison.budget": ("BudgetComparison",),
    "tracker.domain.comparison.compared": ("Comparison",),
    "tracker.domain.comparison.importance": ("Importance",),
    "tracker.domain.comparison.matrix": ("Matrix",),
    "tracker.domain.comparison.pareto": ("Front",),
    "tracker.domain.errors": (
        "AlreadyExists", "AlreadyRegistered", "BadCode", "BadCredentials", "Conflict", "Forbidden", "Invalid",
        "InvalidTransition", "LineageCycle", "NotFound", "SchemaMismatch", "StaleVersion", "TooManyRequests",
        "TrackerError", "Unauthenticated", "Unavailable",
    ),
    "tracker.domain.experiments.ending": ("EndKind",),
    "tracker.domain.experiments.experiment": ("Experiment",),
    "tracker.domain.experiments.graph": ("Graph",),
    "tracker.domain.experiments.lifecycle": ("Status",),
    "tracker.domain.experiments.names": ("NameCheck",),
    "tracker.domain.hypotheses.evidence": ("Evidence",),
    "tracker.domain.hypotheses.hypothesis": ("Hypothesis", "HypothesisStatus", "Target"),
    "tracker.domain.hypotheses.judged": ("JudgedHypothesis",),
    "tracker.domain.identity.actions": ("Action",),
    "tracker.domain.identity.roles": ("Role",),
    "tracker.domain.metrics.aggregation": ("ExperimentMetric",),
    "tracker.domain.metrics.metric": ("Metric",),
    "tracker.domain.projects.project": (
        "Aggregation", "Direction", "MetricDefinition", "Project", "ProjectSettings",
    ),
    "tracker.domain.scalars.record": ("ScalarRecord",),
    "tracker.domain.scalars.series": ("Series", "SeriesSummary"),
    "tracker.opening": ("aopen", "open"),
    "tracker.run.run": ("Run",),
    "tracker.run.start": ("init",),
    "tracker.warning": ("TrackerWarning",),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
