"""A project's experiments as a graph: light rows, and what came from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from tracker.domain.errors import NotFound
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.lineage import Lines, Parents, ancestors, depths, descendants
from tracker.domain.ids import ExperimentId

__all__ = ["Edge", "EdgeKind", "Graph", "Member"]


class Member(NamedTuple):
    """An experiment as its project's graph shows it: what it is made of is left out."""

    id: ExperimentId
    name: str
    status: Status
    parent_id: ExperimentId | None
    merged_from: tuple[ExperimentId, ...]
    color: str
    position: int
    tags: tuple[str, ...]
    created_at: datetime


class EdgeKind(StrEnum):
    """What a parent is to its child."""

    PRIMARY = "primary"
    MERGED = "merged"


class Edge(NamedTuple):
    """From a parent to its child."""

    source: ExperimentId
    target: ExperimentId
    kind: EdgeKind


@dataclass(frozen=True)
class Graph:
    """A project's experiments and what came from what.

    Attributes:
        members: in the project's order.
    """

    members: Sequence[Member]

    @cached_property
    def lines(self) -> Lines:
        """The primary parent of each."""
        return {member.id: member.parent_id for member in self.members}

    @cached_property
    def parents(self) -> Parents:
        """All parents of each, the primary one first."""
        return {
            member.id: (*(() if member.parent_id is None else (member.parent_id,)), *member.merged_from)
            for member in self.members
        }

    @cached_property
    def depths(self) -> Mapping[ExperimentId, int]:
        """How many steps each stands below its root, on the primary line."""
        return depths(self.lines)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """From parents to children, children in the project's order."""
        primary, merged = EdgeKind.PRIMARY, EdgeKind.MERGED
        found = []
        for member in self.members:
            if member.parent_id is not None:
                found.append(Edge(member.parent_id, member.id, primary))
            found.extend(Edge(parent, member.id, merged) for parent in member.merged_from)
        return tuple(found)

    def roots(self) -> tuple[ExperimentId, ...]:
        """Where the primary lines end."""
        return tuple(key for key, parent in self.lines.items() if parent is None)

    def root_of(self, experiment_id: ExperimentId) -> ExperimentId:
        """Where the primary line of one ends.

        Raises:
            NotFound: it is not in the graph.
        """
        if experiment_id not in self.lines:
            raise NotFound.of("experiment", experiment_id)
        while (parent := self.lines[experiment_id]) is not None:
            experiment_id = parent
        return experiment_id

    def ancestors(self, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
        """Everything above one, nearest first."""
        return ancestors(self.parents, experiment_id)

    def descendants(self, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
        """Everything below one, nearest first."""
        return descendants(self.parents, experiment_id)
