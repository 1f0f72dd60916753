"""How hypotheses are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.hypothesis import Decision, Target
from tracker.domain.hypotheses.judged import JudgedHypothesis

from .forest import forest
from .output import Column, plain, print_record
from .text import moment, number, visible

__all__ = ["COLUMNS", "fields_of", "print_hypothesis"]


def _status(found: JudgedHypothesis) -> str:
    computed = "" if found.hypothesis.decision is None else f" (computed: {found.computed_status.value})"
    return found.status.value + computed


COLUMNS = (
    Column("id", lambda found: str(found.id)),
    Column("title", lambda found: found.hypothesis.title),
    Column("status", _status),
    Column("score", lambda found: _short(found.score), is_number=True),
    Column("experiments", lambda found: str(len(found.hypothesis.experiments)), is_number=True),
    Column("targets", lambda found: ", ".join(target.name for target in found.hypothesis.targets)),
)


def fields_of(found: JudgedHypothesis) -> Mapping[str, Any]:
    """Its fields with its verdict's, side by side."""
    return {
        **plain(found.hypothesis),
        "author": found.author,
        "status": found.status,
        "computed_status": found.computed_status,
        "score": found.score,
        "headline": found.headline,
    }


def print_hypothesis(found: JudgedHypothesis, evidence: Evidence, decisions: Sequence[Decision]) -> None:
    """Prints one hypothesis, why it stands where it does, and a forest plot."""
    one = found.hypothesis
    print_record(
        {
            "id": str(one.id),
            "title": one.title,
            "description": one.description,
            "status": _status(found),
            "score": f"{_short(evidence.score)} (threshold {number(one.threshold)})",
            "why": evidence.why,
            "author": found.author,
            "targets": ", ".join(map(_target, one.targets)),
            "baseline": next(
                (e.name for e in evidence.experiments if e.id == one.baseline), str(one.baseline)
            ),
            "experiments": f"{len(one.experiments)} linked" if one.experiments else "",
            "queries": ", ".join(map(str, one.queries)),
            "created": moment(one.created_at),
            "changed": moment(one.updated_at),
        }
    )
    plot = list(forest(evidence))
    if plot:
        click.echo()
        for line in plot:
            click.echo(line)
    if decisions:
        click.echo()
    for decision in decisions:
        status = "computed" if decision.status is None else decision.status.value
        click.echo(f"{moment(decision.at)}  {status}  {visible(decision.reason)}".rstrip())


def _target(target: Target) -> str:
    name = target.name if target.label is None else f"{target.name} ({target.label})"
    return name if target.weight == 1 else f"{name} x {number(target.weight)}"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"
