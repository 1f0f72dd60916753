"""How a project is printed."""

from __future__ import annotations

from tracker.domain.projects.project import MetricDefinition, Project

from .output import print_json, print_record
from .text import moment

__all__ = ["print_project"]


def print_project(project: Project, as_json: bool) -> None:
    """Prints one project whole."""
    if as_json:
        print_json(project)
        return
    print_record(
        {
            "id": str(project.id),
            "name": project.name,
            "description": project.description,
            "owner": str(project.owner_id),
            "team": str(project.team_id or ""),
            "created": moment(project.created_at),
            "metrics": ", ".join(map(_definition, project.metrics)),
            "naming pattern": project.settings.naming_pattern,
            "display metrics": ", ".join(project.settings.display_metrics),
        }
    )


def _definition(metric: MetricDefinition) -> str:
    parts = [metric.name, metric.direction, metric.aggregation, *([metric.label] if metric.label else [])]
    return ":".join(parts)
