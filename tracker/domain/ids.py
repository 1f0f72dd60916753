"""Identities of every area, in one place so that naming a thing needs no import of its area."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

__all__ = ["BatchId", "ExperimentId", "MetricId", "ProjectId", "PurgeId", "TeamId", "UserId"]

UserId = NewType("UserId", UUID)
TeamId = NewType("TeamId", UUID)
ProjectId = NewType("ProjectId", UUID)
ExperimentId = NewType("ExperimentId", UUID)
MetricId = NewType("MetricId", UUID)
BatchId = NewType("BatchId", UUID)
PurgeId = NewType("PurgeId", UUID)
