"""How a project is printed."""

from __future__ import annotations

from tracker.domain.experiments.names import NameCheck
from tracker.domain.projects.project import MetricDefinition, Project

from .output import print_json, print_record
from .text import moment

__all__ = ["print_name_check", "print_project"]


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
            "naming patterns": ", ".join(project.settings.naming_patterns),
            "display metrics": ", ".join(project.settings.display_metrics),
            "replicate keys": ", ".join(project.settings.replicate_keys),
        }
    )


def print_name_check(check: NameCheck, as_json: bool) -> None:
    """Prints what creating an experiment of a name would do."""
    if as_json:
        print_json(check)
        return
    print_record(
        {
            "name": check.name,
            "pattern": check.pattern or "",
            **{f"  {field}": text for field, text in check.fields.items()},
            "parent": check.parent_name or f"none: {check.why}",
            "parent id": str(check.parent_id or ""),
            "next number": str(check.next_number),
            "taken": "yes" if check.is_taken else "no",
            "warnings": "; ".join(check.warnings),
        }
    )


def _definition(metric: MetricDefinition) -> str:
    parts = [metric.name, metric.direction, metric.aggregation, *([metric.label] if metric.label else [])]
    return ":".join(parts)
