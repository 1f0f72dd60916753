"""Identities of every area, in one place so that naming a thing needs no import of its area."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

__all__ = [
    "ApiTokenId", "ArtifactId", "BatchId", "BranchId", "CodeId", "DatasetId", "DecisionId", "EvaluationId",
    "ExperimentId", "GrantId", "HypothesisId", "JobId", "MetricId", "ProjectId", "PurgeId", "SavedQueryId",
    "SessionId", "SnapshotId", "TeamId", "UserId", "WorkflowId",
]  # fmt: skip

UserId = NewType("UserId", UUID)
TeamId = NewType("TeamId", UUID)
GrantId = NewType("GrantId", UUID)
ApiTokenId = NewType("ApiTokenId", UUID)
SessionId = NewType("SessionId", UUID)
CodeId = NewType("CodeId", UUID)
ProjectId = NewType("ProjectId", UUID)
ExperimentId = NewType("ExperimentId", UUID)
MetricId = NewType("MetricId", UUID)
BatchId = NewType("BatchId", UUID)
BranchId = NewType("BranchId", UUID)
PurgeId = NewType("PurgeId", UUID)
HypothesisId = NewType("HypothesisId", UUID)
DecisionId = NewType("DecisionId", UUID)
SavedQueryId = NewType("SavedQueryId", UUID)
ArtifactId = NewType("ArtifactId", UUID)
SnapshotId = NewType("SnapshotId", UUID)
DatasetId = NewType("DatasetId", UUID)
EvaluationId = NewType("EvaluationId", UUID)
WorkflowId = NewType("WorkflowId", UUID)
JobId = NewType("JobId", UUID)
