"""Graphs and readings of names on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from tracker.domain.experiments.graph import EdgeKind, Graph
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.names import NameCheck

__all__ = ["GraphOut", "NameCheckOut", "graph_out", "name_check_out"]


class NodeOut(TypedDict):
    """An experiment without what it is made of.

    ``depth`` counts the steps to its root, the end of its line of primary parents.
    """

    id: UUID
    name: str
    status: Status
    parentExperimentId: UUID | None
    mergedFrom: Sequence[UUID]
    color: str
    order: int
    depth: int
    isRoot: bool
    tags: Sequence[str]
    createdAt: datetime


class EdgeOut(TypedDict):
    """From a parent to its child."""

    source: UUID
    target: UUID
    kind: EdgeKind


class GraphOut(TypedDict):
    """What came from what in a project; nodes in its order."""

    nodes: list[NodeOut]
    edges: list[EdgeOut]


class NamedParentOut(TypedDict):
    """The experiment that a name means as its parent."""

    id: UUID
    name: str


class NameCheckOut(TypedDict):
    """What creating an experiment of a name would do.

    ``why`` tells why there is no parent.
    """

    name: str
    pattern: str | None
    fields: Mapping[str, str]
    parent: NamedParentOut | None
    why: str | None
    nextNumber: int
    taken: bool
    warnings: Sequence[str]


def graph_out(graph: Graph) -> GraphOut:
    """A graph as the API shows it."""
    return {
        "nodes": [
            {
                "id": member.id,
                "name": member.name,
                "status": member.status,
                "parentExperimentId": member.parent_id,
                "mergedFrom": member.merged_from,
                "color": member.color,
                "order": member.position,
                "depth": graph.depths[member.id],
                "isRoot": member.parent_id is None,
                "tags": member.tags,
                "createdAt": member.created_at,
            }
            for member in graph.members
        ],
        "edges": [{"source": e.source, "target": e.target, "kind": e.kind} for e in graph.edges],
    }


def name_check_out(check: NameCheck) -> NameCheckOut:
    """A dry run as the API shows it."""
    parent: NamedParentOut | None = None
    if check.parent_id is not None and check.parent_name is not None:
        parent = {"id": check.parent_id, "name": check.parent_name}
    return {
        "name": check.name,
        "pattern": check.pattern,
        "fields": check.fields,
        "parent": parent,
        "why": check.why,
        "nextNumber": check.next_number,
        "taken": check.is_taken,
        "warnings": check.warnings,
    }
