"""``tracker hypothesis``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from .confirm import confirm, yes_option
from .hypothesis_output import COLUMNS, fields_of, print_hypothesis
from .lookup import experiment_named, hypothesis_named, project_named, query_named
from .output import as_json_option, print_json, print_table
from .target import with_library
from .values import TARGET

if TYPE_CHECKING:
    from tracker.blocking import Tracker
    from tracker.domain.hypotheses.judged import JudgedHypothesis

__all__ = ["hypothesis"]

_STATUSES = click.Choice(["proposed", "testing", "supported", "refuted", "inconclusive"])
_RULES = ("root", "parent", "best")

_project = click.option("--project", help="Id or name of the project to look in; by default in all.")
_hypothesis = click.argument("hypothesis", metavar="HYPOTHESIS")
_experiments = click.argument("experiments", metavar="[EXPERIMENT]...", nargs=-1)
_queries = click.option("--query", "queries", multiple=True, help="Id or name of a saved query; repeatable.")


def _claim(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is claimed."""
    for option in (
        click.option("--alpha", type=float, help="Bound on false claims of the intervals; at first 0.05."),
        click.option("--threshold", type=float, help="That the score must exceed; at first 0.2."),
        click.option("--baseline", help="root (at first), parent, best, or an experiment."),
        click.option(
            "--target", "targets", type=TARGET, multiple=True, help="A metric that is to change; repeatable."
        ),
        click.option("--description", help="Up to 1000 characters."),
    ):
        command = option(command)
    return command


@click.group()
def hypothesis() -> None:
    """Hypotheses: claims, and what experiments say.

    HYPOTHESIS is an id, the beginning of one that no other shares, or a title. EXPERIMENT is an id, the
    beginning of one, or a name within the hypothesis's project.
    """


@hypothesis.command("list")
@_project
@click.option("--status", type=_STATUSES)
@as_json_option
@with_library
def list_hypotheses(library: Tracker, project: str | None, status: str | None, as_json: bool) -> None:
    """List hypotheses with their verdicts, oldest first."""
    chosen = library.projects.list() if project is None else [project_named(library, project)]
    found = [
        each
        for one in chosen
        for each in library.hypotheses.list(one.id)
        if status is None or each.status == status
    ]
    if as_json:
        print_json([fields_of(each) for each in found])
    else:
        print_table(
            COLUMNS, found, empty="no hypotheses; `tracker hypothesis add --project PROJECT TITLE` makes one"
        )


@hypothesis.command()
@_hypothesis
@_project
@as_json_option
@with_library
def show(library: Tracker, hypothesis: str, project: str | None, as_json: bool) -> None:
    """Show what experiments say of HYPOTHESIS, and how sure that is."""
    found = hypothesis_named(library, hypothesis, project)
    evidence, decisions = library.hypotheses.evidence(found.id), library.hypotheses.decisions(found.id)
    if as_json:
        print_json({**fields_of(found), "evidence": evidence, "decisions": decisions})
    else:
        print_hypothesis(found, evidence, decisions)


@hypothesis.command()
@click.argument("title")
@click.option("--project", required=True, help="Id or name.")
@_claim
@click.option("--experiment", "experiments", multiple=True, help="One that tests it; repeatable.")
@_queries
@as_json_option
@with_library
def add(
    library: Tracker,
    title: str,
    *,
    project: str,
    experiments: tuple[str, ...],
    queries: tuple[str, ...],
    as_json: bool,
    **claim: Any,
) -> None:
    """Add a hypothesis called TITLE."""
    home = project_named(library, project)
    fields = _fields(library, claim, str(home.id))
    if experiments or queries:
        fields["experiments"], fields["queries"] = _linked(library, str(home.id), experiments, queries)
    _print(library.hypotheses.create(home.id, title=title, **fields), as_json)


@hypothesis.command()
@_hypothesis
@_project
@click.option("--title", help="1 to 200 characters.")
@_claim
@as_json_option
@with_library
def edit(
    library: Tracker, hypothesis: str, *, project: str | None, title: str | None, as_json: bool, **claim: Any
) -> None:
    """Change what HYPOTHESIS claims; targets that are given replace all that there are."""
    found = hypothesis_named(library, hypothesis, project)
    fields = _fields(library, claim, str(found.hypothesis.project_id))
    if title is not None:
        fields["title"] = title
    if not fields:
        raise click.UsageError("nothing to change: give at least one option")
    _print(library.hypotheses.edit(found.id, **fields), as_json)


@hypothesis.command()
@_hypothesis
@_experiments
@_queries
@_project
@as_json_option
@with_library
def link(library: Tracker, hypothesis: str, *, project: str | None, as_json: bool, **linked: Any) -> None:
    """Have EXPERIMENTs test HYPOTHESIS, and whatever saved queries find."""
    found = hypothesis_named(library, hypothesis, project)
    experiments, queries = _linked(library, str(found.hypothesis.project_id), **linked)
    for each in experiments:
        found = library.hypotheses.link(found.id, each)
    for each in queries:
        found = library.hypotheses.link_query(found.id, each)
    _print(found, as_json)


@hypothesis.command()
@_hypothesis
@_experiments
@_queries
@_project
@as_json_option
@with_library
def unlink(library: Tracker, hypothesis: str, *, project: str | None, as_json: bool, **linked: Any) -> None:
    """Have EXPERIMENTs or saved queries say nothing of HYPOTHESIS any more."""
    found = hypothesis_named(library, hypothesis, project)
    experiments, queries = _linked(library, str(found.hypothesis.project_id), **linked)
    for each in experiments:
        found = library.hypotheses.unlink(found.id, each)
    for each in queries:
        found = library.hypotheses.unlink_query(found.id, each)
    _print(found, as_json)


@hypothesis.command()
@_hypothesis
@click.argument("status", type=click.Choice([*_STATUSES.choices, "computed"]))
@click.option("--reason", required=True, help="Why, in 1 to 1000 characters.")
@_project
@as_json_option
@with_library
def decide(
    library: Tracker, hypothesis: str, *, status: str, reason: str, project: str | None, as_json: bool
) -> None:
    """Let STATUS count in place of the computed one, which stays visible; `computed` follows it again."""
    found = hypothesis_named(library, hypothesis, project)
    wanted = None if status == "computed" else status
    _print(library.hypotheses.decide(found.id, wanted, reason), as_json)


@hypothesis.command()
@_hypothesis
@_project
@yes_option
@with_library
def delete(library: Tracker, hypothesis: str, project: str | None, yes: bool) -> None:
    """Delete HYPOTHESIS with its decisions; its experiments stay."""
    found = hypothesis_named(library, hypothesis, project)
    confirm(f"Delete hypothesis {found.hypothesis.title} and what was decided about it?", yes=yes)
    library.hypotheses.delete(found.id)


def _fields(library: Tracker, claim: Mapping[str, Any], project: str) -> dict[str, Any]:
    fields = {name: value for name, value in claim.items() if value not in (None, ())}
    baseline = fields.get("baseline")
    if baseline is not None and baseline not in _RULES:
        fields["baseline"] = experiment_named(library, baseline, project).id
    return fields


def _linked(
    library: Tracker, project: str, experiments: tuple[str, ...], queries: tuple[str, ...]
) -> tuple[list[UUID], list[UUID]]:
    """The ids of what is named; everything is found before anything is linked."""
    if not (experiments or queries):
        raise click.UsageError("name at least one EXPERIMENT, or a saved query by --query")
    return (
        [experiment_named(library, key, project).id for key in experiments],
        [query_named(library, key, project).id for key in queries],
    )


def _print(found: JudgedHypothesis, as_json: bool) -> None:
    if as_json:
        print_json(fields_of(found))
    else:
        print_table(COLUMNS, [found], empty="")
